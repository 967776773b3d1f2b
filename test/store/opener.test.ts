/** From a name to an open file: what is held of it, and what comes between asking and answering. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { RESIDENT_MS, READS_MAX } from "../../src/store/diskread.ts";
import { openDisk } from "../../src/store/disk.ts";
import { factsOf } from "../../src/store/look.ts";
import { HELD_MS } from "../../src/store/opener.ts";
import { type OpenFile, REVALIDATE_MS, type Waiter } from "../../src/store/store.ts";
import { clock, tick } from "../../src/sys/clock.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "../../src/sys/types.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { coldNames, replaceCall, warmNames } from "../rig/faults.ts";
import { LookThreads } from "../rig/lookthreads.ts";
import { content } from "../rig/oracle.ts";
import { openIn } from "../rig/open-files.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";
import { bytesOf, closing, codeOf, codesOf, file, pass } from "./asking.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };

test("a name that has left memory while a read had to wait is looked up by the thread", () => {
  using loop = new SimulatedLoop();
  using threads = new LookThreads();
  const names = Array.from({ length: READS_MAX.prefetch + 1 }, (_, nth) => `f${nth}`);
  using tree = new Tree(Object.fromEntries(names.map((name) => [name, content(1, 0, 20_000)])));
  using _disk = replaceCall("resident", () => () => 0);
  using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
  const heard: unknown[] = [];
  const waiter = waiterOf((answer) => heard.push(answer instanceof Refusal ? answer.code : "file"));
  {
    using _warm = warmNames();
    for (const name of names) expect(store.it.open(`/${name}`, waiter)).toBeNull();
  }
  expect([loop.reads, threads.asked]).toEqual([READS_MAX.prefetch, []]);
  using _cold = coldNames();
  loop.settle();
  expect(heard).toEqual(Array.from({ length: READS_MAX.prefetch }, () => "file"));
  expect(threads.asked).toEqual([{ kind: "name", path: names.at(-1)!, want: "file" }]);
  threads.answer(-ERRNO.ENOENT);
  expect(heard.at(-1)).toBe("ENOENT");
});

test("a look that had to wait is answered at once where the name is in memory by then", () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree({ f: "content" });
  using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
  const heard: unknown[] = [];
  const waiter = waiterOf((answer) => heard.push(answer));
  {
    using _cold = coldNames();
    for (let nth = 0; nth < 3; nth++) expect(store.it.stat("/f", waiter)).toBeNull();
    expect(store.it.stat("/no", waiter)).toBeNull();
    expect(store.it.open("/f", waiter)).toBeNull();
  }
  using _warm = warmNames();
  threads.answer(-ERRNO.EIO);
  expect(heard).toEqual([
    new Refusal("EIO", "/f"),
    { type: "file", size: 7n, mtime: expect.any(BigInt), etag: expect.any(String) },
    new Refusal("ENOENT", "/no"),
    expect.objectContaining({ fd: -1, body: Buffer.from("content") }),
  ]);
  expect(threads.asked.length).toBe(2);
  threads.answer(-ERRNO.ENOENT);
  expect(heard.length).toBe(5);
});

test.each(["EMFILE", "ENFILE"] as const)(
  "%s gives back what is only cached, and opens once more",
  async (errno) => {
    using tree = new Tree({ f: content(1, 0, 100_000), g: content(2, 0, 100_000) });
    using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
    await file(store.it, "/f");
    expect(store.it.openFds).toBe(1);
    using _few = replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
      return store.it.openFds > 0 ? -ERRNO[errno] : real(dirfd, path, flags, resolve, mode);
    });
    expect(bytesOf(await file(store.it, "/g")).equals(content(2, 0, 100_000))).toBe(true);
    const held = await file(store.it, "/g");
    expect(store.it.openFds).toBe(1);
    held.retain();
    expect(await codeOf(store.it, "/f")).toBe("EBUSY");
    held.release();
  },
);

test("what is held is up to 8 KiB, and up to 64 where nothing is sent by sendfile", async () => {
  using tree = new Tree();
  const sizes = [8192, 8193, 65_536, 65_537];
  for (const size of sizes) tree.write(`f${size}`, content(size, 0, size));
  for (const [zeroCopy, heldMax] of [
    [true, 8192],
    [false, 65_536],
  ] as const) {
    using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy }));
    for (const size of sizes) {
      const opened = await file(store.it, `/f${size}`);
      expect([zeroCopy, size, opened.body !== null]).toEqual([zeroCopy, size, size <= heldMax]);
      expect([opened.base, opened.headAt]).toEqual([0n, null]);
      expect(bytesOf(opened).equals(content(size, 0, size))).toBe(true);
      // Just seen in memory: who sends it in one step need not look again.
      const believed = opened.residentUntil - clock.now;
      if (size === 65_537) expect(opened.residentUntil).toBe(0);
      else if (opened.body === null) {
        expect(believed > 0 && believed <= RESIDENT_MS).toBe(true);
      }
    }
    expect(store.it.facts).toMatchObject({
      keptFiles: 4,
      openFiles: zeroCopy ? 3 : 1,
      hits: 0,
      misses: 4,
    });
  }
});

test("where no descriptor is left files of up to 64 KiB are held, and larger ones have to wait", async () => {
  using tree = new Tree();
  for (const size of [8193, 65_536, 65_537]) tree.write(`f${size}`, content(size, 0, size));
  tree.write("used", content(1, 0, 100_000));
  using store = closing(openDisk(tree.root, POLICY, { files: 1, zeroCopy: true }));
  const used = await file(store.it, "/used");
  used.retain();
  for (const size of [8193, 65_536]) {
    const opened = await file(store.it, `/f${size}`);
    expect(opened.body?.length).toBe(size);
    expect(bytesOf(opened).equals(content(size, 0, size))).toBe(true);
  }
  expect(await codeOf(store.it, "/f65537")).toBe("EBUSY");
  // The root's and the one in use.
  expect([store.it.openFds, openIn(tree.root)]).toEqual([1, 2]);
  used.release();
  expect(await codeOf(store.it, "/f65537")).toBe("opened");
});

test("a small file that gives fewer bytes than its size, or none, is EIO and not open", async () => {
  using tree = new Tree({ f: content(1, 0, 5000), g: content(1, 0, 5000) });
  using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
  {
    using _short = replaceCall("pread", (real) => (fd, into, _count, offset) => {
      return offset === 0n ? real(fd, into, 1000, offset) : 0;
    });
    expect(await codeOf(store.it, "/f")).toBe("EIO");
  }
  {
    using _fails = replaceCall("pread", () => () => -ERRNO.EIO);
    expect(await codeOf(store.it, "/g")).toBe("EIO");
  }
  expect(openIn(tree.root)).toBe(1);
  expect([await codeOf(store.it, "/f"), await codeOf(store.it, "/g")]).toEqual([
    "opened",
    "opened",
  ]);
});

test("a file whose facts can't be read any more has changed", async () => {
  using tree = new Tree({ f: content(1, 0, 100_000) });
  using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
  const opened: OpenFile = await file(store.it, "/f");
  expect(opened.revalidate()).toBe("same");
  {
    using _fails = replaceCall("statx", () => () => -ERRNO.EIO);
    expect(opened.revalidate()).toBe("changed");
  }
  fs.truncateSync(tree.path("f"), 50_000);
  expect(opened.revalidate()).toBe("changed");
});

test("a small file that fails to be looked at when the disk has come is refused, and closed", () => {
  using loop = new SimulatedLoop();
  using tree = new Tree({ f: content(1, 0, 20_000) });
  using _warm = warmNames();
  using _disk = replaceCall("resident", () => () => 0);
  using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
  const heard: unknown[] = [];
  expect(
    store.it.open(
      "/f",
      waiterOf((answer) => heard.push(answer)),
    ),
  ).toBeNull();
  using _fails = replaceCall("statx", () => () => -ERRNO.ENOMEM);
  loop.settle();
  expect([heard, openIn(tree.root)]).toEqual([[new Refusal("EBUSY", "/f")], 1]);
});

test("what the thread finds: the file that is known, another one, or none any more", async () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree({ f: content(1, 0, 100_000), g: content(2, 0, 100_000) });
  using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
  const known = await file(store.it, "/f");
  using _cold = coldNames();
  /** The thread's answer to the question for /f is that it is `name`; "": it is not there. */
  const answered = (name: string, gone = false): unknown => {
    const heard: unknown[] = [];
    const waiter = { ...waiterOf((answer) => heard.push(answer)), gone: false };
    pass(1001);
    expect(store.it.open("/f", waiter)).toBeNull();
    waiter.gone = gone;
    const stat = new FileStat();
    const fd = kernel.openat(AT_FDCWD, tree.path(name), OPEN.readOnly);
    kernel.statx(fd, "", stat);
    threads.answer(name === "" ? -ERRNO.ENOENT : factsOf(fd, stat));
    if (name === "") kernel.close(fd);
    return heard[0];
  };
  expect(answered("f")).toBe(known);
  expect(openIn(tree.root)).toBe(2);
  const other = answered("g") as OpenFile;
  expect([known.fd, bytesOf(other).equals(content(2, 0, 100_000))]).toEqual([-1, true]);
  expect(openIn(tree.root)).toBe(2);
  // Who has left is not told, and what is not there is not kept.
  expect([answered("g", true), answered("", true)]).toEqual([undefined, undefined]);
  expect([store.it.facts.keptFiles, openIn(tree.root)]).toEqual([0, 1]);
  expect(answered("")).toEqual(new Refusal("ENOENT", "/f"));
});

