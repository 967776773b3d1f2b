/**
 * Files that are asked for again and again, which go from the disk's file to one in memory while
 * they are: every reply stays right, whole or in part, in every dialect, also while the file is
 * replaced and its place in memory is given to another one.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { kernel } from "../../src/sys/kernel.ts";
import { needing, SMALL_PAGES } from "../rig/needs.ts";
import { codeOf, exchange, factOf } from "../rig/exchange.ts";
import { clockSays, eventually, replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { BRANCHES, Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

/** Around each border: held, in memory, the file itself. */
const SIZES = [4096, 8192, 8193, 16_384, 49_152, 49_153, 65_536, 65_537];

test.each(BRANCHES)(
  "each of a hundred replies is whole, in part and bare what it is (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree(
      Object.fromEntries(SIZES.map((size) => [`f${size}`, content(size, 0, size)])),
    );
    await using running = new Running(tree.root, { zeroCopy });
    for (const size of SIZES) {
      const expected = content(size, 0, size);
      const round = [`READ /f${size}`, `READ offset=4000 length=90 /f${size}`, `HASH /f${size}`];
      const replies = await exchange(running.port, Array(33).fill(round).flat());
      const xxh3 = Bun.hash.xxHash3(expected).toString(16).padStart(16, "0");
      for (const [nth, reply] of replies.entries()) {
        const [whole, part, digest] = [expected, expected.subarray(4000, 4090), `${xxh3}\n`];
        const want = Buffer.from([whole, part, digest][nth % 3]!);
        expect([size, nth, codeOf(reply), reply.body.equals(want)]).toEqual([
          size,
          nth,
          "OK",
          true,
        ]);
        expect(factOf(reply, "size")).toBe(String(size));
      }
      const { bytes } = await running.ask(`f${size}\n`);
      expect([size, bytes.equals(expected)]).toEqual([size, true]);
    }
  },
);

const SIZE = 40_000;

/** A client that asks once and takes nothing before it is told to: all of it waits in sockets. */
async function unreading(port: number): Promise<() => Promise<Buffer>> {
  const chunks: Buffer[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    ...{ hostname: "127.0.0.1", port },
    socket: {
      open(opened) {
        // node:net's pause() is too late: it has read before.
        opened.pause();
        opened.write("READ /f\n");
      },
      data: (_, chunk) => void chunks.push(chunk),
      end: () => resolve(),
      close: () => resolve(),
    },
  });
  return async () => {
    socket.shutdown();
    socket.resume();
    await ended;
    return Buffer.concat(chunks);
  };
}

/** Gives /f 30 other contents, each asked for until it lies in memory. */
async function replaceOften(tree: Tree, running: Running): Promise<void> {
  for (let version = 1; version <= 30; version++) {
    tree.write("next", content(1, version, SIZE));
    fs.renameSync(tree.path("next"), tree.path("f"));
    running.store.cache.clear();
    const replies = await exchange(running.port, Array(10).fill("READ /f"));
    for (const { body } of replies) expect(body.equals(content(1, version, SIZE))).toBe(true);
  }
}

async function settled(tree: Tree): Promise<Running> {
  const running = new Running(tree.root);
  await exchange(running.port, Array(10).fill("READ /f"));
  return running;
}

test("a hot file's digests by the thread are those of its content, not of its head", async () => {
  const expected = content(1, 0, SIZE);
  using tree = new Tree({ f: expected });
  await using running = await settled(tree);
  const lines = ["HASH chunk=100 /f", "HASH offset=1000 length=30000 chunk=100 algo=sha256 /f"];
  const [whole, part] = await exchange(running.port, lines);
  const digests = (bytes: Buffer, hash: (piece: Buffer) => string): string =>
    Array.from({ length: bytes.length / 100 }, (_, nth) =>
      hash(bytes.subarray(nth * 100, nth * 100 + 100)),
    ).join("");
  const xxh3 = (piece: Buffer): string =>
    `${Bun.hash.xxHash3(piece).toString(16).padStart(16, "0")}\n`;
  const sha256 = (piece: Buffer): string => `${Bun.SHA256.hash(piece, "hex")}\n`;
  expect(running.store.digester.portions).toBeGreaterThan(0);
  expect(whole?.body.toString()).toBe(digests(expected, xxh3));
  expect(part?.body.toString()).toBe(digests(expected.subarray(1000, 31_000), sha256));
});

