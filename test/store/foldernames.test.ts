/** Names of a folder that are brought into memory by the thread before the page looks at them. */
import { expect, test } from "bun:test";
import { type DiskStore, openDisk } from "../../src/store/disk.ts";
import { lookThreads } from "../../src/store/lookthread.ts";
import { LOOKS_PER_STEP } from "../../src/store/lines.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { RESOLVE } from "../../src/sys/types.ts";
import { replaceCall, warmNames } from "../rig/faults.ts";
import { LookThreads } from "../rig/lookthreads.ts";
import { openIn } from "../rig/open-files.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };
const LIMITS = { files: 64, zeroCopy: true };

/** Asks for a page of /d; how many have come. */
function pagesOf(store: DiskStore, limit: number): { readonly count: number } {
  const pages = { count: 0 };
  const waiter = waiterOf(() => (pages.count += 1));
  store.list("/d", limit, "", waiter);
  return pages;
}

test("a name that took long makes the next ones the thread's, and nothing stays open", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  const names = Array.from({ length: 50 }, (_, nth) => `n${100 + nth}`);
  using tree = new Tree(Object.fromEntries(names.map((name) => [`d/${name}`, "x"])));
  const store = openDisk(tree.root, POLICY, LIMITS);
  let looks = 0;
  using _slow = replaceCall("statx", (real) => (dirfd, name, out) => {
    if (name === "n110" || name === "n130") loop.now += 5;
    looks += Number(name.startsWith("n"));
    return real(dirfd, name, out);
  });
  const pages = pagesOf(store, 50);
  loop.settle();
  threads.answer(0);
  loop.settle();
  const asked = threads.asked.at(-1);
  expect(asked?.kind === "names" && asked.names).toEqual(names.slice(11));
  expect(looks).toBe(11);
  threads.answer(50);
  loop.settle();
  // Each was looked at once, and brought once; what is open is the root's alone.
  expect([pages.count, looks, threads.asked.length, openIn(tree.root)]).toEqual([1, 50, 2, 1]);
  store.close();
});

test.each([
  ["short", 4096n],
  ["wide", 100_000n],
] as const)("%s: of the next names the first and the middle one are asked about", (_, bytes) => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  const names = Array.from({ length: 3 * LOOKS_PER_STEP }, (_, nth) => `n${1000 + nth}`);
  using tree = new Tree(Object.fromEntries(names.map((name) => [`d/${name}`, "x"])));
  let cold = names[LOOKS_PER_STEP / 2];
  const seen: string[] = [];
  using _names = replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
    if (!path.startsWith("n")) return real(dirfd, path, flags, resolve & ~RESOLVE.cached, mode);
    seen.push(path);
    return path === cold ? -ERRNO.EAGAIN : real(dirfd, path, flags, resolve, mode);
  });
  let looked = 0;
  using _statx = replaceCall("statx", (real) => (dirfd, name, out) => {
    looked += Number(name.startsWith("n"));
    const failed = real(dirfd, name, out);
    if (out.isDirectory) Object.assign(out, { size: bytes });
    return failed;
  });
  const store = openDisk(tree.root, POLICY, LIMITS);
  const pages = pagesOf(store, 1000);
  loop.settle();
  threads.answer(0);
  loop.settle();
  const next = (): unknown => {
    const asked = threads.asked.at(-1);
    return asked?.kind === "names" ? asked.names : asked?.kind;
  };
  expect([seen, next()]).toEqual([[names[0]!, cold!], names.slice(0, LOOKS_PER_STEP)]);
  // They are not looked at before they are there.
  expect(looked).toBe(0);
  cold = "";
  // Three times what it takes in memory: the disk was met, and the next ones are not asked about.
  threads.answer(60 * LOOKS_PER_STEP);
  loop.settle();
  expect([seen.length, next()]).toEqual([2, names.slice(LOOKS_PER_STEP, 2 * LOOKS_PER_STEP)]);
  // As fast as memory.
  threads.answer(20 * LOOKS_PER_STEP);
  loop.settle();
  expect([seen.slice(2), threads.asked.length, pages.count]).toEqual([
    [names[2 * LOOKS_PER_STEP]!, names[2.5 * LOOKS_PER_STEP]!],
    3,
    1,
  ]);
  store.close();
  expect(openIn(tree.root)).toBe(0);
});

test("a link whose end is not in memory is followed by the thread first, then by the page", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree({ "d/a": "x", "d/b": "x", "e/end": "content" });
  tree.link("d/l", "../e/end");
  let there = false;
  using _names = replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
    const asks = (resolve & RESOLVE.cached) !== 0;
    // The name is in memory, and where it leads to is not.
    if (asks && !there && path === "d/l") return -ERRNO.EAGAIN;
    return real(dirfd, path, flags, resolve & ~RESOLVE.cached, mode);
  });
  let looks = 0;
  using _statx = replaceCall("statx", (real) => (dirfd, name, out) => {
    looks += Number(name === "a" || name === "l");
    return real(dirfd, name, out);
  });
  const store = openDisk(tree.root, POLICY, LIMITS);
  const heard: string[] = [];
  const waiter = waiterOf((answer) => {
    heard.push("text" in answer ? Buffer.from(answer.text).toString() : "refused");
  });
  store.list("/d", 10, "", waiter);
  loop.settle();
  threads.answer(0);
  loop.settle();
  expect([heard, threads.asked.slice(1)]).toEqual([
    [],
    [expect.objectContaining({ kind: "names", prefix: "d/", names: ["l"] })],
  ]);
  threads.answer(0);
  loop.settle();
  // Also where it has left memory again by now.
  expect(heard.map((text) => text.match(/\S+$/gm))).toEqual([["a", "b", "l"]]);
  // What was on the page already is not looked at again, and a link when it is there.
  expect([looks, threads.asked.length]).toEqual([3, 2]);
  there = true;
  store.close();
  expect(openIn(tree.root)).toBe(0);
});

test("names that a thread could not be asked for are asked for again, and nothing stays open", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  const names = Array.from({ length: 10 }, (_, nth) => `n${10 + nth}`);
  using tree = new Tree(Object.fromEntries(names.map((name) => [`d/${name}`, "x"])));
  let warm = true;
  using _names = replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
    if (path === "cold") return -ERRNO.EAGAIN;
    if (path === names[0] && !warm) return -ERRNO.EAGAIN;
    return real(dirfd, path, flags, resolve & ~RESOLVE.cached, mode);
  });
  const store = openDisk(tree.root, POLICY, LIMITS);
  const pages = pagesOf(store, 50);
  loop.settle();
  threads.answer(0);
  // Two others are at the thread when the page needs it.
  for (let nth = 0; nth < 2; nth++) expect(store.stat("/cold", waiterOf())).toBeNull();
  warm = false;
  loop.settle();
  expect(threads.asked.map(({ kind }) => kind)).toEqual(["records", "name", "name"]);
  const { start } = lookThreads;
  lookThreads.start = () => {
    lookThreads.start = start;
    throw new Error("no memory for a thread");
  };
  threads.die();
  loop.settle();
  expect([threads.asked.at(-1), threads.asked.length]).toEqual([
    expect.objectContaining({ kind: "names", names }),
    4,
  ]);
  threads.answer(0);
  loop.settle();
  expect([pages.count, openIn(tree.root)]).toEqual([1, 1]);
  store.close();
});
