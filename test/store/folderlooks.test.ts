/** What pages of folders ask of the thread for looks, how many at once, and what stays open. */
import { expect, test } from "bun:test";
import { openDisk } from "../../src/store/disk.ts";
import { SHORT_WAITS_MAX } from "../../src/store/pages.ts";
import { factsOf } from "../../src/store/look.ts";
import { lookThreads } from "../../src/store/lookthread.ts";
import { tick } from "../../src/sys/clock.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "../../src/sys/types.ts";
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
  tree.write("d/.hidden", "x");
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
    const waiter = waiterOf((answer) => {
      pages += 1;
      const first = names.indexOf(after) + 1;
      const text = "text" in answer ? Buffer.from(answer.text).toString() : "refused";
      expect([...(text.match(/\S+$/gm) ?? [])]).toEqual(names.slice(first, first + 5));
    });
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
  const folders = Array.from({ length: 257 }, (_, nth) => `d${nth}`);
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
  expect(folders.slice(2, 257).every((name) => asks(name))).toBe(true);
  // 256 are known: of the first two the one that was read last.
  expect([asks("d256"), asks("d2"), asks("d0")]).toEqual([false, false, false]);
  expect([asks("d1"), asks("d0")]).toEqual([true, true]);
  expect(pages).toBe(5 + 255 + 5);
  store.close();
  expect(openIn(tree.root)).toBe(0);
});

test("records that the thread has read are read from the start by the page", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  const names = Array.from({ length: 40 }, (_, nth) => `n${10 + nth}`);
  using tree = new Tree(Object.fromEntries(names.map((name) => [`d/${name}`, "x"])));
  const store = openDisk(tree.root, POLICY, LIMITS);
  const counts: number[] = [];
  store.list(
    "/d",
    100,
    "",
    waiterOf((answer) => counts.push("count" in answer ? answer.count : -1)),
  );
  loop.settle();
  for (let got = 1; got > 0; loop.settle()) {
    const asked = threads.asked.at(-1);
    if (asked?.kind !== "records") throw new Error("not asked for records");
    got = kernel.getdents(asked.folder, Buffer.alloc(500));
    threads.answer(got);
  }
  expect([counts, threads.asked.length > 3]).toEqual([[40], true]);
  store.close();
  expect(openIn(tree.root)).toBe(0);
});

test("a folder that can't be looked at any more is refused, and closed", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  using tree = new Tree({ "d/f": "x" });
  const store = openDisk(tree.root, POLICY, LIMITS);
  const heard: unknown[] = [];
  store.list(
    "/d",
    10,
    "",
    waiterOf((answer) => heard.push(answer)),
  );
  loop.settle();
  {
    using _fails = replaceCall("statx", () => () => -ERRNO.EIO);
    threads.answer(0);
    loop.settle();
  }
  expect([heard, openIn(tree.root)]).toEqual([[new Refusal("EIO", "/d")], 1]);
  store.close();
});

test("a thread that can't be started again costs who waits for it an answer, and no descriptor", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _warm = warmNames();
  using tree = new Tree({ "a/f": "", "b/f": "", "c/f": "", "d/f": "" });
  const store = openDisk(tree.root, POLICY, LIMITS);
  const heard: unknown[] = [];
  for (const path of ["/a", "/b", "/c", "/d"]) {
    const told = (answer: unknown): void =>
      void heard.push(`${path} ${answer instanceof Refusal ? answer.code : "page"}`);
    store.list(path, 10, "", waiterOf(told, told));
  }
  loop.settle();
  const { start } = lookThreads;
  lookThreads.start = () => {
    throw new Error("no memory for a thread");
  };
  threads.die();
  loop.settle();
  lookThreads.start = start;
  // What the first two met is met again, and told, by their pages: here there is nothing wrong.
  expect(heard.toSorted()).toEqual(["/a page", "/b page", "/c EIO", "/d EIO"]);
  expect(openIn(tree.root)).toBe(1);
  store.close();
});
