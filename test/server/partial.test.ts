/**
 * Sockets that take a part: at whatever byte a write, a sendfile or a send ends, the reply goes on
 * with the next one, once, and in order.
 */
import { expect, test } from "bun:test";
import { content, verify } from "../rig/oracle.ts";
import { BRANCHES } from "../rig/running.ts";
import { Simulation } from "../rig/simulation.ts";

const LARGE = 300_000;
const large = content(1, 0, LARGE);
const held = content(2, 0, 1000);

const PIPELINE = "READ /held\nPING\nREAD /no\nREAD offset=7 length=100 /held\nSTAT /held\nLIST /\n";

test("37: a pipeline's replies go out whole wherever the socket stops taking", () => {
  using simulation = new Simulation({ held, large });
  const whole = simulation.connect();
  whole.send(PIPELINE);
  simulation.flow(whole);
  const { text } = whole;
  expect(text.match(/OK [0-9]+ |ERR E/g)?.length).toBe(6);
  for (let room = 1; room < text.length; room++) {
    const peer = simulation.connect({ room });
    peer.send(PIPELINE);
    simulation.loop.settle();
    expect(peer.socket.taken).toBeLessThanOrEqual(room);
    simulation.flow(peer);
    expect([room, peer.text === text, peer.connection.state.awaits]).toEqual([
      room,
      true,
      "request",
    ]);
    peer.socket.close();
  }
});

test("a socket that takes nothing is waited for, and one byte at a time is enough", () => {
  using simulation = new Simulation({ held });
  const peer = simulation.connect({ room: 0 });
  peer.send("READ /held\nPING\n");
  expect([peer.connection.state.awaits, peer.socket.armed, peer.socket.taken]).toEqual([
    "room",
    true,
    0,
  ]);
  peer.socket.temper = { ...peer.socket.temper, room: 1 };
  peer.drain();
  simulation.flow(peer);
  expect(peer.text).toStartWith("OK 1000 size=1000 ");
  expect(peer.text).toContain("OK 0 server=");
  expect(verify(peer.bytes.subarray(peer.text.indexOf("\n") + 1).subarray(0, 1000), 2, 0)).toBe(
    null,
  );
});

/** Bytes of the file that are out when something happens. */
const POINTS = [0, 1, 2, 15, 65_535, 65_536, 262_143, 262_144, LARGE - 2, LARGE - 1];

test.each(BRANCHES)(
  "42, 50: a transfer goes on at the byte where it stopped (%s)",
  (_, zeroCopy) => {
    using simulation = new Simulation({ large }, { zeroCopy });
    const probe = simulation.connect();
    probe.send("READ /large\n");
    simulation.flow(probe);
    const head = probe.text.indexOf("\n") + 1;
    for (const point of POINTS) {
      for (const more of [0, 1, 2, 1000]) {
        const peer = simulation.connect({ room: Math.max(1, head + point) });
        peer.send("READ /large\nPING\n");
        simulation.loop.settle();
        expect([point, peer.socket.taken, peer.connection.state.awaits]).toEqual([
          point,
          head + point,
          "room",
        ]);
        // A little room, perhaps: then all.
        peer.take(more);
        peer.drain();
        simulation.loop.settle();
        simulation.flow(peer);
        expect(verify(peer.bytes.subarray(head, head + LARGE), 1, 0)).toBeNull();
        expect(peer.text.slice(head + LARGE)).toStartWith("OK 0 server=");
        expect(peer.connection.state.awaits).toBe("request");
        peer.socket.close();
      }
    }
  },
);

test("sendfile's EINVAL hands over to the copy branch at the same byte", () => {
  using simulation = new Simulation({ large });
  for (const unfitAt of [0, 1, 150, 4096, 100_000, LARGE]) {
    const peer = simulation.connect({ unfitAt, room: 50_000 });
    peer.send("READ /large\nREAD offset=1 /large\n");
    simulation.flow(peer);
    const head = peer.text.indexOf("\n") + 1;
    expect(verify(peer.bytes.subarray(head, head + LARGE), 1, 0)).toBeNull();
    expect(verify(peer.bytes.subarray(-LARGE + 1), 1, 0, 1)).toBeNull();
    peer.socket.close();
  }
  const { store } = simulation.running;
  expect(store.openFds).toBe(store.cache.fds);
});

test("53: EIO in the middle is RST after the bytes that were read, for that client alone", () => {
  using simulation = new Simulation({ large });
  const other = simulation.connect({ room: 10_000 });
  other.send("/large\n");
  for (const failAt of [1, 70_000, 200_000]) {
    const peer = simulation.connect({ failAt, room: 50_000 });
    peer.send("PING\nREAD /large\nPING\n");
    simulation.flow(peer);
    expect([peer.socket.ending, peer.connection.state.awaits]).toEqual(["reset", "closed"]);
    expect(peer.socket.taken).toBeLessThan(failAt + 50_001);
  }
  simulation.flow(other);
  expect([other.socket.ending, verify(other.bytes, 1, 0)]).toEqual(["fin", null]);
});

test.each(BRANCHES)("drains without cause change nothing in any state (%s)", (_, zeroCopy) => {
  using simulation = new Simulation({ large, held }, { zeroCopy });
  const states = new Set<string>();
  const peer = simulation.connect({ room: 40_000, closesAtOnce: false });
  const poke = (): void => {
    states.add(peer.connection.state.awaits);
    peer.drainWithoutCause();
  };
  poke();
  peer.send("LIST /\nREAD /large\nREAD /he");
  for (let i = 0; i < 10_000 && peer.connection.state.awaits !== "request"; i++) {
    poke();
    if (simulation.loop.immediates > 0) simulation.loop.turn();
    poke();
    if (simulation.loop.reads > 0) simulation.loop.read();
    poke();
    if (i % 3 !== 0) continue;
    peer.take(9000);
    peer.drain();
  }
  peer.send("ld\n");
  peer.finish();
  simulation.flow(peer);
  poke();
  expect(peer.socket.ending).toBe("fin");
  const list = peer.text.indexOf("OK ", 3);
  const head = peer.text.indexOf("\n", list) + 1;
  expect(verify(peer.bytes.subarray(head, head + LARGE), 1, 0)).toBeNull();
  expect(verify(peer.bytes.subarray(-1000), 2, 0)).toBeNull();
  for (const state of ["request", "room", "linger", "store"]) expect([...states]).toContain(state);
});
