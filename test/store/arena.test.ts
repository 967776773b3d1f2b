/** Contents in memory that leave by sendfile(2): when, that they are right, and that they go. */
import { afterEach, expect, test } from "bun:test";
import fs from "node:fs";
import { Arena, ARENA_BYTES_MAX } from "../../src/store/arena.ts";
import { type DiskStore, openDisk } from "../../src/store/disk.ts";
import { Descriptor, DiskFile } from "../../src/store/file.ts";
import type { OpenFile } from "../../src/store/store.ts";
import { clock } from "../../src/sys/clock.ts";
import { FileStat } from "../../src/sys/types.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { needing, SMALL_PAGES } from "../rig/needs.ts";
import { replaceCall } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };
const HEAD = Buffer.from("OK some head\n");
const USES = 8;
const start = clock.now;

const hot = needing(SMALL_PAGES);

afterEach(() => {
  clock.now = start;
});

function storeOf(tree: Tree, files = 64): DiskStore & Disposable {
  const store = openDisk(tree.root, POLICY, { files, zeroCopy: true });
  return Object.assign(store, { [Symbol.dispose]: () => store.close() });
}

/** Uses `path` as often as it takes, with the reply that a door makes. */
function used(store: DiskStore, path: string, times = USES): OpenFile {
  let last: OpenFile | null = null;
  for (let nth = 0; nth < times; nth++) {
    const waiter = waiterOf();
    const file = store.open(path, waiter);
    if (file === null || "code" in file) throw new Error(`${path}: ${file?.code}`);
    file.head ??= HEAD;
    last = file;
  }
  return last!;
}

/** What sendfile(2) would give: `count` bytes from `at`. */
function bytesOf(file: OpenFile, at: bigint, count: number): Buffer {
  const into = Buffer.alloc(count);
  const got = kernel.pread(file.fd, into, count, at);
  return into.subarray(0, Math.max(0, got));
}

hot("a file that is asked for often lies in memory behind its head, once and whole", () => {
  using tree = new Tree();
  const sizes = [8193, 16_384, ARENA_BYTES_MAX - 1, ARENA_BYTES_MAX];
  for (const size of sizes) tree.write(`f${size}`, content(size, 0, size));
  using store = storeOf(tree);
  for (const size of sizes) {
    const file = used(store, `/f${size}`);
    expect([size, file.body, file.headAt === null]).toEqual([size, null, false]);
    const expected = content(size, 0, size);
    expect(bytesOf(file, file.base, size).equals(expected)).toBe(true);
    const whole = Buffer.concat([HEAD, expected]);
    expect(bytesOf(file, file.headAt!, whole.length).equals(whole)).toBe(true);
  }
  // The files themselves are not open any more.
  expect(store.openFds).toBe(0);
  // And none has reached into the slot of another.
  for (const size of sizes) {
    const { fd, base } = used(store, `/f${size}`, 1);
    const held = Buffer.alloc(size);
    expect([size, kernel.pread(fd, held, size, base)]).toEqual([size, size]);
    expect(held.equals(content(size, 0, size))).toBe(true);
  }
  expect(store.facts.arenaFiles).toBe(sizes.length);
  const { fd } = used(store, "/f8193", 1);
  expect(fs.readlinkSync(`/proc/self/fd/${fd}`)).toContain("memfd:serv6");
  store.close();
  expect(() => fs.fstatSync(fd)).toThrow("EBADF");
});

hot("without zero copy, and before a door has made a head, nothing is put there", () => {
  using tree = new Tree({ f: content(1, 0, 70_000), g: content(1, 0, 20_000) });
  using store = storeOf(tree);
  for (let nth = 0; nth < USES; nth++) store.open("/g", waiterOf());
  expect(store.facts).toMatchObject({ arenaFiles: 0, openFiles: 1 });
  const copying = openDisk(tree.root, POLICY, { files: 64, zeroCopy: false });
  expect(used(copying, "/f").headAt).toBeNull();
  expect(copying.facts.arenaFiles).toBe(0);
  copying.close();
});

test("who is asked for once or twice, is smaller or larger, is not", () => {
  using tree = new Tree({ small: content(1, 0, 8192), large: content(1, 0, ARENA_BYTES_MAX + 1) });
  tree.write("seldom", content(1, 0, 20_000));
  using store = storeOf(tree);
  expect(used(store, "/small").body?.length).toBe(8192);
  expect(used(store, "/large").headAt).toBeNull();
  expect(used(store, "/seldom", 2).headAt).toBeNull();
  expect(store.openFds).toBe(2);
});

