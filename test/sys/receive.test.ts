/** The rows that receive, against real sockets and pipes: bytes, ends and errors by number. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { portableKernel } from "../../src/sys/portable.ts";
import { AT_FDCWD, OPEN, PollTable } from "../../src/sys/types.ts";
import { pair, readable } from "../receive/pair.ts";
import { eventually } from "../rig/faults.ts";
import { Tree } from "../rig/tree.ts";

const BAD = [-1, Number.NaN, undefined as unknown as number];
const { ENOTSOCK } = os.constants.errno;
const bytes = new Uint8Array(16);
const text = (count: number): string => Buffer.from(bytes.subarray(0, count)).toString();

/** A pipe that never blocks, and a file to empty it into. */
function setUp() {
  const tree = new Tree({ f: "" });
  const file = kernel.openat(AT_FDCWD, tree.path("f"), OPEN.readWrite);
  const ends = new Int32Array(2);
  const size = kernel.pipe(ends, 1 << 20);
  const [reading = -1, writing = -1] = ends;
  return {
    tree,
    file,
    reading,
    writing,
    size,
    content: (): string => fs.readFileSync(tree.path("f"), "latin1"),
    [Symbol.dispose]() {
      for (const fd of [file, reading, writing]) kernel.close(fd);
      tree[Symbol.dispose]();
    },
  };
}

test("no row takes a bad descriptor for fd 0", () => {
  for (const fd of BAD) {
    const answers = [
      kernel.recv(fd, bytes, 1),
      kernel.spliceIn(fd, 1, 1),
      kernel.spliceIn(1, fd, 1),
      kernel.spliceOut(fd, 1, 0n, 1),
      kernel.spliceOut(1, fd, 0n, 1),
    ];
    expect(answers).toEqual(answers.map(() => -ERRNO.EBADF));
  }
  expect(kernel.recv(0, bytes, 17)).toBe(-ERRNO.EBADF);
  expect(kernel.pollIn(new PollTable(2), 3, 0)).toBe(-ERRNO.EBADF);
});

test("recv takes what is there, never waits, and tells FIN from RST", async () => {
  using both = await pair();
  const { fd } = both.socket;
  expect(kernel.recv(fd, bytes, 16)).toBe(-ERRNO.EAGAIN);
  both.peer.send("abcdef");
  await eventually("bytes", () => readable(fd));
  expect([kernel.recv(fd, bytes, 4), text(4)]).toEqual([4, "abcd"]);
  expect([kernel.recv(fd, bytes, 16), text(2)]).toEqual([2, "ef"]);
  expect(kernel.recv(fd, bytes, 16)).toBe(-ERRNO.EAGAIN);
  both.peer.finish();
  await eventually("FIN", () => readable(fd));
  expect([kernel.recv(fd, bytes, 16), kernel.recv(fd, bytes, 16)]).toEqual([0, 0]);
  using other = await pair();
  other.peer.reset();
  await eventually("RST", () => readable(other.socket.fd));
  expect(kernel.recv(other.socket.fd, bytes, 16)).toBe(-ERRNO.ECONNRESET);
});

test("a pipe has the size that was asked for, never blocks, and is closed on exec", () => {
  using here = setUp();
  expect(here.size).toBeGreaterThanOrEqual(65_536);
  for (const fd of [here.reading, here.writing]) {
    const info = fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
    const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? "0", 8);
    expect(flags & OPEN.closeOnExec).toBe(OPEN.closeOnExec);
    expect(flags & fs.constants.O_NONBLOCK).toBe(fs.constants.O_NONBLOCK);
  }
  let held = 0;
  const block = new Uint8Array(65_536);
  for (let taken = 0; (taken = kernel.write(here.writing, block, block.length)) > 0;) held += taken;
  expect(held).toBe(here.size);
  // More than an ordinary user may have: what there is is told, and it is a pipe.
  const ends = new Int32Array(2);
  expect(kernel.pipe(ends, 1 << 30)).toBeGreaterThanOrEqual(65_536);
  for (const fd of ends) expect(kernel.close(fd)).toBe(0);
});

