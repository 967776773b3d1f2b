/** Small files that have to be read first: who waits for that holds nothing, nor leaves it. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { openDisk } from "../../src/store/disk.ts";
import { ColdFile, needsPrefetch, Prefetcher, type Wanted } from "../../src/store/prefetch.ts";
import { clock, tick } from "../../src/sys/clock.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { replaceCall, warmNames } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { openIn } from "../rig/open-files.ts";
import { Simulation } from "../rig/simulation.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";
import { closing } from "./asking.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };

test("reads that end behind the store's close, well or not, close their files", () => {
  using simulation = new Simulation({ a: content(1, 0, 40_000), b: content(2, 0, 40_000) });
  using _disk = replaceCall("resident", () => (_fd, _at, count) => (count === undefined ? 1 : 0));
  for (const name of ["a", "b"]) simulation.connect().send(`READ /${name}\n`);
  const { loop, tree, running } = simulation;
  expect([loop.reads, openIn(tree.root)]).toEqual([2, 3]);
  running.store.close();
  loop.read();
  loop.read(undefined, "EIO");
  expect(openIn(tree.root)).toBe(0);
});

test("who waits for a place holds no descriptor, and is looked up again when its turn comes", () => {
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, nth) => [`f${nth}`, content(nth, 0, 20_000)]),
  );
  using loop = new SimulatedLoop();
  using _warm = warmNames();
  using tree = new Tree(files);
  let resident = 0;
  using _disk = replaceCall("resident", () => () => resident);
  using store = closing(openDisk(tree.root, POLICY, { files: 400, zeroCopy: true }));
  const heard: string[] = [];
  const waiters = Object.keys(files).map((name) => {
    const told = (answer: unknown): void =>
      void heard.push(answer instanceof Refusal ? answer.code : name);
    const waiter = { ...waiterOf(told), gone: false };
    expect(store.it.open(`/${name}`, waiter)).toBeNull();
    return waiter;
  });
  // The root's, and one for each read.
  expect([loop.reads, openIn(tree.root)]).toEqual([4, 5]);
  fs.rmSync(tree.path("f4"));
  waiters[5]!.gone = true;
  resident = 1;
  loop.read();
  loop.read();
  expect(heard).toEqual(["f0", "f1"]);
  loop.turn();
  // Some of those who wait are answered in one round, and others in the next.
  expect([heard.slice(2, 5), heard.length < 100]).toEqual([["ENOENT", "f6", "f7"], true]);
  loop.settle();
  expect([heard.length, new Set(heard).size, loop.reads]).toEqual([199, 199, 0]);
});

test("a disk that hangs gathers nobody who has left, and does not look through those who stay", () => {
  using _loop = new SimulatedLoop();
  const prefetcher = new Prefetcher();
  let asked = 0;
  const wanted = (gone: boolean): Wanted => {
    const waiter = {
      ...waiterOf(),
      get gone() {
        asked += 1;
        return gone;
      },
    };
    return { path: "/f", waiter, open: () => null };
  };
  const add = (gone: boolean): void => prefetcher.add(wanted(gone), new ColdFile(-1, 1, () => -5));
  for (let nth = 0; nth < 4; nth++) add(false);
  expect(prefetcher.waiting).toBe(0);
  for (let nth = 0; nth < 10_000; nth++) add(true);
  expect([prefetcher.waiting > 0, prefetcher.waiting < 600]).toEqual([true, true]);
  asked = 0;
  for (let nth = 0; nth < 4000; nth++) add(false);
  expect([prefetcher.waiting >= 4000, asked < 4 * 4000]).toEqual([true, true]);
  prefetcher.close();
  expect(prefetcher.waiting).toBe(0);
});

test("small files up to 64 KiB are read first where they are not in memory, empty ones never", () => {
  using _disk = replaceCall("resident", () => () => 0);
  expect([0n, 1n, 65_536n, 65_537n].map((size) => needsPrefetch(3, size))).toEqual([
    ...[false, true, true, false],
  ]);
  using _memory = replaceCall("resident", () => () => 1);
  expect(needsPrefetch(3, 1n)).toBe(false);
});

test("what was read is answered at the time at which it has come", () => {
  using loop = new SimulatedLoop();
  using _warm = warmNames();
  using tree = new Tree({ f: content(1, 0, 20_000) });
  using _disk = replaceCall("resident", () => () => 0);
  using store = closing(openDisk(tree.root, POLICY, { files: 8, zeroCopy: true }));
  tick();
  const times: number[] = [];
  store.it.open(
    "/f",
    waiterOf(() => times.push(clock.now)),
  );
  loop.now += 500;
  loop.settle();
  expect(times).toEqual([loop.now]);
});
