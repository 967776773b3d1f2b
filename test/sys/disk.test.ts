/**
 * The rows that make files, of both tables, on files of this machine: each does what its comment
 * says, refuses a bad descriptor, and names its error by number.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import { ERRNO } from "../../src/sys/errno.ts";
import { type Kernel, kernel } from "../../src/sys/kernel.ts";
import { portableKernel } from "../../src/sys/portable.ts";
import { AT_FDCWD, OPEN } from "../../src/sys/types.ts";
import { Tree } from "../rig/tree.ts";

const BAD = [-1, Number.NaN, undefined as unknown as number];
const TABLES: Record<string, Kernel> = { linux: kernel, portable: portableKernel() };
const TIME = 1_700_000_000_123_456_789n;
const { ESPIPE } = os.constants.errno;
const bytes = Buffer.from("0123456789abcdef");

/** A folder and the file "f" in it, both open by `rows`. */
function setUp(rows: Kernel, content = "") {
  const tree = new Tree({ f: content });
  const folder = rows.openat(AT_FDCWD, tree.root, OPEN.directory);
  const file = rows.openat(folder, "f", OPEN.readWrite);
  return {
    tree,
    folder,
    file,
    content: (name = "f"): string => fs.readFileSync(tree.path(name), "latin1"),
    names: (): string[] => fs.readdirSync(tree.root).sort(),
    [Symbol.dispose]() {
      rows.close(file);
      rows.close(folder);
      tree[Symbol.dispose]();
    },
  };
}

