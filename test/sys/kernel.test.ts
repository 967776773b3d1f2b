/**
 * Each row of the table against the real kernel: what its comment says is what it does. And what
 * the program relies on of Bun's own sockets, with real ones.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { portableKernel } from "../../src/sys/portable.ts";
import { AT_FDCWD, FileStat, OPEN, RESOLVE, SOCKET } from "../../src/sys/types.ts";
import { connected } from "../rig/connected.ts";
import { eventually } from "../rig/faults.ts";
import { Peer } from "../rig/peer.ts";
import { Tree } from "../rig/tree.ts";

const BAD = [-1, Number.NaN, undefined as unknown as number];
/** Errors that the program never tells apart. */
const { ENOPROTOOPT, ENOTSOCK, ENOTTY, ESPIPE } = os.constants.errno;
const bytes = new Uint8Array(16);

test("no row takes a bad descriptor for fd 0", () => {
  for (const fd of BAD) {
    const answers = [
      kernel.openat2(fd, ".", OPEN.path, RESOLVE.beneath),
      kernel.openat(fd, ".", OPEN.path),
      kernel.statx(fd, "", new FileStat()),
      kernel.close(fd),
      kernel.getdents(fd, bytes),
      kernel.sendfile(fd, 0, 0n, 1),
      kernel.sendfile(1, fd, 0n, 1),
      kernel.sendMore(fd, bytes, 1),
      kernel.pread(fd, bytes, 1, 0n),
      kernel.resident(fd, 0n),
      kernel.write(fd, bytes, 1),
      kernel.pollOut(fd, 0),
      kernel.setsockopt(fd, SOCKET.level, SOCKET.receiveBuffer, 1),
      kernel.getsockopt(fd, SOCKET.level, SOCKET.receiveBuffer),
      kernel.listen(fd, 1),
      kernel.unacked(fd),
    ];
    expect(answers).toEqual(answers.map(() => -ERRNO.EBADF));
  }
});

test("openat2 stays beneath its directory, by the kernel's own errors", () => {
  using tree = new Tree({ "d/f": "x" });
  tree.link("in", "d/f");
  tree.link("out", "/etc/passwd");
  const root = kernel.openat(AT_FDCWD, tree.root, OPEN.directory);
  const open = (path: string, more = 0): number =>
    kernel.openat2(root, path, OPEN.path, RESOLVE.beneath | more);
  const answers = ["out", "../x", "/etc/passwd", "nope", "d/f/", "d/f/g"].map((path) => open(path));
  const { EXDEV, ENOENT, ENOTDIR, ELOOP } = ERRNO;
  expect(answers).toEqual([-EXDEV, -EXDEV, -EXDEV, -ENOENT, -ENOTDIR, -ENOTDIR]);
  expect(open("in", RESOLVE.noSymlinks)).toBe(-ELOOP);
  const fd = open("in");
  expect(kernel.readlink(`/proc/self/fd/${fd}`)).toBe(tree.path("d/f"));
  expect([kernel.close(fd), kernel.close(root)]).toEqual([0, 0]);
});

test("openat2 and openat name what is wrong, and pass a long name's error on", () => {
  using tree = new Tree({ "d/f": "x" });
  tree.link("loop", "loop");
  const root = kernel.openat(AT_FDCWD, tree.root, OPEN.directory);
  for (const open of [
    (path: string) => kernel.openat2(root, path, OPEN.path, RESOLVE.beneath),
    (path: string) => kernel.openat(root, path, OPEN.path),
  ]) {
    const names = ["nope", "d/f/g", "loop/x", "n".repeat(256), "d/".repeat(2500), "n".repeat(9000)];
    const { ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG } = ERRNO;
    const long = [-ENAMETOOLONG, -ENAMETOOLONG, -ENAMETOOLONG];
    expect(names.map(open)).toEqual([-ENOENT, -ENOTDIR, -ELOOP, ...long]);
  }
  // Every one is closed on exec: a child must not inherit a served file.
  const fd = kernel.openat2(root, "d/f", OPEN.readOnly, RESOLVE.beneath);
  for (const opened of [fd, root]) {
    const info = fs.readFileSync(`/proc/self/fdinfo/${opened}`, "latin1");
    const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? "0", 8);
    expect(flags & OPEN.closeOnExec).toBe(OPEN.closeOnExec);
    expect(kernel.close(opened)).toBe(0);
  }
  expect(kernel.close(fd)).toBe(-ERRNO.EBADF);
});

