/**
 * The table of kernel.ts on Linux, through bun:ffi; linuxdisk.ts has the rows of disk.ts. Buffers
 * for arguments are made once and passed as objects, not as numbers of ptr(): a buffer that only
 * such a number refers to is garbage-collected, and the call would read other memory.
 */
import { dlopen, FFIType, type Pointer, ptr, read } from "bun:ffi";
import { ERRNO } from "./errno.ts";
import type { Kernel } from "./kernel.ts";
import { ofLibc } from "./libraries.ts";
import { linuxDisk } from "./linuxdisk.ts";
import {
  AT_FDCWD,
  type ByteString,
  type FileStat,
  OPEN,
  PATH_BYTES_MAX,
  RESIDENT_BYTES_MAX,
  SOCKET,
} from "./types.ts";

const SYMBOLS = {
  __errno_location: { args: [], returns: "ptr" },
  // Variadic; openat2 has no wrapper in glibc. 437 on every architecture.
  syscall: { args: ["i64", "i32", "ptr", "ptr", "u64"], returns: FFIType.i64_fast },
  openat: { args: ["i32", "ptr", "i32", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  statx: { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" },
  readlink: { args: ["ptr", "ptr", "u64"], returns: FFIType.i64_fast },
  getdents64: { args: ["i32", "ptr", "u64"], returns: FFIType.i64_fast },
  sendfile: { args: ["i32", "i32", "ptr", "u64"], returns: FFIType.i64_fast },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: FFIType.i64_fast },
  preadv2: { args: ["i32", "ptr", "i32", "i64", "i32"], returns: FFIType.i64_fast },
  pread: { args: ["i32", "ptr", "u64", "i64"], returns: FFIType.i64_fast },
  write: { args: ["i32", "ptr", "u64"], returns: FFIType.i64_fast },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: FFIType.i64_fast },
  splice: { args: ["i32", "ptr", "i32", "ptr", "u64", "u32"], returns: FFIType.i64_fast },
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i64"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  dup3: { args: ["i32", "i32", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  getrlimit: { args: ["i32", "ptr"], returns: "i32" },
} as const;

const OPENAT2 = 437;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_BYTES = 256;
const POLLIN = 1;
const POLLOUT = 4;
/** A pipe's size when nothing is said (pipe(7)). */
const PIPE_BYTES = 65_536;
/** MSG_MORE, MSG_DONTWAIT, MSG_NOSIGNAL. */
const MSG_MORE_NOW = 0x8000 | 0x40 | 0x4000;
/** Fails rather than waits. */
const RWF_NOWAIT = 8;
const SIOCOUTQ = 0x5411;
/** What isatty(3) asks, and the bytes of its answer: struct termios. */
const TCGETS = 0x5401;
const TERMIOS_BYTES = 60;
const RLIMIT_NOFILE = 7;
/** getrlimit's "no limit" is larger than any table of fds. */
const NOFILE_MAX = 1 << 30;

/** Largest pipe an ordinary user may have (pipe(7), pipe-max-size). */
const F_SETPIPE_SZ = 1031;
const F_DUPFD_CLOEXEC = 1030;
const O_NONBLOCK = 0o4000;
/** SPLICE_F_MOVE, SPLICE_F_NONBLOCK. */
const SPLICE = 1 | 2;
const MSG_DONTWAIT = 0x40;
const MSG_PEEK = 2;

type Library = NonNullable<ReturnType<typeof load>>;
type C = Library["c"];

/** The rows on this machine, or null where no Linux libc can be loaded. */
export function linuxKernel(): Kernel | null {
  const library = process.platform === "linux" ? load() : null;
  if (library === null) return null;
  const { c, name } = library;
  const errnoAt = c.__errno_location() as Pointer;
  const fail = (): number => -read.i32(errnoAt, 0);
  return {
    native: true,
    ...files(c, fail),
    ...transfers(c, fail),
    ...receiving(c, fail),
    ...sockets(c, fail),
    ...linuxDisk(name, fail),
  };
}

// --- internal ---

function load() {
  return ofLibc((name) => ({ name, c: dlopen(name, SYMBOLS).symbols }));
}

/** Buffers whose address was taken once by ptr(): the reference keeps them from being collected. */
const kept: Uint8Array[] = [];

type Rows<K extends keyof Kernel> = Pick<Kernel, K>;
type Fail = () => number;

function files(
  c: C,
  fail: Fail,
): Rows<"openat2" | "openat" | "close" | "statx" | "readlink" | "getdents"> {
  const path = Buffer.alloc(PATH_BYTES_MAX + 1);
  const target = Buffer.alloc(PATH_BYTES_MAX);
  const how = new BigUint64Array(3);
  const record = new Uint32Array(new ArrayBuffer(STATX_BYTES));
  /** Writes `text` with its NUL; false when it does not fit. */
  const setPath = (text: ByteString): boolean => {
    if (text.length > PATH_BYTES_MAX) return false;
    path[path.write(text, 0, "latin1")] = 0;
    return true;
  };
  return {
    openat2(dirfd, name, flags, resolve, mode = 0) {
      if (!(dirfd >= 0 || dirfd === AT_FDCWD)) return -ERRNO.EBADF;
      if (!setPath(name)) return -ERRNO.ENAMETOOLONG;
      how[0] = BigInt(flags | OPEN.closeOnExec);
      how[1] = BigInt(mode);
      how[2] = BigInt(resolve);
      const fd = Number(c.syscall(OPENAT2, dirfd, path, how, how.byteLength));
      return fd < 0 ? fail() : fd;
    },
    openat(dirfd, name, flags, mode = 0) {
      if (!(dirfd >= 0 || dirfd === AT_FDCWD)) return -ERRNO.EBADF;
      if (!setPath(name)) return -ERRNO.ENAMETOOLONG;
      const fd = c.openat(dirfd, path, flags | OPEN.closeOnExec, mode);
      return fd < 0 ? fail() : fd;
    },
    close(fd) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.close(fd) < 0 ? fail() : 0;
    },
    statx(dirfd, name, out) {
      if (!(dirfd >= 0 || dirfd === AT_FDCWD)) return -ERRNO.EBADF;
      if (!setPath(name)) return -ERRNO.ENAMETOOLONG;
      const flags = AT_SYMLINK_NOFOLLOW | (name === "" ? AT_EMPTY_PATH : 0);
      if (c.statx(dirfd, path, flags, STATX_BASIC_STATS, record) < 0) return fail();
      readStatx(record, out);
      return 0;
    },
    readlink(link) {
      if (!setPath(link)) return -ERRNO.ENAMETOOLONG;
      const length = Number(c.readlink(path, target, target.length));
      return length < 0 ? fail() : target.toString("latin1", 0, length);
    },
    getdents(fd, into) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      const filled = Number(c.getdents64(fd, into, into.length));
      return filled < 0 ? fail() : filled;
    },
  };
}