for (const [table, rows] of Object.entries(TABLES)) {
  test(`${table}: no row takes a bad descriptor for fd 0`, () => {
    using here = setUp(rows);
    for (const fd of BAD) {
      const answers = [
        rows.mkdirat(fd, "d", 0o777),
        rows.unlinkat(fd, "f", false),
        rows.unlinkat(fd, "f", true),
        rows.renameat(fd, "f", here.folder, "g", true),
        rows.renameat(here.folder, "f", fd, "g", true),
        rows.linkat(fd, "f", here.folder, "g"),
        rows.linkat(here.folder, "f", fd, "g"),
      ];
      expect(answers).toEqual(answers.map(() => -ERRNO.EBADF));
      const others = [
        rows.pwrite(fd, bytes, 1, 0n),
        rows.ftruncate(fd, 0n),
        rows.setMtime(fd, TIME),
        rows.nextData(fd, 0n),
        rows.fsync(fd),
        rows.fallocate(fd, 1n),
      ];
      expect([table, others.every((answer) => answer < 0)]).toEqual([table, true]);
      if (!rows.native) continue;
      const native = [
        ...others,
        rows.lock(fd),
        rows.cloneRange(fd, here.file, 0n, 1),
        rows.cloneRange(here.file, fd, 0n, 1),
        rows.copyRange(fd, here.file, 0n, 1),
        rows.copyRange(here.file, fd, 0n, 1),
        rows.syncfs(fd),
        rows.startSync(fd, 0n, 1),
        rows.setAttribute(fd, "user.x", "x"),
        rows.attribute(fd, "user.x"),
      ];
      expect(native).toEqual(native.map(() => -ERRNO.EBADF));
    }
    expect(here.names()).toEqual(["f"]);
  });

  test(`${table}: folders are made and removed, names are bytes, errors are the kernel's`, () => {
    using here = setUp(rows);
    const { folder } = here;
    const made = ["d", "d/e", "\xff", "d", "f", "f/g", "no/d", "n".repeat(256)].map((name) =>
      rows.mkdirat(folder, name, 0o700),
    );
    const { EEXIST, ENOTDIR, ENOENT, ENAMETOOLONG } = ERRNO;
    expect(made).toEqual([0, 0, 0, -EEXIST, -EEXIST, -ENOTDIR, -ENOENT, -ENAMETOOLONG]);
    expect(fs.statSync(here.tree.path("d")).mode & 0o777).toBe(0o700);
    expect(fs.existsSync(Buffer.from(`${here.tree.root}/\xff`, "latin1"))).toBe(true);
    here.tree.link("l", "d");
    const removed = [
      rows.unlinkat(folder, "nope", false),
      rows.unlinkat(folder, "d", true),
      rows.unlinkat(folder, "l", true),
      rows.unlinkat(folder, "f", true),
      rows.unlinkat(folder, "l", false),
      rows.unlinkat(folder, "d/e", true),
      rows.unlinkat(folder, "d", true),
      rows.unlinkat(folder, "\xff", true),
    ];
    const { ENOTEMPTY } = ERRNO;
    expect(removed).toEqual([-ENOENT, -ENOTEMPTY, -ENOTDIR, -ENOTDIR, 0, 0, 0, 0]);
    // An unlink of a folder is refused, by the one name or the other.
    rows.mkdirat(folder, "d", 0o700);
    expect([-ERRNO.EISDIR, -ERRNO.EPERM]).toContain(rows.unlinkat(folder, "d", false));
    expect(here.names()).toEqual(["d", "f"]);
  });

  test(`${table}: a rename replaces when it may, and a second name is refused over another`, () => {
    using here = setUp(rows, "new");
    const { folder, tree } = here;
    tree.write("old", "old");
    tree.write("d/x", "");
    const kept = rows.renameat(folder, "f", folder, "old", false);
    // What can't promise to keep it says so, and does nothing.
    expect(kept).toBe(rows.native ? -ERRNO.EEXIST : -ERRNO.EINVAL);
    expect(rows.linkat(folder, "f", folder, "old")).toBe(-ERRNO.EEXIST);
    expect([here.content("old"), here.content("f")]).toEqual(["old", "new"]);
    expect(rows.linkat(folder, "f", folder, "second")).toBe(0);
    expect(fs.statSync(tree.path("second")).ino).toBe(fs.statSync(tree.path("f")).ino);
    const other = rows.openat(folder, "d", OPEN.directory);
    const answers = [
      rows.renameat(folder, "f", folder, "old", true),
      rows.renameat(folder, "old", other, "moved", true),
      rows.renameat(folder, "nope", folder, "x", true),
      rows.renameat(folder, "second", folder, "d", true),
      rows.linkat(folder, "nope", folder, "x"),
    ];
    const { ENOENT, EISDIR } = ERRNO;
    expect(answers).toEqual([0, 0, -ENOENT, -EISDIR, -ENOENT]);
    expect([here.content("d/moved"), here.names()]).toEqual(["new", ["d", "second"]]);
    if (rows.native) {
      expect(rows.renameat(folder, "second", folder, "fresh", false)).toBe(0);
      expect(here.names()).toEqual(["d", "fresh"]);
    }
    rows.close(other);
  });

  test(`${table}: bytes are written at their offset, never past the buffer`, () => {
    using here = setUp(rows, "..........");
    const { file } = here;
    const written = [
      rows.pwrite(file, bytes, 3, 2n),
      rows.pwrite(file, bytes.subarray(10), 6, 12n),
      rows.pwrite(file, bytes, 0, 0n),
    ];
    expect([written, here.content()]).toEqual([[3, 6, 0], "..012.....\0\0abcdef"]);
    expect(rows.pwrite(file, bytes, 17, 0n)).toBeLessThan(0);
    const reading = rows.openat(here.folder, "f", OPEN.readOnly);
    expect(rows.pwrite(reading, bytes, 1, 0n)).toBe(-ERRNO.EBADF);
    expect(here.content()).toBe("..012.....\0\0abcdef");
    rows.close(reading);
  });

  test(`${table}: a file is cut and lengthened, and its time is set`, () => {
    using here = setUp(rows, "0123456789");
    const { file, tree } = here;
    expect([rows.ftruncate(file, 4n), here.content()]).toEqual([0, "0123"]);
    expect([rows.ftruncate(file, 6n), here.content()]).toEqual([0, "0123\0\0"]);
    for (const time of [TIME, 0n, 1_000_000n, 4_102_444_800_000_000_000n]) {
      expect(rows.setMtime(file, time)).toBe(0);
      const { mtimeNs } = fs.statSync(tree.path("f"), { bigint: true });
      expect(mtimeNs).toBe(rows.native ? time : time - (time % 1_000_000n));
    }
    expect([rows.fsync(file), rows.fsync(here.folder)]).toEqual([0, 0]);
  });
}