test("statx equals statSync for every kind of name, and follows no link", () => {
  using tree = new Tree({ f: "twelve bytes", d: null, old: "" });
  tree.link("l", "f");
  fs.truncateSync(tree.path("f"), 2 ** 40 + 1);
  fs.utimesSync(tree.path("old"), -86_400.5, -86_400.5);
  const root = kernel.openat(AT_FDCWD, tree.root, OPEN.directory);
  const stat = new FileStat();
  for (const path of ["f", "d", "l", "old"]) {
    expect(kernel.statx(root, path, stat)).toBe(0);
    const want = fs.lstatSync(tree.path(path), { bigint: true });
    // fs packs dev as one number, statx(2) gives its halves.
    const dev = (BigInt(want.dev) >> 8n) & 0xfffn;
    expect([stat.mode, stat.ino, stat.size, stat.mtime, stat.ctime, stat.dev >> 32n]).toEqual([
      Number(want.mode),
      want.ino,
      want.size,
      want.mtimeNs,
      want.ctimeNs,
      dev,
    ]);
  }
  expect(kernel.statx(root, "nope", stat)).toBe(-ERRNO.ENOENT);
  expect(kernel.statx(root, "f/g", stat)).toBe(-ERRNO.ENOTDIR);
  expect(kernel.statx(-1, "", stat)).toBe(-ERRNO.EBADF);
  kernel.close(root);
});

test("readlink gives a link's bytes, and EINVAL for what is none", () => {
  using tree = new Tree({ f: "x" });
  tree.link("l", "x".repeat(4000));
  fs.symlinkSync(Buffer.from("\xff/\xe9", "latin1"), tree.path("bytes"));
  const answers = ["l", "bytes", "f", "nope"].map((path) => kernel.readlink(tree.path(path)));
  const failed = [-ERRNO.EINVAL, -ERRNO.ENOENT];
  expect(answers).toEqual(["x".repeat(4000), "\xff/\xe9", ...failed]);
});

test("getdents lists every name once, then 0; a file is none and a small buffer is told", () => {
  using tree = new Tree({ d: null });
  const wanted = Array.from({ length: 500 }, (_, i) => `${i}${"x".repeat(i % 200)}`).sort();
  for (const name of wanted) tree.write(`d/${name}`, "");
  const fd = kernel.openat(AT_FDCWD, tree.path("d"), OPEN.directory);
  const records = Buffer.alloc(4096);
  const names: string[] = [];
  for (let filled; (filled = kernel.getdents(fd, records)) !== 0;) {
    expect(filled).toBeGreaterThan(0);
    for (let at = 0; at < filled; at += records.readUInt16LE(at + 16)) {
      names.push(records.toString("latin1", at + 19, records.indexOf(0, at + 19)));
    }
  }
  expect(names.filter((name) => name !== "." && name !== "..").sort()).toEqual(wanted);
  expect(kernel.getdents(fd, records)).toBe(0);
  kernel.close(fd);
  const again = kernel.openat(AT_FDCWD, tree.path("d"), OPEN.directory);
  expect(kernel.getdents(again, new Uint8Array(8))).toBe(-ERRNO.EINVAL);
  kernel.close(again);
  const file = kernel.openat(AT_FDCWD, tree.path(`d/${wanted[0]}`), OPEN.readOnly);
  expect(kernel.getdents(file, records)).toBe(-ERRNO.ENOTDIR);
  kernel.close(file);
});

test("pread, write and sendMore never go past the buffer they are given", () => {
  using tree = new Tree({ f: "twelve bytes" });
  const fd = kernel.openat(AT_FDCWD, tree.path("f"), fs.constants.O_RDWR);
  const wrong = [
    kernel.pread(fd, bytes, 17, 0n),
    kernel.write(fd, bytes, 17),
    kernel.sendMore(fd, bytes, 17),
  ];
  expect(wrong.every((answer) => answer < 0)).toBe(true);
  expect(kernel.pread(fd, bytes, 16, 99n)).toBe(0);
  const directory = kernel.openat(AT_FDCWD, tree.root, OPEN.directory);
  expect(kernel.pread(directory, bytes, 1, 0n)).toBe(-ERRNO.EISDIR);
  expect(fs.readFileSync(tree.path("f"), "latin1")).toBe("twelve bytes");
  kernel.close(fd);
  kernel.close(directory);
});

