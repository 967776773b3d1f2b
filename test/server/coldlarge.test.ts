/**
 * Files that are not in memory: no byte goes by sendfile before its pages were brought there off
 * the loop, others are served meanwhile, and nothing is lost whatever becomes of the reading.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { STEP_BYTES } from "../../src/send/transfer.ts";
import { READS_MAX } from "../../src/store/diskread.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { Random } from "../fuzz/random.ts";
import { replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Simulation, type SimulatedPeer } from "../rig/simulation.ts";

const LARGE = 9_000_000;
const large = content(1, 0, LARGE);
const PAGE = 4096;

/** A page cache that begins empty: what was read is in it, and sendfile may not touch the rest. */
class PageCache implements Disposable {
  /** Bytes that sendfile was asked for and that were not here: it would have waited for them. */
  waited = 0;
  looks = 0;
  readonly #pages = new Set<number>();
  readonly #rows: Disposable[];
  readonly #read = fs.read;

  constructor() {
    this.#rows = [
      replaceCall("resident", () => (_fd, offset, count) => {
        // A small file, which is looked at as a whole, is there.
        if (count !== undefined) return 1;
        this.looks += 1;
        return Number(offset) >= LARGE || this.#pages.has(Math.floor(Number(offset) / PAGE))
          ? 1
          : 0;
      }),
      replaceCall("sendfile", (real) => (socket, file, offset, count) => {
        const moved = real(socket, file, offset, count);
        for (const page of pagesOf(Number(offset), moved))
          this.waited += Number(!this.#pages.has(page));
        return moved;
      }),
    ];
    const read = this.#read as unknown as (...args: unknown[]) => void;
    const noted = (...args: [number, Uint8Array, number, number, bigint, ReadDone]): void => {
      const [fd, into, from, count, at, done] = args;
      read(fd, into, from, count, at, (error: Error | null, got: number) => {
        if (error === null) for (const page of pagesOf(Number(at), got)) this.#pages.add(page);
        done(error, got);
      });
    };
    Object.assign(fs, { read: noted });
  }

