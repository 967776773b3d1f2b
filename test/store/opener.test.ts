/** From a name to an open file: what is held of it, and what comes between asking and answering. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { RESIDENT_MS, READS_MAX } from "../../src/store/diskread.ts";
import { openDisk } from "../../src/store/disk.ts";
import type { OpenFile } from "../../src/store/store.ts";
import { clock } from "../../src/sys/clock.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { coldNames, replaceCall, warmNames } from "../rig/faults.ts";
import { LookThreads } from "../rig/lookthreads.ts";
import { content } from "../rig/oracle.ts";
import { openIn } from "../rig/open-files.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";
import { bytesOf, closing, codeOf, file } from "./asking.ts";

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
