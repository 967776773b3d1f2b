/** What pages of folders ask of the thread for looks, how many at once, and what stays open. */
import { expect, test } from "bun:test";
import { openDisk } from "../../src/store/disk.ts";
import { SHORT_WAITS_MAX } from "../../src/store/pages.ts";
import { factsOf } from "../../src/store/look.ts";
import { LOOKS_PER_STEP } from "../../src/store/lines.ts";
import { tick } from "../../src/sys/clock.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN, RESOLVE } from "../../src/sys/types.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { coldNames, replaceCall, warmNames } from "../rig/faults.ts";
import { LookThreads } from "../rig/lookthreads.ts";
import { openIn } from "../rig/open-files.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };
const LIMITS = { files: 64, zeroCopy: true };

test("a folder's records are read by the thread, once in ten seconds", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  using tree = new Tree({ "d/f": "x" });
  const store = openDisk(tree.root, POLICY, LIMITS);
  let pages = 0;
  const ask = (): void => {
    expect(
      store.list(
        "/d",
        10,
        "",
        waiterOf(() => (pages += 1)),
      ),
    ).toBeNull();
    loop.settle();
  };
  ask();
  expect([pages, threads.asked.map(({ kind }) => kind)]).toEqual([0, ["records"]]);
  threads.answer(24);
  loop.settle();
  threads.answer(0);
  loop.settle();
  expect([pages, threads.asked.length]).toEqual([1, 2]);
  ask();
  expect([pages, threads.asked.length]).toEqual([2, 2]);
  loop.pass(10_001);
  tick();
  ask();
  expect([pages, threads.asked.length]).toEqual([2, 3]);
  threads.answer(0);
  store.close();
  expect(openIn(tree.root)).toBe(0);
});

test("a name that took long makes the next ones the thread's, and nothing stays open", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  const names = Array.from({ length: 50 }, (_, nth) => `n${100 + nth}`);
  using tree = new Tree(Object.fromEntries(names.map((name) => [`d/${name}`, "x"])));
  const store = openDisk(tree.root, POLICY, LIMITS);
  using _slow = replaceCall("statx", (real) => (dirfd, name, out) => {
    if (name === "n110") loop.now += 5;
    return real(dirfd, name, out);
  });
  let pages = 0;
  store.list(
    "/d",
    50,
    "",
    waiterOf(() => (pages += 1)),
  );
  loop.settle();
  threads.answer(0);
  loop.settle();
  const asked = threads.asked.at(-1);
  expect(asked?.kind === "names" && asked.names).toEqual(names.slice(11));
  threads.answer(50);
  loop.settle();
  // The root's alone.
  expect([pages, openIn(tree.root)]).toEqual([1, 1]);
  store.close();
});

test("a store that is closed while folders wait for the disk lets go of all of them", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  using tree = new Tree({ "a/f": "", "b/f": "", "c/f": "", "d/f": "" });
  const store = openDisk(tree.root, POLICY, LIMITS);
  let heard = 0;
  for (const path of ["/a", "/b", "/c", "/d"]) {
    store.list(
      path,
      10,
      "",
      waiterOf(() => (heard += 1)),
    );
  }
  loop.settle();
  // The root's, and a folder's for each page.
  expect([threads.asked.length, openIn(tree.root)]).toEqual([2, 5]);
  store.close();
  expect(openIn(tree.root)).toBe(3);
  threads.answer(0);
  threads.answer(0);
  expect([heard, openIn(tree.root)]).toEqual([0, 0]);
});

test("no more than a few short folders are open while they wait for the disk", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  const folders = Array.from({ length: SHORT_WAITS_MAX + 10 }, (_, nth) => `d${nth}`);
  using tree = new Tree(Object.fromEntries(folders.map((name) => [`${name}/f`, ""])));
  const store = openDisk(tree.root, POLICY, LIMITS);
  let heard = 0;
  for (const name of folders)
    store.list(
      `/${name}`,
      10,
      "",
      waiterOf(() => (heard += 1)),
    );
  loop.settle();
  expect([openIn(tree.root), loop.immediates]).toEqual([1 + SHORT_WAITS_MAX, 0]);
  for (let nth = 0; nth < folders.length; nth++) {
    threads.answer(0);
    loop.settle();
  }
  expect([heard, openIn(tree.root)]).toEqual([folders.length, 1]);
  store.close();
});

test("of the next names the first and the middle one are asked about; what took long asks for more", () => {
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
  const store = openDisk(tree.root, POLICY, LIMITS);
  let pages = 0;
  store.list(
    "/d",
    1000,
    "",
    waiterOf(() => (pages += 1)),
  );
  loop.settle();
  threads.answer(0);
  loop.settle();
  const next = (): unknown => {
    const asked = threads.asked.at(-1);
    return asked?.kind === "names" ? asked.names : asked?.kind;
  };
  expect([seen, next()]).toEqual([[names[0]!, cold!], names.slice(0, LOOKS_PER_STEP)]);
  cold = "";
  // Three times what it takes in memory: the disk was met, and the next ones are not asked about.
  threads.answer(60 * LOOKS_PER_STEP);
  loop.settle();
  expect([seen.length, next()]).toEqual([2, names.slice(LOOKS_PER_STEP, 2 * LOOKS_PER_STEP)]);
  // As fast as memory.
  threads.answer(20 * LOOKS_PER_STEP);
  loop.settle();
  expect([seen.slice(2), threads.asked.length, pages]).toEqual([
    [names[2 * LOOKS_PER_STEP]!, names[2.5 * LOOKS_PER_STEP]!],
    3,
    1,
  ]);
  store.close();
  expect(openIn(tree.root)).toBe(0);
});