test("linux: what a libc can say of sizes past 4 GiB it says exactly", () => {
  using here = setUp(kernel);
  const { file } = here;
  const far = 2n ** 33n + 12_345n;
  expect(kernel.ftruncate(file, 2n ** 40n + 1n)).toBe(0);
  expect(fs.fstatSync(file, { bigint: true }).size).toBe(2n ** 40n + 1n);
  expect(kernel.pwrite(file, bytes, 16, far)).toBe(16);
  const next = BigInt(kernel.nextData(file, 4096n));
  // Data begins at a block's start.
  expect([next <= far, far - next < 65_536n]).toEqual([true, true]);
  expect(kernel.nextData(file, far)).toBe(Number(far));
  expect(kernel.nextData(file, far + 2n ** 20n)).toBe(-ERRNO.ENXIO);
  expect(kernel.nextData(file, 2n ** 41n)).toBe(-ERRNO.ENXIO);
  expect(kernel.startSync(file, far, 16)).toBe(0);
  expect(kernel.pwrite(file, bytes, 1, 2n ** 63n - 1n)).toBeLessThan(0);
  expect(kernel.ftruncate(file, -1n)).toBe(-ERRNO.EINVAL);
});

test("linux: room is reserved without touching what is there, and holes stay holes", () => {
  using here = setUp(kernel, "x");
  const { file } = here;
  expect(kernel.fallocate(file, 1_000_000n)).toBe(0);
  const { size, blocks } = fs.fstatSync(file);
  expect([size, blocks * 512 >= 1_000_000]).toEqual([1_000_000, true]);
  expect(kernel.nextData(file, 65_536n)).toBe(-ERRNO.ENXIO);
  expect(here.content().slice(0, 3)).toBe("x\0\0");
  // Less than there is: it stays.
  expect([kernel.fallocate(file, 10n), fs.fstatSync(file).size]).toEqual([0, 1_000_000]);
  expect(kernel.fallocate(file, 0n)).toBe(-ERRNO.EINVAL);
  expect(kernel.fallocate(file, 2n ** 62n)).toBe(-ERRNO.EFBIG);
});

test("linux: a range is copied to its own place, and to no other", () => {
  using here = setUp(kernel, "0123456789");
  const from = kernel.openat(here.folder, "f", OPEN.readOnly);
  const made = OPEN.readWrite | OPEN.create;
  const to = kernel.openat(here.folder, "g", made, 0o600);
  expect(kernel.copyRange(to, from, 3n, 4)).toBe(4);
  expect(kernel.copyRange(to, from, 8n, 100)).toBe(2);
  expect(kernel.copyRange(to, from, 10n, 1)).toBe(0);
  expect(fs.readFileSync(here.tree.path("g"), "latin1")).toBe("\0\0\x003456\x0089");
  expect(kernel.copyRange(from, to, 0n, 1)).toBe(-ERRNO.EBADF);
  // Most file systems of tests share no blocks, and none shares parts of one.
  expect(kernel.cloneRange(to, from, 1n, 3)).toBeLessThan(0);
  expect(fs.readFileSync(here.tree.path("g"), "latin1")).toBe("\0\0\x003456\x0089");
  kernel.close(from);
  kernel.close(to);
});

test("linux: mtime before 1970 is one, and atime is left alone", () => {
  using here = setUp(kernel, "x");
  fs.utimesSync(here.tree.path("f"), 1234, 5678);
  for (const time of [-1n, -1_000_000_001n, TIME]) {
    expect(kernel.setMtime(here.file, time)).toBe(0);
    const { mtimeNs, atimeNs } = fs.statSync(here.tree.path("f"), { bigint: true });
    expect([mtimeNs, atimeNs]).toEqual([time, 1_234_000_000_000n]);
  }
});

test("linux: a lock is of one opening of the file, and goes with it", () => {
  using here = setUp(kernel);
  const other = kernel.openat(here.folder, "f", OPEN.readOnly);
  expect([kernel.lock(here.file), kernel.lock(here.file)]).toEqual([0, 0]);
  expect([kernel.lock(other), kernel.lock(other)]).toEqual([-ERRNO.EAGAIN, -ERRNO.EAGAIN]);
  kernel.close(here.file);
  expect(kernel.lock(other)).toBe(0);
  // A folder is locked as a file is.
  expect(kernel.lock(here.folder)).toBe(0);
  kernel.close(other);
});

