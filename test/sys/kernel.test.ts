/** Each row of the table against the real kernel: what its comment says is what it does. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { portableKernel } from "../../src/sys/portable.ts";
import { AT_FDCWD, FileStat, OPEN, RESOLVE, SOCKET } from "../../src/sys/types.ts";
import { Peer } from "../rig/peer.ts";
import { Tree } from "../rig/tree.ts";

const BAD = [-1, Number.NaN, undefined as unknown as number];
const bytes = new Uint8Array(16);

test("no row takes a bad descriptor for fd 0", () => {
  for (const fd of BAD) {
    const answers = [
      kernel.close(fd),
      kernel.getdents(fd, bytes),
      kernel.sendfile(fd, 0, 0n, 1),
      kernel.sendfile(1, fd, 0n, 1),
      kernel.sendMore(fd, bytes, 1),
      kernel.pread(fd, bytes, 1, 0n),
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
  let text = "";
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        const moved = [0n, 12n, 13n, 12n].map((at) => kernel.sendfile(socket.fd, fd, at, 100));
        const failed = kernel.sendfile(socket.fd, directory, 0n, 1);
        text = JSON.stringify([...moved, failed]);
        expect(kernel.sendMore(socket.fd, Buffer.from("!"), 1)).toBe(1);
        socket.shutdown();
      },
      data() {},
    },
  });
  using peer = await Peer.dial(listener.port);
  const got = (await peer.all()).bytes.toString();
  expect(got).toBe("twelve bytes!");
  expect(text).toBe(JSON.stringify([12, 0, 0, 0, -ERRNO.EINVAL]));
  listener.stop(true);
  kernel.close(fd);
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