hot("an edit in place and another file under the name are seen within a second", () => {
  using tree = new Tree({ f: content(1, 0, 20_000) });
  using store = storeOf(tree);
  const before = used(store, "/f");
  before.retain();
  fs.writeFileSync(tree.path("f"), content(2, 0, 20_000));
  expect(bytesOf(before, before.base, 20_000).equals(content(1, 0, 20_000))).toBe(true);
  clock.now += 1001;
  const after = used(store, "/f");
  expect(after.entry.etag).not.toBe(before.entry.etag);
  expect(bytesOf(after, after.base, 20_000).equals(content(2, 0, 20_000))).toBe(true);
  expect(bytesOf(before, before.base, 20_000).equals(content(1, 0, 20_000))).toBe(true);
  before.release();
});

hot("an edit between the reading and the look is not kept as a mix", () => {
  using tree = new Tree({ f: content(1, 0, 20_000) });
  using store = storeOf(tree);
  let edits = 0;
  using _pread = replaceCall("pread", (real) => (...args) => {
    const got = real(...args);
    if (args[2] !== 20_000) return got;
    // Of the same size: nothing but the look afterwards can tell.
    fs.utimesSync(tree.path("f"), 1000, 1000 + ++edits);
    return got;
  });
  for (let nth = 0; nth < USES && edits === 0; nth++) used(store, "/f", 1);
  expect(edits).toBe(1);
  // The use that read it went on with the file itself, and the next one meets the version of now.
  const after = used(store, "/f", 1);
  expect([after.headAt, after.entry.mtime]).toEqual([null, 1_001_000_000_000n]);
});

for (const row of ["memfd", "pwrite"] as const) {
  hot(`where ${row} fails, the file itself is sent`, () => {
    using tree = new Tree({ f: content(1, 0, 20_000) });
    using store = storeOf(tree);
    let calls = 0;
    using _refused = replaceCall(row, () => () => {
      calls += 1;
      return -12;
    });
    const file = used(store, "/f", 40);
    expect(file.headAt).toBeNull();
    expect(bytesOf(file, file.base, 20_000).equals(content(1, 0, 20_000))).toBe(true);
    // Asked once, and not again; no slot is left in use.
    expect([calls, store.facts.arenaFiles]).toEqual([1, 0]);
  });
}

hot("memory is bounded: what is evicted gives its pages back", () => {
  using tree = new Tree();
  const count = 500;
  for (let nth = 0; nth < count; nth++) tree.write(`f${nth}`, content(nth, 0, 45_000));
  using store = storeOf(tree, 2000);
  let fd = -1;
  for (let nth = 0; nth < count; nth++) fd = used(store, `/f${nth}`).fd;
  expect(store.cache.bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
  expect(fs.fstatSync(fd).blocks * 512).toBeLessThanOrEqual(16 * 1024 * 1024);
  expect(fs.fstatSync(fd).blocks * 512).toBeGreaterThan(8 * 1024 * 1024);
  store.cache.clear();
  expect(fs.fstatSync(fd).blocks).toBe(0);
});

hot("a slot whose pages can't be given back is not used again", () => {
  using tree = new Tree({ f: content(1, 0, 20_000), g: content(2, 0, 20_000) });
  using store = storeOf(tree);
  const { fd, base } = used(store, "/f");
  using _refused = replaceCall("punchHole", () => () => -5);
  store.cache.clear();
  expect(used(store, "/g").headAt).toBeNull();
  const still = Buffer.alloc(20_000);
  kernel.pread(fd, still, still.length, base);
  expect(still.equals(content(1, 0, 20_000))).toBe(true);
});

hot("its descriptor is closed with the last that is being sent from it", () => {
  using tree = new Tree({ f: content(1, 0, 20_000) });
  const arena = new Arena();
  const stat = new FileStat();
  const fd = fs.openSync(tree.path("f"), "r");
  kernel.statx(fd, "", stat);
  const file = new DiskFile(stat, new Descriptor(fd, { open: 0 }), 0);
  const slots = [arena.add(file, HEAD), arena.add(file, HEAD)];
  const opened = arena.fd;
  file.release();
  arena.close();
  slots[0]!.close();
  expect(fs.readlinkSync(`/proc/self/fd/${opened}`)).toContain("memfd:serv6");
  slots[1]!.close();
  expect([arena.fd, arena.used]).toEqual([-1, 0]);
  expect(() => fs.fstatSync(opened)).toThrow("EBADF");
});
