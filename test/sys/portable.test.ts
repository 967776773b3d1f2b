/**
 * The rows where there is no Linux libc, on files of this machine: what node:fs can do answers as
 * the kernel would, the rest says so, and nothing throws.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { ERRNO } from "../../src/sys/errno.ts";
import { portableKernel } from "../../src/sys/portable.ts";
import { AT_FDCWD, FileStat, OPEN, RESOLVE, SOCKET } from "../../src/sys/types.ts";
import { Tree } from "../rig/tree.ts";

const rows = portableKernel();
const bytes = new Uint8Array(16);
const text = (count: number): string => Buffer.from(bytes.subarray(0, count)).toString();

test("openat gives a descriptor, or the errno of what is wrong with the name", () => {
  using tree = new Tree({ "d/f": "twelve bytes" });
  const open = (path: string, flags: number = OPEN.readOnly): number =>
    rows.openat(AT_FDCWD, path, flags);
  const fd = open(tree.path("d/f"));
  expect(fs.fstatSync(fd).size).toBe(12);
  expect(rows.close(fd)).toBe(0);
  expect(() => fs.fstatSync(fd)).toThrow();
  const failed = [
    open(tree.path("nope")),
    open(tree.path("d/f/g")),
    open(tree.path("n".repeat(256))),
    open(tree.path("d"), OPEN.writeOnly),
  ];
  expect(failed).toEqual([-ERRNO.ENOENT, -ERRNO.ENOTDIR, -ERRNO.ENAMETOOLONG, -ERRNO.EISDIR]);
});

test("names are bytes, UTF-8 or not", () => {
  using tree = new Tree();
  const name = Buffer.from(`${tree.root}/\xff\xe9`, "latin1");
  fs.writeFileSync(name, "x");
  fs.symlinkSync(Buffer.from("\xfe", "latin1"), tree.path("link"));
  const fd = rows.openat(AT_FDCWD, name.toString("latin1"), OPEN.readOnly);
  expect(fd).toBeGreaterThanOrEqual(0);
  expect(rows.close(fd)).toBe(0);
  expect(rows.statx(AT_FDCWD, name.toString("latin1"), new FileStat())).toBe(0);
  expect(rows.readlink(tree.path("link"))).toBe("\xfe");
});

test("statx equals lstat of a name and fstat of a descriptor", () => {
  using tree = new Tree({ f: "twelve bytes", d: null });
  tree.link("l", "f");
  for (const name of ["f", "d", "l"]) {
    const stat = new FileStat();
    expect(rows.statx(AT_FDCWD, tree.path(name), stat)).toBe(0);
    const want = fs.lstatSync(tree.path(name), { bigint: true });
    const { uid, mode, dev, ino, size, mtime, ctime } = stat;
    expect({ uid, mode, dev, ino, size, mtime, ctime }).toEqual({
      uid: Number(want.uid),
      mode: Number(want.mode),
      dev: want.dev,
      ino: want.ino,
      size: want.size,
      mtime: want.mtimeNs,
      ctime: want.ctimeNs,
    });
    expect([stat.isFile, stat.isDirectory, stat.isLink].indexOf(true)).toBe(
      ["f", "d", "l"].indexOf(name),
    );
  }
  const fd = fs.openSync(tree.path("f"), "r");
  const [named, opened] = [new FileStat(), new FileStat()];
  expect([rows.statx(AT_FDCWD, tree.path("f"), named), rows.statx(fd, "", opened)]).toEqual([0, 0]);
  expect(opened.same(named)).toBe(true);
  fs.closeSync(fd);
  expect(rows.statx(AT_FDCWD, tree.path("nope"), named)).toBe(-ERRNO.ENOENT);
});

test("readlink tells where a link points, and EINVAL of what is none", () => {
  using tree = new Tree({ f: "x" });
  tree.link("l", "somewhere/else");
  const answers = ["l", "f", "nope"].map((name) => rows.readlink(tree.path(name)));
  expect(answers).toEqual(["somewhere/else", -ERRNO.EINVAL, -ERRNO.ENOENT]);
});

test("pread reads at an offset and 0 at the end; write appends what it is given", () => {
  using tree = new Tree({ f: "twelve bytes", out: "" });
  const file = rows.openat(AT_FDCWD, tree.path("f"), OPEN.readOnly);
  expect([rows.pread(file, bytes, 5, 7n), text(5)]).toEqual([5, "bytes"]);
  expect([rows.pread(file, bytes, 16, 7n), text(5)]).toEqual([5, "bytes"]);
  expect([rows.pread(file, bytes, 5, 12n), rows.pread(file, bytes, 5, 99n)]).toEqual([0, 0]);
  const out = rows.openat(AT_FDCWD, tree.path("out"), OPEN.writeOnly);
  expect([rows.write(out, bytes, 3), rows.write(out, bytes, 2)]).toEqual([3, 2]);
  expect(fs.readFileSync(tree.path("out"), "latin1")).toBe("bytby");
  expect([rows.pread(out, bytes, 1, 0n), rows.write(file, bytes, 1)]).toEqual([
    -ERRNO.EBADF,
    -ERRNO.EBADF,
  ]);
  expect([rows.close(file), rows.close(out), rows.close(out)]).toEqual([0, 0, -ERRNO.EBADF]);
});

test("a bad descriptor is an error, never fd 0 and never thrown", () => {
  for (const fd of [-1, Number.NaN, undefined as unknown as number]) {
    const answers = [
      rows.close(fd),
      rows.statx(fd, "", new FileStat()),
      rows.pread(fd, bytes, 1, 0n),
      rows.write(fd, bytes, 1),
    ];
    expect(answers.every((answer) => answer < 0)).toBe(true);
  }
});

test("names below a directory and its records are had by its path, of what was opened here", () => {
  using tree = new Tree({ "d/f": "twelve bytes", "d/g": "" });
  const fd = rows.openat(AT_FDCWD, tree.path("d"), OPEN.readOnly | OPEN.directory);
  const file = rows.openat(fd, "f", OPEN.readOnly);
  expect([rows.pread(file, bytes, 5, 7n), text(5)]).toEqual([5, "bytes"]);
  const stat = new FileStat();
  expect([rows.statx(fd, "f", stat), stat.size]).toEqual([0, 12n]);
  expect(rows.readlink(`/proc/self/fd/${file}`)).toBe(tree.path("d/f"));
  // One record of 21 bytes fits at a time; a name that is not taken comes next.
  const names: string[] = [];
  const record = Buffer.alloc(32);
  while (rows.getdents(fd, record) > 0) names.push(record.toString("latin1", 19, 20));
  expect(names.sort()).toEqual(["f", "g"]);
  expect(rows.getdents(file, record)).toBe(-ERRNO.ENOTDIR);
  expect([rows.close(file), rows.close(fd)]).toEqual([0, 0]);
  const unknown = [rows.openat(fd, "f", 0), rows.statx(fd, "f", stat), rows.getdents(fd, record)];
  expect(unknown).toEqual(unknown.map(() => -ERRNO.EBADF));
});

test("what node:fs lacks is ENOSYS, and options are taken without effect", () => {
  expect(rows.native).toBe(false);
  const missing = [
    rows.openat2(AT_FDCWD, ".", OPEN.path, RESOLVE.beneath),
    rows.sendfile(1, 0, 0n, 1),
    rows.sendMore(1, bytes, 1),
    rows.getsockopt(0, SOCKET.level, SOCKET.receiveBuffer),
    rows.unacked(0),
  ];
  expect(missing).toEqual(missing.map(() => -ERRNO.ENOSYS));
  expect([rows.setsockopt(0, 1, 1, 1), rows.listen(0, 1), rows.pollOut(1, 0)]).toEqual([0, 0, 1]);
  expect(rows.nofile()).toBe(256);
});
