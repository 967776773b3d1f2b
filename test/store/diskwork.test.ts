/** What a disk's store does beside opening: digests, what a sweep ends, and what its close does. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { openDisk } from "../../src/store/disk.ts";
import type { DigestRange } from "../../src/store/store.ts";
import { tick } from "../../src/sys/clock.ts";
import { coldNames, eventually } from "../rig/faults.ts";
import { LookThreads } from "../rig/lookthreads.ts";
import { content } from "../rig/oracle.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";
import { closing, file, list, pass } from "./asking.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };
const LIMITS = { files: 8, zeroCopy: true };

const sha256 = (bytes: Uint8Array): string =>
  `${createHash("sha256").update(bytes).digest("hex")}\n`;

test("digests come at once of what is small, later of what is large, and are known from then on", async () => {
  const [small, large] = [content(1, 0, 5000), content(2, 0, 300_000)];
  using tree = new Tree({ small, large });
  // What has just been written may be written again in the same tick, and is not kept.
  fs.utimesSync(tree.path("large"), 1000, 1000);
  using store = closing(openDisk(tree.root, POLICY, LIMITS));
  const range = (length: number): DigestRange => {
    return { start: 0n, length, chunk: 100_000, algo: "sha256" };
  };
  const text = (lines: unknown): string => Buffer.from(lines as Uint8Array).toString();
  const held = await file(store.it, "/small");
  expect(text(store.it.digests(held, range(5000), waiterOf()))).toBe(sha256(small));
  const opened = await file(store.it, "/large");
  expect(store.it.knownDigests(opened, range(300_000))).toBeNull();
  const later = Promise.withResolvers<unknown>();
  expect(store.it.digests(opened, range(300_000), waiterOf(later.resolve))).toBeNull();
  expect(store.it.facts.digestJobs).toBe(1);
  const whole = [0, 1, 2].map((nth) => sha256(large.subarray(nth * 100_000, (nth + 1) * 100_000)));
  expect(text(await later.promise)).toBe(whole.join(""));
  expect(text(store.it.knownDigests(opened, range(300_000)))).toBe(whole.join(""));
});

test("a sweep ends digests that nobody waits for, and a thread that has been idle", async () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree({ large: content(2, 0, 300_000) });
  const store = openDisk(tree.root, POLICY, LIMITS);
  const opened = await file(store, "/large");
  const range = { start: 0n, length: 300_000, chunk: 300_000, algo: "sha256" } as const;
  const waiter = { ...waiterOf(), gone: false };
  store.digests(opened, range, waiter);
  store.sweep();
  expect(store.facts.digestJobs).toBe(1);
  waiter.gone = true;
  store.sweep();
  expect(store.facts.digestJobs).toBe(0);
  {
    using _cold = coldNames();
    store.stat("/large", waiterOf());
  }
  tick();
  threads.answer(-2);
  expect([threads.started, threads.ended]).toEqual([1, 0]);
  pass(61_000);
  store.sweep();
  expect(threads.ended).toBe(1);
  waiter.gone = false;
  store.digests(opened, range, waiter);
  expect(store.facts.digestJobs).toBe(1);
  store.close();
  expect(store.facts.digestJobs).toBe(0);
});

test("half of the descriptors are for files that the cache alone holds", async () => {
  const names = Array.from({ length: 8 }, (_, nth) => `f${nth}`);
  using tree = new Tree(Object.fromEntries(names.map((name) => [name, content(1, 0, 100_000)])));
  using store = closing(openDisk(tree.root, POLICY, LIMITS));
  for (const name of names) await file(store.it, `/${name}`);
  expect([store.it.openFds, store.it.facts.keptFiles]).toEqual([4, 4]);
});

test("a page that waits for its turn counts, and after the close nobody is told", async () => {
  using tree = new Tree({ "d/f": "x" });
  const store = openDisk(tree.root, POLICY, LIMITS);
  expect(await list(store, "/d", 9)).toBe("1 f");
  let heard = 0;
  for (const path of ["/", "/d"])
    store.list(
      path,
      9,
      "",
      waiterOf(() => (heard += 1)),
    );
  expect(store.facts.pages).toBe(2);
  store.close();
  expect(store.facts.pages).toBe(0);
  await eventually("the close", () => !fs.readdirSync("/proc/self/fd").some((fd) => leadsTo(fd)));
  expect(heard).toBe(0);

  function leadsTo(fd: string): boolean {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(tree.root);
    } catch {
      return false;
    }
  }
});