/** Words of struct statx, in the order of FileStat.words. */
const STATX_WORDS = [8, 9, 10, 11, 24, 25, 26, 28, 29, 30, 35, 34] as const;

/** struct statx of linux/stat.h, the same on every architecture but for byte order. */
function readStatx(record: Uint32Array, out: FileStat): void {
  const { words } = out;
  out.uid = record[5]!;
  out.mode = record[7]! & 0xffff;
  for (let at = 0; at < STATX_WORDS.length; at++) words[at] = record[STATX_WORDS[at]!]!;
}

function transfers(
  c: C,
  fail: Fail,
): Rows<"sendfile" | "sendMore" | "pread" | "resident" | "write" | "pollOut"> {
  const position = new BigInt64Array(1);
  const polled = new Int16Array(new ArrayBuffer(8));
  const polledFd = new Int32Array(polled.buffer, 0, 1);
  // struct iovec of a buffer that is never read; its address is taken once, so that it is kept.
  const ignored = new Uint8Array(new ArrayBuffer(RESIDENT_BYTES_MAX));
  const vector = new BigUint64Array([BigInt(ptr(ignored)), 0n]);
  const vectorLength = new Uint32Array(vector.buffer, 8, 1);
  kept.push(ignored);
  return {
    sendfile(socket, file, offset, count) {
      if (!(socket >= 0 && file >= 0)) return -ERRNO.EBADF;
      position[0] = offset;
      const moved = Number(c.sendfile(socket, file, position, count));
      return moved < 0 ? fail() : moved;
    },
    sendMore(socket, bytes, count) {
      if (!(socket >= 0) || count > bytes.length) return -ERRNO.EBADF;
      const taken = Number(c.send(socket, bytes, count, MSG_MORE_NOW));
      return taken < 0 ? fail() : taken;
    },
    pread(fd, into, count, offset) {
      if (!(fd >= 0) || count > into.length) return -ERRNO.EBADF;
      const got = Number(c.pread(fd, into, count, offset));
      return got < 0 ? fail() : got;
    },
    resident(fd, offset, count = 1) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      const looked = Math.min(count, RESIDENT_BYTES_MAX);
      vectorLength[0] = looked;
      const got = Number(c.preadv2(fd, vector, 1, offset, RWF_NOWAIT));
      if (got >= 0) return got === 0 || got === looked ? 1 : 0;
      const failed = fail();
      return failed === -ERRNO.EAGAIN ? 0 : failed;
    },
    write(fd, bytes, count) {
      if (!(fd >= 0) || count > bytes.length) return -ERRNO.EBADF;
      const taken = Number(c.write(fd, bytes, count));
      return taken < 0 ? fail() : taken;
    },
    pollOut(fd, timeoutMs) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      polledFd[0] = fd;
      polled[2] = POLLOUT;
      polled[3] = 0;
      const ready = c.poll(polled, 1, timeoutMs);
      return ready < 0 ? fail() : ready;
    },
  };
}

