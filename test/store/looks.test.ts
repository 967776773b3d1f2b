/** The queue of looks: whose turn it is, who has left, and a thread that dies or is not needed. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { factsOf, type LookAsked } from "../../src/store/look.ts";
import { lookThreads } from "../../src/store/lookthread.ts";
import { type LookJob, Looks, LOOKS_SENT_MAX } from "../../src/store/looks.ts";
import { openDisk } from "../../src/store/disk.ts";
import { Root } from "../../src/store/root.ts";
import { clock, tick } from "../../src/sys/clock.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN, RESOLVE } from "../../src/sys/types.ts";
import { coldNames, eventually, replaceCall } from "../rig/faults.ts";
import { LookThreads } from "../rig/lookthreads.ts";
import { openIn } from "../rig/open-files.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";
import { codeOf, pass, stat } from "./asking.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };
const LIMITS = { files: 64, zeroCopy: true };
const ASKED: LookAsked = { kind: "name", path: "f", want: "file" };

/** A job that notes in `heard` what came of it. */
function jobOf(peer: string, heard: string[], over: Partial<LookJob> = {}): LookJob {
  return {
    peer,
    gone: false,
    ask: () => ASKED,
    answered: (answer) => void heard.push(`${peer} ${String(answer)}`),
    crash: (error) => void heard.push(`${peer} ${String(error)}`),
    ...over,
  };
}

function rootOf(tree: Tree): Root {
  const fd = kernel.openat(AT_FDCWD, tree.root, OPEN.readOnly | OPEN.directory);
  return new Root(fd, tree.root, POLICY, null);
}

test("119: a peer's one look waits for few of another's thousand", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree();
  const looks = new Looks(rootOf(tree));
  const heard: string[] = [];
  for (let nth = 0; nth < 1000; nth++) looks.add(jobOf("greedy", heard));
  expect([threads.asked.length, looks.waiting]).toEqual([LOOKS_SENT_MAX, 1000 - LOOKS_SENT_MAX]);
  looks.add(jobOf("honest", heard));
  threads.answer(1);
  // One for one: no more than these are ever at the thread.
  expect(threads.asked.length).toBe(LOOKS_SENT_MAX + 1);
  while (!heard.includes("honest 7")) threads.answer(7);
  expect(heard.length).toBeLessThanOrEqual(LOOKS_SENT_MAX + 2);
  expect([threads.started, loop.immediates]).toEqual([1, 0]);
  looks.close();
});

test("who leaves while it waits is not asked for, and a disk that hangs gathers nobody", () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree();
  const looks = new Looks(rootOf(tree));
  const heard: string[] = [];
  for (let nth = 0; nth < LOOKS_SENT_MAX; nth++) looks.add(jobOf("stays", heard));
  for (let nth = 0; nth < 10_000; nth++) looks.add(jobOf("left", heard, { gone: true }));
  expect(looks.waiting).toBeLessThan(600);
  looks.add(jobOf("comes", heard));
  for (let nth = 0; nth < LOOKS_SENT_MAX + 1; nth++) threads.answer(nth);
  expect(heard).toEqual(["stays 0", "stays 1", "comes 2"]);
  looks.close();
});

test("those who stay are looked through now and then, not for each that comes", () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree();
  const looks = new Looks(rootOf(tree));
  let asked = 0;
  const job = {
    ...jobOf("stays", []),
    get gone() {
      asked += 1;
      return false;
    },
  };
  for (let nth = 0; nth < 4000; nth++) looks.add(job);
  expect([looks.waiting, asked < 3 * 4000]).toEqual([4000 - LOOKS_SENT_MAX, true]);
  looks.close();
  threads.answer(0);
  threads.answer(0);
  expect(() => threads.answer(0)).toThrow("nobody asked for");
});

test("an answer is of the time at which it comes", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree();
  const looks = new Looks(rootOf(tree));
  tick();
  const times: number[] = [];
  looks.add(jobOf("", [], { answered: () => times.push(clock.now) }));
  loop.now += 500;
  threads.answer(0);
  expect(times).toEqual([loop.now]);
  looks.close();
});