test("bytes go from a socket through a pipe into a file, at their offset", async () => {
  using both = await pair();
  using here = setUp();
  const { fd } = both.socket;
  expect(kernel.spliceIn(fd, here.writing, 100)).toBe(-ERRNO.EAGAIN);
  expect(kernel.spliceOut(here.reading, here.file, 0n, 100)).toBe(-ERRNO.EAGAIN);
  both.peer.send("abcdefgh");
  await eventually("bytes", () => readable(fd));
  expect(kernel.spliceIn(fd, here.writing, 6)).toBe(6);
  expect(kernel.spliceOut(here.reading, here.file, 3n, 2)).toBe(2);
  expect(kernel.spliceOut(here.reading, here.file, 5n, 100)).toBe(4);
  expect(here.content()).toBe("\0\0\0abcdef");
  expect(kernel.spliceIn(fd, here.writing, 100)).toBe(2);
  expect(kernel.spliceOut(here.reading, here.file, 2n ** 33n, 100)).toBe(2);
  expect(fs.fstatSync(here.file, { bigint: true }).size).toBe(2n ** 33n + 2n);
  both.peer.finish();
  await eventually("FIN", () => readable(fd));
  expect([kernel.spliceIn(fd, here.writing, 1), kernel.spliceIn(fd, here.writing, 1)]).toEqual([
    0, 0,
  ]);
  using other = await pair();
  other.peer.reset();
  await eventually("RST", () => readable(other.socket.fd));
  expect(kernel.spliceIn(other.socket.fd, here.writing, 1)).toBe(-ERRNO.ECONNRESET);
});

test("a pipe that is full takes no more, though the socket has some", async () => {
  using both = await pair();
  using here = setUp();
  const block = new Uint8Array(65_536);
  while (kernel.write(here.writing, block, block.length) > 0);
  both.peer.send("x");
  await eventually("bytes", () => readable(both.socket.fd));
  expect(kernel.spliceIn(both.socket.fd, here.writing, 1)).toBe(-ERRNO.EAGAIN);
  expect([kernel.recv(both.socket.fd, bytes, 1), text(1)]).toEqual([1, "x"]);
});

test("what can't be received from, or take from a pipe, says so", async () => {
  using both = await pair();
  using here = setUp();
  expect(kernel.recv(here.file, bytes, 1)).toBe(-ENOTSOCK);
  expect(kernel.spliceIn(here.file, here.file, 1)).toBe(-ERRNO.EINVAL);
  kernel.write(here.writing, bytes, 4);
  const appending = fs.openSync(here.tree.path("f"), "a");
  expect(kernel.spliceOut(here.reading, appending, 0n, 4)).toBe(-ERRNO.EINVAL);
  fs.closeSync(appending);
  const full = kernel.openat(AT_FDCWD, "/dev/full", OPEN.writeOnly);
  expect(kernel.spliceOut(here.reading, full, 0n, 4)).toBeLessThan(0);
  kernel.close(full);
  expect([here.content(), both.socket.fd >= 0]).toEqual(["", true]);
});

test("poll tells which of many have something, and waits no longer than it may", async () => {
  using one = await pair();
  using two = await pair();
  using three = await pair();
  const table = new PollTable(4);
  const all = [one, two, three];
  const states = (): boolean[] => all.map((_, nth) => table.ready(nth));
  all.forEach(({ socket }, nth) => table.set(nth, socket.fd));
  expect([kernel.pollIn(table, 3, 0), ...states()]).toEqual([0, false, false, false]);
  const before = performance.now();
  expect(kernel.pollIn(table, 3, 3)).toBe(0);
  expect(performance.now() - before).toBeGreaterThanOrEqual(2);
  two.peer.send("x");
  await eventually("bytes", () => readable(two.socket.fd));
  expect([kernel.pollIn(table, 3, 60_000), ...states()]).toEqual([1, false, true, false]);
  three.peer.finish();
  await eventually("FIN", () => readable(three.socket.fd));
  expect([kernel.pollIn(table, 3, 0), ...states()]).toEqual([2, false, true, true]);
  // What was ready once is not for ever.
  kernel.recv(two.socket.fd, bytes, 1);
  expect([kernel.pollIn(table, 3, 0), ...states()]).toEqual([1, false, false, true]);
  // None is asked about beyond the count; a closed one is something, a negative one is not.
  expect(kernel.pollIn(table, 2, 0)).toBe(0);
  const ends = new Int32Array(2);
  kernel.pipe(ends, 4096);
  for (const fd of ends) kernel.close(fd);
  table.set(0, ends[0]!);
  table.set(2, -1);
  expect([kernel.pollIn(table, 3, 0), ...states()]).toEqual([1, true, false, false]);
});

test("without FFI all of them say that they are missing", () => {
  const rows = portableKernel();
  const answers = [
    rows.recv(1, bytes, 1),
    rows.pipe(new Int32Array(2), 1),
    rows.spliceIn(1, 1, 1),
    rows.spliceOut(1, 1, 0n, 1),
    rows.pollIn(new PollTable(1), 1, 0),
  ];
  expect(answers).toEqual(answers.map(() => -ERRNO.ENOSYS));
});