function receiving(
  c: C,
  fail: Fail,
): Rows<"recv" | "peek" | "pipe" | "spliceIn" | "spliceOut" | "pollIn"> {
  const position = new BigInt64Array(1);
  const receive = (flags: number) => (socket: number, into: Uint8Array, count: number) => {
    if (!(socket >= 0) || count > into.length) return -ERRNO.EBADF;
    const got = Number(c.recv(socket, into, count, flags));
    return got < 0 ? fail() : got;
  };
  return {
    peek: receive(MSG_DONTWAIT | MSG_PEEK),
    recv: receive(MSG_DONTWAIT),
    pipe(ends, bytes) {
      if (c.pipe2(ends, OPEN.closeOnExec | O_NONBLOCK) < 0) return fail();
      const size = c.fcntl(ends[1] ?? -1, F_SETPIPE_SZ, bytes);
      // Over the user's share of pipe memory the pipe keeps its 64 KiB: slower, not wrong.
      return size < 0 ? PIPE_BYTES : size;
    },
    spliceIn(socket, pipe, count) {
      if (!(socket >= 0 && pipe >= 0)) return -ERRNO.EBADF;
      const moved = Number(c.splice(socket, null, pipe, null, count, SPLICE));
      return moved < 0 ? fail() : moved;
    },
    spliceOut(pipe, file, offset, count) {
      if (!(pipe >= 0 && file >= 0)) return -ERRNO.EBADF;
      position[0] = offset;
      const moved = Number(c.splice(pipe, null, file, position, count, SPLICE));
      return moved < 0 ? fail() : moved;
    },
    pollIn(table, count, timeoutMs) {
      const words = table.words;
      if (2 * count > words.length) return -ERRNO.EBADF;
      for (let i = 0; i < count; i++) words[2 * i + 1] = POLLIN;
      const ready = c.poll(words, count, timeoutMs);
      return ready < 0 ? fail() : ready;
    },
  };
}

function sockets(
  c: C,
  fail: Fail,
): Rows<
  | "setsockopt"
  | "resetAtClose"
  | "getsockopt"
  | "listen"
  | "duplicate"
  | "replace"
  | "unacked"
  | "isTerminal"
  | "nofile"
> {
  const value = new Int32Array(2);
  const length = new Uint32Array(2);
  const limits = new BigUint64Array(2);
  const terminal = new Uint8Array(TERMIOS_BYTES);
  return {
    setsockopt(fd, level, option, wanted) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      value[0] = wanted;
      return c.setsockopt(fd, level, option, value, 4) < 0 ? fail() : 0;
    },
    resetAtClose(fd, wanted) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      // struct linger: whether, and for how many seconds.
      value[0] = wanted ? 1 : 0;
      value[1] = 0;
      return c.setsockopt(fd, SOCKET.level, SOCKET.linger, value, 8) < 0 ? fail() : 0;
    },
    getsockopt(fd, level, option) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      length[0] = 4;
      return c.getsockopt(fd, level, option, value, length) < 0 ? fail() : (value[0] ?? 0);
    },
    listen(fd, backlog) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.listen(fd, backlog) < 0 ? fail() : 0;
    },
    duplicate(fd) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      const copy = c.fcntl(fd, F_DUPFD_CLOEXEC, 0);
      return copy < 0 ? fail() : copy;
    },
    replace(fd, by) {
      if (!(fd >= 0 && by >= 0)) return -ERRNO.EBADF;
      return c.dup3(by, fd, OPEN.closeOnExec) < 0 ? fail() : 0;
    },
    unacked(fd) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.ioctl(fd, SIOCOUTQ, value) < 0 ? fail() : (value[0] ?? 0);
    },
    isTerminal(fd) {
      return fd >= 0 && c.ioctl(fd, TCGETS, terminal) === 0;
    },
    nofile() {
      if (c.getrlimit(RLIMIT_NOFILE, limits) < 0) return fail();
      const soft = limits[0] ?? 0n;
      return soft > BigInt(NOFILE_MAX) ? NOFILE_MAX : Number(soft);
    },
  };
}