test("who has left before its turn is not looked for, and after the close nobody is told", () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using _cold = coldNames();
  using tree = new Tree();
  const store = openDisk(tree.root, POLICY, { files: 64, zeroCopy: true });
  const heard: unknown[] = [];
  const waiters = Array.from({ length: 5 }, () => {
    return { ...waiterOf((answer) => heard.push(answer)), gone: false };
  });
  for (const [nth, waiter] of waiters.entries()) {
    if (nth === 4) store.stat("/f4", waiter);
    else store.open(`/f${nth}`, waiter);
  }
  waiters[2]!.gone = waiters[4]!.gone = true;
  for (let nth = 0; nth < 2; nth++) threads.answer(-ERRNO.ENOENT);
  expect(threads.asked.map((asked) => asked.kind === "name" && asked.path)).toEqual([
    "f0",
    "f1",
    "f3",
  ]);
  store.close();
  threads.answer(-ERRNO.ENOENT);
  expect([heard.length, openIn(tree.root)]).toEqual([2, 0]);
});

test("a file that comes when all descriptors are in use is refused, and closed", async () => {
  using _loop = new SimulatedLoop();
  using threads = new LookThreads();
  using tree = new Tree({ f: content(1, 0, 100_000), g: content(2, 0, 100_000) });
  using store = closing(openDisk(tree.root, POLICY, { files: 1, zeroCopy: true }));
  const used = await file(store.it, "/f");
  used.retain();
  using _cold = coldNames();
  const heard: unknown[] = [];
  store.it.open(
    "/g",
    waiterOf((answer) => heard.push(answer)),
  );
  const stat = new FileStat();
  const fd = kernel.openat(AT_FDCWD, tree.path("g"), OPEN.readOnly);
  kernel.statx(fd, "", stat);
  threads.answer(factsOf(fd, stat));
  expect([heard, openIn(tree.root)]).toEqual([[new Refusal("EBUSY", "/g")], 2]);
  used.release();
});