test("a part of a larger file that is not in memory is not digested on the loop", async () => {
  const expected = content(1, 0, 1_000_000);
  using tree = new Tree({ f: expected });
  await using running = new Running(tree.root);
  // What is sent is there, what is digested is not.
  using _disk = replaceCall("resident", () => (_fd, _at, count) => (count === undefined ? 1 : 0));
  const [, part] = await exchange(running.port, ["READ /f", "HASH length=1000 /f"]);
  const xxh3 = Bun.hash.xxHash3(expected.subarray(0, 1000)).toString(16).padStart(16, "0");
  expect([part?.body.toString(), running.store.digester.portions]).toEqual([`${xxh3}\n`, 1]);
});

test("what waits in sockets stays as it was when its memory is another's", async () => {
  using tree = new Tree({ f: content(1, 0, SIZE) });
  await using running = await settled(tree);
  const peers = await Promise.all(Array.from({ length: 20 }, () => unreading(running.port)));
  await eventually("all are answered", () => running.server.counters.requests === 30);
  await replaceOften(tree, running);
  for (const read of peers) {
    const reply = await read();
    const body = reply.subarray(reply.indexOf(10) + 1);
    expect([reply.toString("latin1", 0, 8), verify(body, 1, 0)]).toEqual([`OK ${SIZE}`, null]);
    expect(body.length).toBe(SIZE);
  }
});

test("who is stuck in the middle of a reply gets the rest of it, then the newest", async () => {
  using tree = new Tree({ f: content(1, 0, SIZE) });
  await using running = await settled(tree);
  const peer = await running.dial();
  peer.socket.pause();
  peer.send("READ /f\n".repeat(200));
  const { counters } = running.server;
  let before = -1;
  await eventually("its socket is full", () => {
    const same = counters.requests === before;
    before = counters.requests;
    return same && before > 10;
  });
  await replaceOften(tree, running);
  peer.socket.resume();
  let version = 0;
  for (let nth = 0; nth < 200; nth++) {
    const { line, body } = await peer.reply();
    if (nth > 0 && verify(body, 1, version) !== null) version = 30;
    const facts = [nth, line.slice(0, 8), body.length, verify(body, 1, version)];
    expect(facts).toEqual([nth, `OK ${SIZE}`, SIZE, null]);
  }
  expect(version).toBe(30);
});

const hot = needing(SMALL_PAGES);

hot(
  "a hot file costs two calls a request: recv, and one sendfile for head and content",
  async () => {
    using tree = new Tree({ f: content(1, 0, 16_384) });
    await using running = new Running(tree.root);
    const rows = ["sendfile", "sendMore", "statx", "pread", "resident", "setsockopt"] as const;
    const calls = new Map<string, number>();
    // However slow the machine is: a second later the name would be looked up again.
    const now = performance.now();
    using _stopped = clockSays(() => now);
    await exchange(running.port, Array(10).fill("READ /f"));
    const real = { ...kernel };
    for (const row of rows) {
      const call = real[row] as (...args: unknown[]) => number;
      Object.assign(kernel, {
        [row]: (...args: unknown[]) => {
          calls.set(row, (calls.get(row) ?? 0) + 1);
          return call(...args);
        },
      });
    }
    try {
      for (let nth = 0; nth < 5; nth++) await exchange(running.port, ["READ /f"]);
    } finally {
      Object.assign(kernel, real);
    }
    expect(Object.fromEntries(calls)).toEqual({ sendfile: 5 });
  },
);
