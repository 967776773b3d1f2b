/**
 * Deadlines with the default limits, in time that the test lets pass: faults 57, 58 and 77, idle
 * and lingering connections. A deadline may be met two sweeps late, never early.
 */
import { expect, test } from "bun:test";
import { LIMITS_DEFAULT, LINGER_MS } from "../../src/guard/limits.ts";
import { SWEEP_MS } from "../../src/server/sweep.ts";
import { replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { BRANCHES } from "../rig/running.ts";
import { Simulation, type SimulatedPeer } from "../rig/simulation.ts";

const { requestMs, idleMs, stallMs, stallBytes, storeMs } = LIMITS_DEFAULT;

const LARGE = 2_000_000;
const large = content(1, 0, LARGE);

/** Milliseconds until `met` holds, looked at every 100 ms. */
function until(simulation: Simulation, met: () => boolean, meanwhile = (): void => {}): number {
  const began = simulation.loop.now;
  while (!met()) {
    if (simulation.loop.now - began > 3_600_000) return Infinity;
    meanwhile();
    simulation.pass(100);
  }
  return simulation.loop.now - began;
}

function expectWithin(ms: number, least: number): void {
  expect(ms).toBeGreaterThanOrEqual(least);
  // The first sweep sees where it stands, the last one that it still stands there.
  expect(ms).toBeLessThanOrEqual(least + 2 * SWEEP_MS + 100);
}

const ended = (peer: SimulatedPeer) => (): boolean => peer.socket.ending !== null;

test("57: who sends nothing is told so and cut after the time for a request", () => {
  using simulation = new Simulation({ f: "x" });
  const peer = simulation.connect();
  expectWithin(until(simulation, ended(peer)), requestMs);
  expect([peer.socket.ending, peer.text]).toEqual([
    "fin",
    `ERROR ETIMEDOUT: timed out: no complete request within ${requestMs / 1000} s\n`,
  ]);
});

test("57: a byte now and then stretches no deadline, on a first request or a later one", () => {
  using simulation = new Simulation({ f: "x" });
  for (const first of ["", "READ /f\n", "PING\nREAD /f\nREAD /f\n"]) {
    const peer = simulation.connect();
    peer.send(`${first}READ /`);
    const before = peer.text.length;
    const ms = until(simulation, ended(peer), () => peer.send("n"));
    expectWithin(ms, requestMs);
    expect([first, peer.text.slice(before, before + 14)]).toEqual([first, "ERR ETIMEDOUT "]);
    expect(peer.socket.ending).toBe("fin");
  }
});

test("57: a line that comes whole in time is answered, however slowly it came", () => {
  using simulation = new Simulation({ f: "content" });
  const peer = simulation.connect();
  for (let round = 0; round < 5; round++) {
    // The verb in one piece: 200 ms of quiet would end a bare path.
    for (const piece of ["READ ", "/", "f", "\n"]) {
      simulation.pass(2400);
      peer.send(piece);
    }
    expect(peer.text.match(/content/g)?.length).toBe(round + 1);
  }
  expect(peer.socket.ending).toBeNull();
});

test("idle between requests is ended by FIN after the idle time, and by nothing before", () => {
  using simulation = new Simulation({ f: "x" });
  const peer = simulation.connect();
  const restless = simulation.connect();
  peer.send("PING\n");
  restless.send("PING\n");
  const before = peer.text.length;
  const ping = (): void => {
    if (Math.floor(simulation.loop.now / 100) % 2000 === 0) restless.send("PING\n");
  };
  expectWithin(until(simulation, ended(peer), ping), idleMs);
  expect([peer.socket.ending, peer.text.length]).toEqual(["fin", before]);
  for (let i = 0; i < 20; i++) {
    restless.send("PING\n");
    simulation.pass(idleMs - 1000);
  }
  expect([restless.socket.ending, restless.connection.state.awaits]).toEqual([null, "request"]);
});

test.each(BRANCHES)("58: who takes nothing is reset after the stall time (%s)", (_, zeroCopy) => {
  using simulation = new Simulation({ large }, { zeroCopy });
  for (const request of ["READ /large\n", "large\n", "PING\n".repeat(10_000)]) {
    const peer = simulation.connect({ room: 50_000 });
    peer.send(request);
    simulation.loop.settle();
    // Drains without cause are no progress.
    const ms = until(simulation, ended(peer), () => peer.drainWithoutCause());
    expectWithin(ms, stallMs);
    expect([peer.socket.ending, peer.connection.state.awaits]).toEqual(["reset", "closed"]);
  }
  const { store, server } = simulation.running;
  expect([server.counters.timeouts, server.counters.crashes]).toEqual([3, 0]);
  expect(store.openFds).toBe(store.cache.fds);
});

test.each(BRANCHES)("58: who takes little but steadily is never cut (%s)", (_, zeroCopy) => {
  using simulation = new Simulation({ large }, { zeroCopy });
  const peer = simulation.connect({ room: 65_536 });
  peer.send("READ /large\n");
  // The least that counts as alive, as late as it counts: 12 hours of it, then all the rest.
  for (let ms = 0; ms < 43_200_000; ms += stallMs - SWEEP_MS) {
    simulation.pass(stallMs - SWEEP_MS);
    peer.take(stallBytes);
    peer.drain();
    simulation.loop.settle();
  }
  expect(peer.socket.ending).toBeNull();
  simulation.flow(peer);
  const head = peer.text.indexOf("\n") + 1;
  expect([peer.bytes.length - head, verify(peer.bytes.subarray(head), 1, 0)]).toEqual([
    LARGE,
    null,
  ]);
});

test("58: less than the least is not alive", () => {
  using simulation = new Simulation({ large });
  const peer = simulation.connect({ room: 65_536 });
  peer.send("READ /large\n");
  simulation.loop.settle();
  let taken = 0;
  const trickle = (): void => {
    if (taken++ < stallBytes - 1) peer.take(1);
    peer.drain();
    simulation.loop.settle();
  };
  expectWithin(until(simulation, ended(peer), trickle), stallMs);
  expect(peer.socket.ending).toBe("reset");
});

test("who has everything and does not close is closed without RST after a while", () => {
  using simulation = new Simulation({ f: "content" });
  const peer = simulation.connect();
  peer.send("f\n");
  peer.take();
  expect([peer.text, peer.socket.ending]).toEqual(["content", "fin"]);
  expectWithin(
    until(simulation, () => peer.socket.closed),
    LINGER_MS,
  );
  expect([peer.socket.ending, simulation.running.server.counters.resets]).toEqual(["fin", 0]);
});

test("58: who still takes the end of an answer has the time of a transfer, not of a close", () => {
  using simulation = new Simulation({ f: content(1, 0, 60_000) });
  const steady = simulation.connect();
  const stalled = simulation.connect();
  for (const peer of [steady, stalled]) peer.send("f\n");
  // All was written at once; the peers' kernels have it.
  expect([steady.socket.ending, steady.socket.queued]).toEqual(["fin", 60_000]);
  let cut = Infinity;
  for (let ms = 0; steady.socket.queued > 0; ms += 60_000) {
    simulation.pass(60_000);
    steady.take(stallBytes);
    if (stalled.socket.closed) cut = Math.min(cut, ms);
  }
  expect(steady.socket.closed).toBe(false);
  expect(cut).toBeLessThanOrEqual(stallMs + 60_000);
  expect([stalled.socket.ending, verify(steady.bytes, 1, 0)]).toEqual(["reset", null]);
  simulation.pass(LINGER_MS + 2 * SWEEP_MS);
  expect([steady.socket.closed, steady.socket.ending]).toEqual([true, "fin"]);
});

test.each(BRANCHES)("a disk that hangs keeps no transfer for ever (%s)", (_, zeroCopy) => {
  using simulation = new Simulation({ large, f: "content" }, { zeroCopy });
  using _cold = replaceCall("resident", () => (_fd, _at, count) => (count === undefined ? 0 : 1));
  const [waits, other] = [simulation.connect(), simulation.connect()];
  waits.send("READ /large\n");
  for (let ms = 0; ms <= storeMs; ms += 60_000) {
    expect([waits.connection.state.awaits, waits.socket.ending]).toEqual(["window", null]);
    other.send("READ /f\n");
    simulation.loop.pass(60_000);
  }
  simulation.loop.pass(2 * SWEEP_MS);
  expect([waits.socket.ending, other.socket.ending]).toEqual(["reset", null]);
  // Its reads end at last, and the next one is served.
  simulation.loop.settle();
  const next = simulation.connect();
  next.send("READ /large\n");
  simulation.flow(next);
  expect(verify(next.bytes.subarray(next.text.indexOf("\n") + 1), 1, 0)).toBeNull();
});

test.each(BRANCHES)(
  "who could take nothing while the disk hung has all of its time when it goes on (%s)",
  (_, zeroCopy) => {
    using simulation = new Simulation({ large }, { zeroCopy });
    let cold = false;
    using _cold = replaceCall("resident", () => () => (cold ? 0 : 1));
    const peer = simulation.connect({ room: 300_000 });
    peer.send("READ /large\n");
    if (!zeroCopy) simulation.loop.settle();
    cold = true;
    const awaits = (): string => peer.connection.state.awaits;
    while (awaits() !== "window") {
      peer.take();
      // It is seen when it has taken everything.
      simulation.loop.pass(SWEEP_MS);
      peer.drain();
      simulation.loop.turn();
    }
    simulation.loop.pass(2 * stallMs);
    expect([awaits(), peer.socket.ending]).toEqual(["window", null]);
    simulation.loop.settle();
    // What it is sent now has not arrived when it is looked at.
    expect(awaits()).toBe("room");
    simulation.loop.pass(2 * SWEEP_MS);
    expect(peer.socket.ending).toBeNull();
    simulation.flow(peer);
    expect(verify(peer.bytes.subarray(peer.text.indexOf("\n") + 1), 1, 0)).toBeNull();
  },
);

test("77: after a minute in which the process stood still, idle peers and transfers go on", () => {
  using simulation = new Simulation({ large });
  const idle = simulation.connect();
  const reading = simulation.connect({ room: 65_536 });
  idle.send("PING\n");
  reading.send("READ /large\n");
  simulation.pass(5000);
  // SIGSTOP: the clock goes on, no timer comes; then one of them does.
  simulation.loop.now += 60_000;
  simulation.pass(1);
  idle.send("PING\n");
  simulation.flow(reading);
  const head = reading.text.indexOf("\n") + 1;
  expect(verify(reading.bytes.subarray(head), 1, 0)).toBeNull();
  expect(reading.bytes.length - head).toBe(LARGE);
  expect([idle.socket.ending, idle.text.match(/OK 0/g)?.length]).toEqual([null, 2]);
});