test("a folder that is not in memory is opened by the thread, and refused as that says", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _cold = coldNames();
  using tree = new Tree({ "d/f": "x" });
  const store = openDisk(tree.root, POLICY, LIMITS);
  const heard: unknown[] = [];
  const waiter = waiterOf((answer) => heard.push(answer instanceof Refusal ? answer.code : "page"));
  const ask = (): void => void store.list("/d", 10, "", waiter, false, true);
  expect(store.list("/d", 10, "", waiter)).toBe("cold");
  expect(store.facts.pages).toBe(0);
  ask();
  loop.settle();
  expect([store.facts.pages, threads.asked]).toEqual([
    1,
    [{ kind: "name", path: "d", want: "folder" }],
  ]);
  threads.answer(-ERRNO.ENOTDIR);
  loop.settle();
  expect(heard).toEqual(["ENOTDIR"]);
  ask();
  loop.settle();
  const stat = new FileStat();
  const fd = kernel.openat(AT_FDCWD, tree.path("d"), OPEN.readOnly | OPEN.directory);
  kernel.statx(fd, "", stat);
  threads.answer(factsOf(fd, stat));
  loop.settle();
  expect(threads.asked.at(-1)).toMatchObject({ kind: "records", folder: fd });
  // What fails is met again by the page itself, which may have better luck.
  threads.answer(-ERRNO.EIO);
  loop.settle();
  expect(threads.asked.at(-1)).toMatchObject({ kind: "names", names: ["f"] });
  threads.answer(0);
  loop.settle();
  expect([heard, openIn(tree.root)]).toEqual([["ENOTDIR", "page"], 1]);
  store.close();
});

test("a wide folder's records are read once, and again when nobody has listed it for a while", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  const names = Array.from({ length: 20 }, (_, nth) => `n${10 + nth}`);
  using tree = new Tree(Object.fromEntries(names.map((name) => [`d/${name}`, "x"])));
  // Wide, and at rest for long.
  using _wide = replaceCall("statx", (real) => (dirfd, name, out) => {
    const failed = real(dirfd, name, out);
    if (out.isDirectory) Object.assign(out, { size: 100_000n, mtime: 1n, ctime: 1n });
    return failed;
  });
  let reads = 0;
  using _count = replaceCall("getdents", (real) => (fd, into) => {
    reads += 1;
    return real(fd, into);
  });
  const store = openDisk(tree.root, POLICY, LIMITS);
  let pages = 0;
  const ask = (after: string): void => {
    const waiter = waiterOf(() => (pages += 1));
    expect(store.list("/d", 5, after, waiter)).toBeNull();
    loop.settle();
  };
  ask("");
  expect(threads.asked.map(({ kind }) => kind)).toEqual(["records"]);
  threads.answer(0);
  loop.settle();
  const once = reads;
  expect([pages, once]).toEqual([1, 2]);
  ask("n14");
  ask("");
  expect([pages, reads, threads.asked.length]).toEqual([3, once, 1]);
  loop.pass(10_001);
  tick();
  store.sweep();
  ask("");
  expect(threads.asked.length).toBe(2);
  threads.answer(0);
  loop.settle();
  expect([pages, reads]).toEqual([4, 2 * once]);
  store.close();
  expect(openIn(tree.root)).toBe(0);
});

test("folders are known to be read for ten seconds each, the last few hundred of them", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  const folders = Array.from({ length: 258 }, (_, nth) => `d${nth}`);
  using tree = new Tree(Object.fromEntries(folders.map((name) => [`${name}/f`, ""])));
  const store = openDisk(tree.root, POLICY, LIMITS);
  let pages = 0;
  /** True where the thread had to be asked. */
  const asks = (name: string): boolean => {
    const before = threads.asked.length;
    store.list(
      `/${name}`,
      10,
      "",
      waiterOf(() => (pages += 1)),
    );
    loop.settle();
    const asked = threads.asked.length > before;
    if (asked) threads.answer(0);
    loop.settle();
    return asked;
  };
  expect(asks("d0")).toBe(true);
  loop.pass(9000);
  tick();
  expect([asks("d0"), asks("d1")]).toEqual([false, true]);
  loop.pass(1000);
  tick();
  // Not longer because it was asked for meanwhile.
  expect([asks("d0"), asks("d1")]).toEqual([true, false]);
  expect(folders.slice(2).every((name) => asks(name))).toBe(true);
  // 256 are known: the first two were known before all others.
  expect([asks("d257"), asks("d2")]).toEqual([false, false]);
  expect([asks("d1"), asks("d0")]).toEqual([true, true]);
  expect(pages).toBe(5 + folders.length - 2 + 4);
  store.close();
  expect(openIn(tree.root)).toBe(0);
});