test("a name that is gone is forgotten, and what else is cached stays", async () => {
  using tree = new Tree({ f: content(1, 0, 100_000), g: content(2, 0, 100_000) });
  using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
  tick();
  const kept = await file(store.it, "/g");
  await file(store.it, "/f");
  fs.rmSync(tree.path("f"));
  pass(1001);
  expect(await codeOf(store.it, "/f")).toBe("ENOENT");
  expect([store.it.facts.keptFiles, await file(store.it, "/g")]).toEqual([1, kept]);
});

test("a name is believed for a second, a content in memory for ten, a descriptor while it is used", async () => {
  expect([REVALIDATE_MS, HELD_MS]).toEqual([1000, 10_000]);
  using tree = new Tree({ small: "x", large: content(1, 0, 100_000) });
  using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
  const start = 1_000_000;
  using _clock = { [Symbol.dispose]: () => void tick() };
  clock.now = start;
  const small = await file(store.it, "/small");
  const large = await file(store.it, "/large");
  const { misses } = store.it.facts;
  clock.now = start + 999;
  expect([await file(store.it, "/small"), store.it.facts.misses]).toEqual([small, misses]);
  for (let ms = 2000; ms <= 10_000; ms += 2000) {
    clock.now = start + ms;
    expect([ms, await file(store.it, "/small")]).toEqual([ms, small]);
  }
  clock.now = start + 11_000;
  const anew = await file(store.it, "/small");
  expect([anew === small, anew.body?.toString()]).toEqual([false, "x"]);
  expect(await file(store.it, "/large")).toBe(large);
  for (let ms = 15_000; ms <= 45_000; ms += 5000) {
    clock.now = start + ms;
    expect([ms, await file(store.it, "/large")]).toEqual([ms, large]);
    store.it.sweep();
  }
  clock.now = start + 55_001;
  store.it.sweep();
  expect([large.fd, store.it.facts.openFiles]).toEqual([-1, 0]);
});