test("what is in memory when its turn comes needs no look; a thousand of them are no stall", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree();
  const looks = new Looks(rootOf(tree));
  const heard: string[] = [];
  const ask = (waited: boolean): LookAsked | null => {
    if (!waited) return ASKED;
    heard.push("known");
    return null;
  };
  for (let nth = 0; nth < 1000; nth++) looks.add(jobOf("", heard, { ask }));
  expect(heard).toEqual([]);
  threads.answer(0);
  expect(heard.length).toBeLessThan(100);
  loop.settle();
  expect([heard.length, threads.asked.length]).toEqual([1000 - 1, LOOKS_SENT_MAX]);
  looks.close();
});

test("a thread that dies costs those it worked for EIO, and the next is started", () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree();
  const looks = new Looks(rootOf(tree));
  const heard: string[] = [];
  for (let nth = 0; nth < LOOKS_SENT_MAX + 1; nth++) looks.add(jobOf(`p${nth}`, heard));
  threads.die();
  expect(heard).toEqual([`p0 ${-ERRNO.EIO}`, `p1 ${-ERRNO.EIO}`]);
  expect(threads.started).toBe(2);
  expect(threads.asked.length).toBe(LOOKS_SENT_MAX + 1);
  threads.answer(3);
  expect(heard.at(-1)).toBe("p2 3");
  looks.close();
});

test("a mistake of ours costs its job; the others get their answers", () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree();
  const looks = new Looks(rootOf(tree));
  const heard: string[] = [];
  const answered = (): never => {
    throw new Error("a mistake");
  };
  looks.add(jobOf("bad", heard, { answered }));
  looks.add(jobOf("good", heard));
  threads.answer(1);
  threads.answer(2);
  expect(heard).toEqual(["bad Error: a mistake", "good 2"]);
  looks.close();
});

test("the root stays open until the thread has answered; nobody is asked for after the close", () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree();
  const looks = new Looks(rootOf(tree));
  const heard: string[] = [];
  for (let nth = 0; nth < 5; nth++) looks.add(jobOf(`p${nth}`, heard));
  looks.close();
  looks.add(jobOf("late", heard));
  for (let nth = 0; nth < LOOKS_SENT_MAX; nth++) {
    expect([openIn(tree.root), threads.ended]).toEqual([1, 0]);
    threads.answer(nth);
  }
  expect([openIn(tree.root), threads.ended]).toEqual([0, 1]);
  expect([heard, threads.asked.length]).toEqual([["p0 0", "p1 1"], LOOKS_SENT_MAX]);
});

test("the thread ends when nobody has needed it for a minute", () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree();
  const looks = new Looks(rootOf(tree));
  looks.add(jobOf("", []));
  pass(61_000);
  looks.sweep();
  expect(threads.ended).toBe(0);
  threads.answer(0);
  looks.sweep();
  expect([threads.ended, looks.running]).toEqual([0, true]);
  pass(61_000);
  looks.sweep();
  expect([threads.ended, looks.running]).toEqual([1, false]);
  looks.close();
});

test("a descriptor that comes for somebody who has left is closed", async () => {
  using tree = new Tree({ f: "content", large: Buffer.alloc(100_000) });
  using _names = coldNames();
  const store = openDisk(tree.root, POLICY, LIMITS);
  const before = openIn(tree.root);
  const heard: unknown[] = [];
  for (let nth = 0; nth < 20; nth++) {
    const waiter = { ...waiterOf((answer) => void heard.push(answer)), gone: false };
    expect(store.open("/large", waiter)).toBeNull();
    expect(store.stat("/large", waiter)).toBeNull();
    waiter.gone = true;
  }
  // Behind all of them.
  expect(await codeOf(store, "/f")).toBe("opened");
  expect([heard.length, openIn(tree.root)]).toEqual([0, before]);
  store.close();
  await eventually("the root let go of", () => openIn(tree.root) === 0);
});

