/** Errors of our own: fault 40. One client learns of it by RST, the others notice nothing. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import type { Kernel } from "../../src/sys/kernel.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

/** Some steps of a transfer; made once. */
const LARGE = 5_000_000;
const large = content(1, 0, LARGE);

/** Where the server's words about these errors go: they are meant to happen. */
const nowhere = fs.openSync("/dev/null", "w");

/** Replaces a row by one that throws from its call number `from` on, `times` times. */
function throwing<K extends "openat2" | "openat" | "statx" | "sendfile" | "pread" | "getdents">(
  row: K,
  from = 0,
  times = 1,
): Disposable {
  let calls = 0;
  return replaceCall(row, (real) => {
    const call = real as (...args: unknown[]) => number;
    const instead = (...args: unknown[]): number => {
      calls += 1;
      if (calls > from && calls <= from + times) throw new Error(`a mistake in ${row}`);
      return call(...args);
    };
    return instead as Kernel[K];
  });
}

/** Where an error is thrown, and the request that meets it. */
const PLACES: [row: Parameters<typeof throwing>[0], from: number, request: string][] = [
  ["openat2", 0, "READ /small\n"],
  ["openat2", 0, "STAT /small\n"],
  ["openat2", 0, "LIST /\n"],
  ["openat2", 0, "/small\n"],
  ["statx", 0, "READ /small\n"],
  ["statx", 1, "READ /small\n"],
  ["openat", 0, "READ /small\n"],
  ["pread", 0, "READ /small\n"],
  ["sendfile", 0, "READ /large\n"],
  ["sendfile", 0, "/large\n"],
  ["sendfile", 3, "READ /large\n"],
  ["openat", 0, "LIST /\n"],
  ["getdents", 0, "LIST /\n"],
  ["getdents", 1, "LIST /\n"],
  ["statx", 2, "LIST /\n"],
];

test.each(PLACES)(
  "40: a throw in %s (after %d calls) by %j is RST, and the server lives",
  async (row, from, request) => {
    using tree = new Tree({ small: "content", large });
    await using running = new Running(tree.root, { logFd: nowhere });
    const { server, store } = running;
    using other = await running.dial();
    other.send("PING\n");
    await other.line();
    {
      using _faulty = throwing(row, from);
      // Replies that were ready in the same event must not reach anybody else.
      using peer = await running.dial();
      peer.send(`${request.startsWith("/") ? "" : "PING\nPING\n"}${request}PING\n`);
      const { bytes, ending } = await peer.all();
      expect(ending).toBe("reset");
      expect(bytes.length).toBeLessThan(LARGE);
    }
    expect(server.counters.crashes).toBe(1);
    await eventually("its end", () => server.counters.connections === 1);
    other.send("READ /small\n");
    expect((await other.reply()).body.toString()).toBe("content");
    const whole = await running.ask("/large\n");
    expect([whole.ending, verify(whole.bytes, 1, 0)]).toEqual(["fin", null]);
    await eventually("files let go of", () => store.openFds === store.cache.fds);
    expect(server.counters.crashes).toBe(1);
  },
);

test("40: an error in one of many pipelines mixes no replies", async () => {
  using tree = new Tree({ a: "a".repeat(1000), b: "b".repeat(1000), c: "c".repeat(1000) });
  await using running = new Running(tree.root, { logFd: nowhere });
  const peers = await Promise.all(["a", "b", "c", "no"].map(() => running.dial()));
  // The first look-up of each name goes to the kernel: the third throws.
  using _faulty = throwing("openat2", 2);
  for (const [index, peer] of peers.entries()) {
    const name = "abc".charAt(index % 3);
    peer.send(`READ /${name}\n`.repeat(20));
    peer.finish();
    const { bytes, ending } = await peer.all();
    const text = bytes.toString();
    expect([index, ending]).toEqual([index, index === 2 ? "reset" : "fin"]);
    if (index === 2) continue;
    expect(text.replaceAll(/OK 1000 [^\n]+\n/g, "")).toBe(name.repeat(20_000));
  }
  for (const peer of peers) peer[Symbol.dispose]();
  expect(running.server.counters.crashes).toBe(1);
});