test("while the disk is waited for another file comes under the name: that is what is sent", () => {
  using loop = new SimulatedLoop();
  using tree = new Tree({ f: content(1, 0, 20_000), next: content(2, 0, 20_000) });
  using _warm = warmNames();
  let resident = 0;
  using _disk = replaceCall("resident", () => () => resident);
  using store = closing(openDisk(tree.root, POLICY, { files: 64, zeroCopy: true }));
  const heard: unknown[] = [];
  const waiter = waiterOf((answer) => heard.push(answer));
  tick();
  expect(store.it.open("/f", waiter)).toBeNull();
  fs.renameSync(tree.path("next"), tree.path("f"));
  loop.pass(5);
  tick();
  resident = 1;
  const newer = store.it.open("/f", waiter);
  expect([heard, loop.reads]).toEqual([[], 1]);
  loop.settle();
  expect(heard[0]).toBe(newer!);
  expect(bytesOf(heard[0] as OpenFile).equals(content(2, 0, 20_000))).toBe(true);
  // The root's and its own.
  expect(openIn(tree.root)).toBe(2);
});

test("a small file that never holds still is sent from its descriptor, or has to wait for one", async () => {
  using tree = new Tree({ small: content(1, 0, 5000), large: content(1, 0, 100_000) });
  let edits = 0;
  using _pread = replaceCall("pread", (real) => (fd, into, count, offset) => {
    fs.utimesSync(tree.path("small"), 1000, 1000 + ++edits);
    return real(fd, into, count, offset);
  });
  using store = closing(openDisk(tree.root, POLICY, { files: 1, zeroCopy: true }));
  const used = await file(store.it, "/large");
  used.retain();
  expect([await codeOf(store.it, "/small"), openIn(tree.root)]).toEqual(["EBUSY", 2]);
  used.release();
  const sent = await file(store.it, "/small");
  expect([sent.body, openIn(tree.root)]).toEqual([null, 2]);
});

test("what looks a name up costs a turn more than a usual request, what is kept nothing", () => {
  using tree = new Tree({ f: "x" });
  using _warm = warmNames();
  using store = closing(openDisk(tree.root, POLICY, { files: 8, zeroCopy: true }));
  const costOf = (ask: (waiter: Waiter) => void): number => {
    let cost = 0;
    ask({ ...waiterOf(), charge: (requests) => void (cost += requests) });
    return cost;
  };
  tick();
  expect(costOf((it) => store.it.open("/f", it))).toBeGreaterThan(1);
  expect(costOf((it) => store.it.open("/f", it))).toBe(0);
  expect(costOf((it) => store.it.open("/no", it))).toBeGreaterThan(1);
  expect(costOf((it) => store.it.stat("/f", it))).toBeGreaterThan(1);
  expect(costOf((it) => store.it.list("/", 1, "", it))).toBeGreaterThan(1);
});

test("what can't be looked at when it is open is refused, and closed", async () => {
  using tree = new Tree({ f: "x", d: null });
  using _warm = warmNames();
  using store = closing(openDisk(tree.root, POLICY, { files: 8, zeroCopy: true }));
  {
    using _fails = replaceCall("statx", () => () => -ERRNO.EIO);
    expect(await codesOf(store.it, "/f")).toEqual(["EIO", "EIO", "EIO"]);
    expect(await codesOf(store.it, "/d")).toEqual(["EIO", "EIO", "EIO"]);
  }
  expect(openIn(tree.root)).toBe(1);
  expect(await codesOf(store.it, "/f")).toEqual(["opened", "file", "ENOTDIR"]);
});