test("a descriptor that comes for a store that was closed meanwhile is closed", async () => {
  using tree = new Tree({ large: Buffer.alloc(100_000) });
  using _names = coldNames();
  const store = openDisk(tree.root, POLICY, LIMITS);
  let heard = 0;
  expect(
    store.open(
      "/large",
      waiterOf(() => (heard += 1)),
    ),
  ).toBeNull();
  store.close();
  await eventually("the root and the file let go of", () => openIn(tree.root) === 0);
  expect(heard).toBe(0);
});

test("a name is believed from when it was asked for, however late the disk answers", async () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree({ f: Buffer.alloc(100_000) });
  const store = openDisk(tree.root, POLICY, LIMITS);
  tick();
  expect(await codeOf(store, "/f")).toBe("opened");
  pass(1001);
  using _names = coldNames();
  const code = codeOf(store, "/f");
  pass(5000);
  const stat = new FileStat();
  const fd = kernel.openat(AT_FDCWD, tree.path("f"), OPEN.readOnly);
  expect(kernel.statx(fd, "", stat)).toBe(0);
  threads.answer(factsOf(fd, stat));
  expect(await code).toBe("opened");
  expect(store.open("/f", waiterOf())).toBeNull();
  expect(threads.asked.length).toBe(2);
  store.close();
  threads.answer(-ERRNO.ENOENT);
  expect(openIn(tree.root)).toBe(0);
});

test("a look that meets too few descriptors gives back what is only cached, once", async () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree({ f: Buffer.alloc(100_000), g: Buffer.alloc(100_000) });
  const store = openDisk(tree.root, POLICY, LIMITS);
  expect(await codeOf(store, "/f")).toBe("opened");
  expect(store.openFds).toBe(1);
  using _names = coldNames();
  const code = codeOf(store, "/g");
  threads.answer(-ERRNO.EMFILE);
  expect([store.openFds, threads.asked.length]).toEqual([0, 2]);
  threads.answer(-ERRNO.EMFILE);
  expect([await code, threads.asked.length]).toEqual(["EBUSY", 2]);
  store.close();
});

test("a kernel that can't tell what is in memory is asked on the loop, as before", async () => {
  using threads = new LookThreads();
  using tree = new Tree({ f: "content" });
  using _old = replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
    const known = (resolve & RESOLVE.cached) === 0;
    return known ? real(dirfd, path, flags, resolve, mode) : -ERRNO.EINVAL;
  });
  const store = openDisk(tree.root, POLICY, LIMITS);
  expect([await codeOf(store, "/f"), await codeOf(store, "/nope")]).toEqual(["opened", "ENOENT"]);
  expect(await stat(store, "/f")).toMatchObject({ type: "file", size: 7n });
  fs.writeFileSync(tree.path("nope"), "now");
  expect([await codeOf(store, "/nope"), threads.started]).toEqual(["opened", 0]);
  store.close();
});

test("a real thread answers in the order of the questions, and ends with its store", async () => {
  const { Worker } = globalThis;
  let closed = 0;
  class Seen extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      this.addEventListener("close", () => (closed += 1));
    }
  }
  Object.assign(globalThis, { Worker: Seen });
  using _restore = { [Symbol.dispose]: () => void Object.assign(globalThis, { Worker }) };
  using tree = new Tree({ f: "content" });
  using _names = coldNames();
  const store = openDisk(tree.root, POLICY, LIMITS);
  const asked = [stat(store, "/f"), stat(store, "/no"), stat(store, "/")];
  expect(await Promise.all(asked)).toMatchObject([
    { type: "file", size: 7n },
    { code: "ENOENT" },
    { type: "dir" },
  ]);
  expect(closed).toBe(0);
  store.close();
  await eventually("the end of the thread", () => closed === 1);
  expect(openIn(tree.root)).toBe(0);
});

test("a thread that dies by an error of its own is told of", async () => {
  using tree = new Tree({ f: "content" });
  using root = Object.assign(rootOf(tree), { [Symbol.dispose]: () => root.close() });
  const heard: unknown[] = [];
  const thread = lookThreads.start(
    { answered: (answer) => heard.push(answer), ended: (ended) => heard.push(ended) },
    root.parts,
  );
  thread.send({ kind: "name", path: null as never, want: "facts" });
  await eventually("its end", () => heard.length > 0);
  expect(heard).toEqual([thread]);
});