test("linux: what no disk is behind is refused by number", () => {
  using tree = new Tree();
  expect(Bun.spawnSync(["mkfifo", tree.path("p")]).exitCode).toBe(0);
  const pipe = kernel.openat(AT_FDCWD, tree.path("p"), OPEN.readWrite | OPEN.nonBlocking);
  const answers = [
    kernel.pwrite(pipe, bytes, 1, 0n),
    kernel.fallocate(pipe, 1n),
    kernel.ftruncate(pipe, 1n),
    kernel.nextData(pipe, 0n),
    kernel.fsync(pipe),
    kernel.startSync(pipe, 0n, 1),
  ];
  const { EINVAL } = ERRNO;
  expect(answers).toEqual([-ESPIPE, -ESPIPE, -EINVAL, -ESPIPE, -EINVAL, -ESPIPE]);
  kernel.close(pipe);
  const full = kernel.openat(AT_FDCWD, "/dev/full", OPEN.writeOnly);
  expect(kernel.pwrite(full, bytes, 1, 0n)).toBe(-ERRNO.ENOSPC);
  kernel.close(full);
});

test("linux: all of a file system is synced by any descriptor on it", () => {
  using here = setUp(kernel, "x");
  expect([kernel.syncfs(here.file), kernel.syncfs(here.folder)]).toEqual([0, 0]);
});

test("linux: an attribute is read as it was set, where there are such, and errors are numbers", () => {
  using here = setUp(kernel, "x");
  const { file } = here;
  const set = kernel.setAttribute(file, "user.test.one", "0123456789abcdef");
  if (set !== 0) {
    // A file system without: each call says so.
    const answers = [set, kernel.attribute(file, "user.test.one")];
    expect(answers).toEqual([-ERRNO.EOPNOTSUPP, -ERRNO.EOPNOTSUPP]);
    return;
  }
  expect(kernel.attribute(file, "user.test.one")).toBe("0123456789abcdef");
  expect(kernel.attribute(file, "user.test.two")).toBe(-ERRNO.ENODATA);
  const longest = "\xe9".repeat(2048);
  expect(kernel.setAttribute(file, "user.test.one", longest)).toBe(0);
  expect(kernel.attribute(file, "user.test.one")).toBe(longest);
  expect(kernel.setAttribute(file, "user.test.one", `${longest}!`)).toBe(-ERRNO.E2BIG);
  expect(kernel.attribute(file, "user.test.one")).toBe(longest);
  expect([
    kernel.setAttribute(file, "user.test.one", ""),
    kernel.attribute(file, "user.test.one"),
  ]).toEqual([0, ""]);
  expect(kernel.setAttribute(file, "nonsense", "x")).toBe(-ERRNO.EOPNOTSUPP);
});

test("linux: names that are too long for the buffer are refused, both of them", () => {
  using here = setUp(kernel);
  const long = "n".repeat(9000);
  const { folder } = here;
  const answers = [
    kernel.mkdirat(folder, long, 0o777),
    kernel.unlinkat(folder, long, false),
    kernel.renameat(folder, long, folder, "g", true),
    kernel.renameat(folder, "f", folder, long, true),
    kernel.linkat(folder, "f", folder, long),
  ];
  expect(answers).toEqual(answers.map(() => -ERRNO.ENAMETOOLONG));
  // A name is ended where it ends, whatever a longer one left in the buffer.
  expect(kernel.mkdirat(folder, "a-longer-name", 0o700)).toBe(0);
  expect(kernel.mkdirat(folder, "a", 0o700)).toBe(0);
  expect(here.names()).toEqual(["a", "a-longer-name", "f"]);
});

test("portable: what node:fs lacks is said, or done without effect", () => {
  const rows = portableKernel();
  using here = setUp(rows, "four");
  const { file } = here;
  const missing = [rows.fallocate(file, 9n), rows.setAttribute(file, "user.x", "x")];
  expect(missing).toEqual([-ERRNO.EOPNOTSUPP, -ERRNO.EOPNOTSUPP]);
  expect([rows.attribute(file, "user.x"), rows.syncfs(file)]).toEqual([
    -ERRNO.EOPNOTSUPP,
    -ERRNO.ENOSYS,
  ]);
  expect([rows.lock(file), rows.startSync(file, 0n, 1)]).toEqual([-ERRNO.ENOSYS, 0]);
  // Everything before the end may be data.
  expect([rows.nextData(file, 0n), rows.nextData(file, 3n), rows.nextData(file, 4n)]).toEqual([
    0,
    3,
    -ERRNO.ENXIO,
  ]);
});
