/**
 * What Bun's sockets really do, where the server relies on it: each is looked at on this Bun, so
 * that an upgrade that changes one is noticed here and not by a user.
 */
import { expect, test } from "bun:test";
import type { Socket } from "bun";
import fs from "node:fs";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { SOCKET } from "../../src/sys/types.ts";
import { readable } from "../receive/pair.ts";
import { connected, type Events } from "../rig/connected.ts";
import { eventually } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";

/** More than two kernels buffer on loopback. */
const BIG = 20_000_000;
const big = content(1, 0, BIG);

/** SO_SNDBUF (socket(7)): small, so that it is full soon. */
const SEND_BUFFER = 7;

/** One connection and what Bun tells of it. */
async function pair(handlers: Pick<Events, "data"> = {}) {
  const events: string[] = [];
  const both = await connected({
    data: (_, chunk) => void events.push(`data ${chunk.length}`),
    drain: () => void events.push("drain"),
    end: () => void events.push("end"),
    close: () => void events.push("close"),
    error: (_, error) => void events.push(`error ${error.message}`),
    ...handlers,
  });
  kernel.setsockopt(both.socket.fd, SOCKET.level, SEND_BUFFER, 262_144);
  return { ...both, events };
}

/** Fills `socket` from `fd` until sendfile says EAGAIN; bytes moved. */
function fill(socket: Socket, fd: number): number {
  let sent = 0;
  for (;;) {
    const moved = kernel.sendfile(socket.fd, fd, BigInt(sent), 1 << 20);
    if (moved === -ERRNO.EAGAIN) return sent;
    if (moved <= 0) throw new Error(`sendfile says ${moved} after ${sent}`);
    sent += moved;
  }
}

test("sendfile's EAGAIN alone makes no drain come", async () => {
  using tree = new Tree({ big });
  const fd = fs.openSync(tree.path("big"), "r");
  using both = await pair();
  const { socket, peer, events } = both;
  peer.socket.pause();
  const sent = fill(socket, fd);
  peer.socket.resume();
  await peer.until(() => peer.length === sent);
  // A drain would come with these, or before.
  for (const count of [1, 2]) {
    peer.send("x");
    await eventually("the byte", () => events.length >= count);
  }
  expect(events).toEqual(["data 1", "data 1"]);
  fs.closeSync(fd);
});

test("write() and sendfile on one descriptor keep their order, and take what they say", async () => {
  using tree = new Tree({ big });
  const fd = fs.openSync(tree.path("big"), "r");
  using both = await pair();
  const { socket, peer } = both;
  expect(socket.write(Buffer.from("xheady"), 1, 4)).toBe(4);
  expect(kernel.sendfile(socket.fd, fd, 16n, 1000)).toBe(1000);
  expect(kernel.sendMore(socket.fd, Buffer.from("more"), 4)).toBe(4);
  expect(socket.write(Buffer.from("tail"), 0, 4)).toBe(4);
  socket.shutdown();
  const { bytes, ending } = await peer.all();
  expect([bytes.length, ending]).toEqual([1012, "fin"]);
  expect(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 1004)).toBe("headmoretail");
  expect(verify(bytes.subarray(4, 1004), 1, 0, 16)).toBeNull();
  fs.closeSync(fd);
});

test("shutdown() delivers everything although input lies unread, close(2) does not", async () => {
  for (const way of ["shutdown", "end"] as const) {
    using both = await pair();
    const { socket, peer } = both;
    socket.pause();
    peer.send("unread input");
    await eventually("the input", () => readable(socket.fd));
    const taken = socket.write(big, 0, BIG);
    socket[way]();
    socket.resume();
    const { bytes, ending } = await peer.all();
    if (way === "shutdown") expect([bytes.length, ending]).toEqual([taken, "fin"]);
    else expect(ending).toBe("reset");
  }
});

test("terminate() is RST, tells close before it returns, and the descriptor is gone", async () => {
  using both = await pair();
  const { socket, peer, events } = both;
  const { fd } = socket;
  expect(fd).toBeGreaterThanOrEqual(3);
  socket.terminate();
  expect([events.join(), socket.fd]).toEqual(["close", -1]);
  expect(socket.write(big, 0, 1)).toBeLessThan(0);
  expect((await peer.all()).ending).toBe("reset");
});

test("pause() stops data and FIN at once, resume() brings all of it", async () => {
  using both = await pair();
  const { socket, peer, events } = both;
  socket.pause();
  peer.send("abc");
  peer.finish();
  await eventually("the input", () => readable(socket.fd));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(events.filter((it) => it !== "drain")).toEqual([]);
  socket.resume();
  await eventually("the FIN", () => events.includes("end"));
  expect(events.filter((it) => it !== "drain")).toEqual(["data 3", "end"]);
});

test("a throw in a handler goes to error() and leaves the connection open", async () => {
  let calls = 0;
  const throwing = (): void => {
    if (calls++ === 0) throw new Error("a mistake");
  };
  using both = await pair({ data: throwing });
  const { socket, peer, events } = both;
  peer.send("x");
  await eventually("the error", () => events.includes("error a mistake"));
  expect([socket.readyState, events.includes("close")]).toEqual([1, false]);
  peer.send("x");
  await eventually("the next data", () => calls === 2);
});

test("chunks are the receiver's own: a later one does not overwrite an earlier one", async () => {
  const chunks: Buffer[] = [];
  using both = await pair({ data: (_, chunk) => void chunks.push(chunk) });
  for (let at = 0; at < 4_000_000; at += 500_000) both.peer.send(big.subarray(at, at + 500_000));
  const came = (): number => chunks.reduce((sum, { length }) => sum + length, 0);
  await eventually("the bytes", () => came() === 4_000_000);
  expect(verify(Buffer.concat(chunks), 1, 0)).toBeNull();
});

test("reads by position from one descriptor at once do not mix", async () => {
  using tree = new Tree({ big });
  const fd = fs.openSync(tree.path("big"), "r");
  const wrong: string[] = [];
  let left = 200;
  for (let i = 0; i < 200; i++) {
    const into = Buffer.alloc(65_536);
    const at = (i * 97_003) % (BIG - into.length);
    fs.read(fd, into, 0, into.length, BigInt(at), (error, count) => {
      left -= 1;
      wrong.push(String(error ?? verify(into.subarray(0, count), 1, 0, at)));
    });
  }
  await eventually("the reads", () => left === 0);
  expect(wrong.filter((it) => it !== "null")).toEqual([]);
  fs.closeSync(fd);
});