test("statx and the portable rows tell what node:fs tells", () => {
  using tree = new Tree({ f: "twelve bytes" });
  for (const rows of [kernel, portableKernel()]) {
    const fd = rows.openat(AT_FDCWD, tree.path("f"), OPEN.readOnly);
    const stat = new FileStat();
    expect(rows.statx(fd, "", stat)).toBe(0);
    const want = fs.fstatSync(fd, { bigint: true });
    expect([stat.ino, stat.size, stat.mtime, stat.ctime]).toEqual([
      want.ino,
      want.size,
      want.mtimeNs,
      want.ctimeNs,
    ]);
    expect([stat.isFile, stat.isDirectory, stat.isLink]).toEqual([true, false, false]);
    expect(rows.pread(fd, bytes, 5, 7n)).toBe(5);
    expect(Buffer.from(bytes.subarray(0, 5)).toString()).toBe("bytes");
    expect(rows.pread(fd, bytes, 5, 12n)).toBe(0);
    expect(rows.openat(AT_FDCWD, tree.path("nope"), OPEN.readOnly)).toBe(-ERRNO.ENOENT);
    expect(rows.close(fd)).toBe(0);
  }
});

test("sendfile gives 0 at and past the end, each time, and names what can't be sent", async () => {
  using tree = new Tree({ f: "twelve bytes" });
  const fd = kernel.openat(AT_FDCWD, tree.path("f"), OPEN.readOnly);
  const directory = kernel.openat(AT_FDCWD, tree.root, OPEN.directory);
  expect(Bun.spawnSync(["mkfifo", tree.path("p")]).exitCode).toBe(0);
  const pipe = kernel.openat(AT_FDCWD, tree.path("p"), fs.constants.O_RDWR | OPEN.nonBlocking);
  let text = "";
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        const moved = [0n, 12n, 13n, 12n].map((at) => kernel.sendfile(socket.fd, fd, at, 100));
        const failed = kernel.sendfile(socket.fd, directory, 0n, 1);
        // A pipe has no offsets.
        const piped = kernel.sendfile(socket.fd, pipe, 0n, 1);
        text = JSON.stringify([...moved, failed, piped]);
        expect(kernel.sendMore(socket.fd, Buffer.from("!"), 1)).toBe(1);
        socket.shutdown();
      },
      data() {},
    },
  });
  using peer = await Peer.dial(listener.port);
  const got = (await peer.all()).bytes.toString();
  expect(got).toBe("twelve bytes!");
  expect(text).toBe(JSON.stringify([12, 0, 0, 0, -ERRNO.EINVAL, -ESPIPE]));
  listener.stop(true);
  kernel.close(fd);
  kernel.close(pipe);
  kernel.close(directory);
});

test("a listener's options are inherited by the connections it accepts", async () => {
  const seen = Promise.withResolvers<number[]>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        const lowat = kernel.getsockopt(socket.fd, SOCKET.tcpLevel, SOCKET.tcpNotSentLowat);
        seen.resolve([lowat, kernel.getsockopt(socket.fd, SOCKET.level, SOCKET.receiveBuffer)]);
      },
      data() {},
    },
  });
  kernel.setsockopt(listener.fd, SOCKET.tcpLevel, SOCKET.tcpNotSentLowat, 12_345);
  kernel.setsockopt(listener.fd, SOCKET.level, SOCKET.receiveBuffer, 10_000);
  const client = net.connect(listener.port, "127.0.0.1");
  // The kernel doubles a receive buffer for its own use (socket(7)).
  expect(await seen.promise).toEqual([12_345, 20_000]);
  client.destroy();
  listener.stop(true);
});

test("poll says no for a pipe that is full, and the limit of descriptors is one", async () => {
  using tree = new Tree();
  expect(Bun.spawnSync(["mkfifo", tree.path("p")]).exitCode).toBe(0);
  const fd = kernel.openat(AT_FDCWD, tree.path("p"), fs.constants.O_RDWR | OPEN.nonBlocking);
  expect(kernel.pollOut(fd, 0)).toBe(1);
  while (kernel.write(fd, new Uint8Array(4096), 4096) > 0);
  expect(kernel.pollOut(fd, 0)).toBe(0);
  expect(kernel.write(fd, bytes, 1)).toBe(-ERRNO.EAGAIN);
  kernel.close(fd);
  expect(kernel.nofile()).toBeGreaterThanOrEqual(256);
});