  /** Throws pages out, as the kernel may at any time: about one in `odds`. */
  forget(random: Random, odds: number): void {
    for (const page of this.#pages) if (random.below(odds) === 0) this.#pages.delete(page);
  }

  [Symbol.dispose](): void {
    Object.assign(fs, { read: this.#read });
    for (const row of this.#rows) row[Symbol.dispose]();
  }
}

type ReadDone = (error: Error | null, count: number) => void;

function pagesOf(offset: number, count: number): number[] {
  if (count <= 0) return [];
  const first = Math.floor(offset / PAGE);
  const last = Math.floor((offset + count - 1) / PAGE);
  return Array.from({ length: last - first + 1 }, (_, nth) => first + nth);
}

/** All pages are thrown out. */
const ALL = 1;

/** The body behind the first reply's head. */
function bodyOf(peer: SimulatedPeer): Buffer {
  return peer.bytes.subarray(peer.text.indexOf("\n") + 1);
}

test.each([
  ["whole", 0, LARGE],
  ["less than a step", 70_001, 100_000],
  ["a step", STEP_BYTES, STEP_BYTES],
  ["a step and a byte", 5, STEP_BYTES + 1],
  ["the last byte", LARGE - 1, 1],
])("a cold range goes whole, and never waits for the disk on the loop: %s", (_, offset, length) => {
  using simulation = new Simulation({ large });
  using cache = new PageCache();
  const peer = simulation.connect();
  peer.send(`READ offset=${offset} length=${length} /large\nPING\n`);
  expect([peer.connection.state.awaits, simulation.loop.reads]).toEqual(["window", 1]);
  simulation.flow(peer);
  const body = bodyOf(peer);
  expect(verify(body.subarray(0, length), 1, 0, offset)).toBeNull();
  expect(body.subarray(length).toString("latin1")).toStartWith("OK 0 server=");
  expect([cache.waited, peer.connection.state.awaits]).toEqual([0, "request"]);
  // Now it is in memory: nothing is read, and looked at no more than twice a step.
  const before = cache.looks;
  const again = simulation.connect();
  again.send(`READ offset=${offset} length=${length} /large\n`);
  expect(simulation.loop.reads).toBe(0);
  simulation.flow(again);
  expect(bodyOf(again).equals(body.subarray(0, length))).toBe(true);
  expect(cache.looks - before).toBeLessThanOrEqual(2 + Math.ceil(length / STEP_BYTES));
});

test("sockets that take a part, reads that bring a part, pages that go again: every byte, once", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new Random(seed);
    using simulation = new Simulation({ large });
    using cache = new PageCache();
    const peer = simulation.connect({ room: 1 + random.below(LARGE) });
    peer.send("READ /large\nPING\n");
    for (let round = 0; round < 10_000 && peer.connection.state.awaits !== "request"; round++) {
      if (simulation.loop.reads > 0 && random.below(2) === 0) simulation.loop.read(random);
      if (simulation.loop.immediates > 0) simulation.loop.turn();
      if (peer.connection.state.awaits === "room") {
        peer.take(random.below(3_000_000));
        peer.drain();
      }
      if (random.below(20) === 0) cache.forget(random, 10);
    }
    const body = bodyOf(peer);
    expect([seed, peer.connection.state.awaits, verify(body.subarray(0, LARGE), 1, 0)]).toEqual([
      seed,
      "request",
      null,
    ]);
    expect(body.subarray(LARGE).toString("latin1")).toStartWith("OK 0 server=");
  }
});

test("others are answered at once while the disk is waited for, and so many wait for it at once", () => {
  using simulation = new Simulation({ large, small: "small" });
  using _cache = new PageCache();
  const waiting = Array.from({ length: 20 }, (_, nth) => {
    const peer = simulation.connect();
    peer.send(`READ offset=${nth * 100_000} length=80000 /large\n`);
    return peer;
  });
  expect(simulation.loop.reads).toBe(READS_MAX.readahead);
  expect(waiting.map(({ connection }) => connection.state.awaits)).toEqual(
    waiting.map(() => "window"),
  );
  const other = simulation.connect();
  other.send("READ /small\n");
  expect(other.text).toEndWith("small");
  for (const [nth, peer] of waiting.entries()) {
    simulation.flow(peer);
    expect(verify(bodyOf(peer), 1, 0, nth * 100_000)).toBeNull();
    expect(bodyOf(peer).length).toBe(80_000);
  }
});

test("a peer that stops for a while: what was seen in memory then is looked at again", () => {
  using simulation = new Simulation({ large });
  using cache = new PageCache();
  const peer = simulation.connect({ room: 500_000 });
  peer.send("READ /large\nPING\n");
  simulation.loop.settle();
  for (let rounds = 0; peer.connection.state.awaits === "room"; rounds++) {
    expect(rounds).toBeLessThan(100);
    cache.forget(new Random(1), ALL);
    simulation.loop.pass(1100);
    peer.take();
    peer.drain();
    simulation.loop.settle();
  }
  expect([verify(bodyOf(peer).subarray(0, LARGE), 1, 0), cache.waited]).toEqual([null, 0]);
});

test("memory so short that pages are gone before they are sent: slow, but every byte", () => {
  using simulation = new Simulation({ large });
  const gone = replaceCall("resident", () => () => 0);
  const peer = simulation.connect();
  peer.send("READ /large\n");
  for (let rounds = 0; peer.connection.state.awaits !== "request"; rounds++) {
    expect(rounds).toBeLessThan(100);
    // Each read takes longer than what was seen is believed.
    simulation.loop.pass(5000);
    if (simulation.loop.reads > 0) simulation.loop.read();
    if (simulation.loop.immediates > 0) simulation.loop.turn();
    peer.take();
    peer.drain();
  }
  gone[Symbol.dispose]();
  expect(verify(bodyOf(peer), 1, 0)).toBeNull();
});

test("who leaves before the disk was asked holds no descriptor, however long the disk takes", () => {
  using simulation = new Simulation({ large, ...others(READS_MAX.readahead) });
  using _cache = new PageCache();
  const { store } = simulation.running;
  for (let nth = 0; nth < READS_MAX.readahead; nth++)
    simulation.connect().send(`READ /other${nth}\n`);
  const waiting = Array.from({ length: 50 }, () => simulation.connect());
  for (const peer of waiting) peer.send("READ /large\n");
  expect([simulation.loop.reads, store.openFds]).toEqual([
    READS_MAX.readahead,
    READS_MAX.readahead + 1,
  ]);
  for (const peer of waiting) peer.socket.close();
  store.cache.clear();
  expect([simulation.loop.reads, store.openFds]).toEqual([
    READS_MAX.readahead,
    READS_MAX.readahead,
  ]);
});

function others(count: number): Record<string, Uint8Array> {
  const all = Array.from({ length: count }, (_, nth) => [`other${nth}`, content(3, nth, 100_000)]);
  return Object.fromEntries(all) as Record<string, Uint8Array>;
}

test("who leaves while the disk is asked leaves nothing behind", () => {
  using simulation = new Simulation({ large });
  using _cache = new PageCache();
  const { store, server } = simulation.running;
  const peers = Array.from({ length: 10 }, () => simulation.connect());
  for (const peer of peers) peer.send("READ /large\n");
  for (const peer of peers) peer.socket.close();
  // What is under way ends; nothing more is read for nobody.
  let reads = 0;
  for (; simulation.loop.reads > 0; reads++) simulation.loop.read();
  expect(reads).toBe(READS_MAX.readahead);
  simulation.loop.settle();
  expect([server.counters.connections, server.counters.crashes]).toEqual([0, 0]);
  store.cache.clear();
  expect(store.openFds).toBe(0);
});

test.each([
  ["that fails, where sending works after all", 0, "OK"],
  ["that fails, and so does sending", -ERRNO.EIO, "reset"],
])("a disk %s: the bytes or a reset, never a wait without end", (_, sends, outcome) => {
  using simulation = new Simulation({ large });
  using _resident = replaceCall("resident", () => () => 0);
  using _sendfile = replaceCall(
    "sendfile",
    (real) =>
      (...args) =>
        sends < 0 ? sends : real(...args),
  );
  const peer = simulation.connect();
  peer.send("READ /large\n");
  while (simulation.loop.reads + simulation.loop.immediates > 0) {
    if (simulation.loop.reads > 0) simulation.loop.read(undefined, "EIO");
    if (simulation.loop.immediates > 0) simulation.loop.turn();
    if (peer.connection.state.awaits === "room") peer.drain();
  }
  if (outcome === "reset") expect(peer.socket.ending).toBe("reset");
  else expect([bodyOf(peer).length, verify(bodyOf(peer), 1, 0)]).toEqual([LARGE, null]);
});

test("a file that goes in one step is looked at once in 10 ms, however often it is asked for", () => {
  using simulation = new Simulation({ f: content(2, 0, 100_000) });
  let looks = 0;
  using _row = replaceCall("resident", () => () => {
    looks += 1;
    return 1;
  });
  const ask = (times: number): void => {
    const peer = simulation.connect();
    peer.send("READ /f\n".repeat(times));
    simulation.flow(peer);
    expect(peer.bytes.length).toBeGreaterThan(100_000 * times);
  };
  ask(50);
  expect(looks).toBe(2);
  simulation.loop.pass(9);
  ask(10);
  expect(looks).toBe(2);
  simulation.loop.pass(2);
  ask(10);
  expect(looks).toBe(4);
});