test("a write that is refused after sendfile's EAGAIN makes drain come", async () => {
  using tree = new Tree({ f: Buffer.alloc(1_000_000, "f") });
  const fd = kernel.openat(AT_FDCWD, tree.path("f"), OPEN.readOnly);
  let drains = 0;
  using both = await connected({ drain: () => void drains++ });
  const { peer, socket } = both;
  peer.socket.pause();
  let sent = 0;
  let taken = 1;
  // Until both say no: a byte may still fit where a page did not.
  while (taken === 1) {
    let moved = 0;
    while ((moved = kernel.sendfile(socket.fd, fd, 0n, 1_000_000)) > 0) sent += moved;
    expect(moved).toBe(-ERRNO.EAGAIN);
    taken = socket.write(Buffer.from("w"), 0, 1);
    sent += taken;
  }
  expect([taken, drains]).toEqual([0, 0]);
  expect(kernel.unacked(socket.fd)).toBeGreaterThan(0);
  expect(kernel.pollOut(socket.fd, 0)).toBe(0);
  peer.socket.resume();
  await eventually("drain", () => drains > 0);
  expect(kernel.pollOut(socket.fd, 0)).toBe(1);
  // The refused byte is not kept by Bun: what comes is what was counted.
  socket.shutdown();
  expect((await peer.all()).bytes.length).toBe(sent);
  kernel.close(fd);
});

test("what the peer has is acknowledged, and options are read back as they were set", async () => {
  using both = await connected();
  const { peer, socket } = both;
  expect(kernel.unacked(socket.fd)).toBe(0);
  expect(kernel.sendMore(socket.fd, Buffer.from("held"), 4)).toBe(4);
  // MSG_MORE: the four bytes wait for more and are nobody's yet.
  expect(kernel.unacked(socket.fd)).toBe(4);
  socket.write(Buffer.from(" back"), 0, 5);
  expect((await peer.take(9)).toString()).toBe("held back");
  await eventually("the acknowledgement", () => kernel.unacked(socket.fd) === 0);
  const { tcpLevel, tcpCork, tcpNotSentLowat } = SOCKET;
  for (const cork of [1, 0]) {
    expect(kernel.setsockopt(socket.fd, tcpLevel, tcpCork, cork)).toBe(0);
    expect(kernel.getsockopt(socket.fd, tcpLevel, tcpCork)).toBe(cork);
  }
  expect(kernel.setsockopt(socket.fd, tcpLevel, tcpNotSentLowat, 4321)).toBe(0);
  expect(kernel.getsockopt(socket.fd, tcpLevel, tcpNotSentLowat)).toBe(4321);
  const unknown = kernel.getsockopt(socket.fd, tcpLevel, 9999);
  expect(unknown).toBe(-ENOPROTOOPT);
});

test("calls on what is no socket say so", () => {
  using tree = new Tree({ f: "x" });
  const fd = kernel.openat(AT_FDCWD, tree.path("f"), OPEN.readOnly);
  const answers = [
    kernel.sendMore(fd, bytes, 1),
    kernel.setsockopt(fd, SOCKET.level, SOCKET.receiveBuffer, 1),
    kernel.getsockopt(fd, SOCKET.level, SOCKET.receiveBuffer),
    kernel.listen(fd, 1),
    kernel.unacked(fd),
  ];
  expect(answers).toEqual([-ENOTSOCK, -ENOTSOCK, -ENOTSOCK, -ENOTSOCK, -ENOTTY]);
  kernel.close(fd);
});

test("allowHalfOpen serves a client that has said FIN to the end", async () => {
  // More than both ends together ever hold (tcp_wmem, tcp_rmem).
  const total = 64_000_000;
  const chunk = Buffer.alloc(total, "b");
  let sent = 0;
  let finished = false;
  const go = (socket: Bun.Socket): void => {
    sent += Math.max(0, socket.write(chunk, sent, total - sent));
    if (sent === total) socket.shutdown();
  };
  const ends: { socket?: Bun.Socket } = {};
  using both = await connected({
    end: () => void (finished = true),
    drain: () => ends.socket && go(ends.socket),
  });
  ends.socket = both.socket;
  both.peer.finish();
  await eventually("the client's FIN", () => finished);
  both.peer.socket.pause();
  go(both.socket);
  expect(sent).toBeLessThan(total);
  both.peer.socket.resume();
  const { bytes: got, ending } = await both.peer.all();
  expect([got.length, ending, got.equals(chunk)]).toEqual([total, "fin", true]);
});

test("a write to a peer that is gone is an error, not a signal", async () => {
  using both = await connected();
  both.peer.reset();
  await eventually("the reset", () => kernel.sendMore(both.socket.fd, bytes, 1) < 0);
  expect(kernel.sendMore(both.socket.fd, bytes, 1)).toBeLessThan(0);
});
