/**
 * The table of system calls: all that this program asks of the kernel beyond Bun's sockets and
 * node:fs is a row here. A test makes a call fail by replacing its row. Rows answer a result >= 0
 * or a negative errno, never throw, and refuse a bad fd, because FFI would turn `undefined` into fd
 * 0.
 */
import { linuxKernel } from "./linux.ts";
import { portableKernel } from "./portable.ts";
import type { DiskRows } from "./disk.ts";
import type { ByteString, FileStat, PollTable } from "./types.ts";

/**
 * What the kernel does for us; DiskRows is the part that makes files. Paths are bytes, one a
 * character, without NUL.
 */
export interface Kernel extends DiskRows {
  /** False where there is no Linux libc: no openat2, no sendfile, socket options do nothing. */
  readonly native: boolean;

  /**
   * Opens `path` below `dirfd` under openat2(2) `resolve` flags; adds O_CLOEXEC. An fd, or -ENOSYS
   * (kernel before 5.6), -EPERM (a seccomp filter), -EXDEV (left the root), -ELOOP, -EAGAIN
   * (renames meanwhile: try again; with RESOLVE.cached that it is not known without the disk),
   * any open error.
   */
  openat2(dirfd: number, path: ByteString, flags: number, resolve: number, mode?: number): number;
  /**
   * openat(2) without any confinement; `dirfd` may be AT_FDCWD. Adds O_CLOEXEC; `mode` is a new
   * file's. An fd or -errno.
   */
  openat(dirfd: number, path: ByteString, flags: number, mode?: number): number;
  /** close(2). Linux frees the fd whatever the answer; EIO here can be a lost write. */
  close(fd: number): number;
  /**
   * Fills `out` from statx(2) of `name` below `dirfd` without following a link; "" is the fd
   * itself. 0 or -errno.
   */
  statx(dirfd: number, name: ByteString, out: FileStat): number;
  /** Where a link points, or -errno as a number. At most PATH_BYTES_MAX bytes. */
  readlink(path: ByteString): ByteString | number;
  /** Reads directory records (getdents64(2)) into `into`: bytes filled, 0 at the end, or -errno. */
  getdents(fd: number, into: Uint8Array): number;

  /**
   * Moves up to `count` bytes of `file` from `offset` into `socket`, without copying. Bytes moved
   * (fewer than asked: the socket is full or the file ended); 0 at or past the end, each time;
   * -EAGAIN full, -EPIPE or -ECONNRESET the peer is gone, -EIO the disk failed, -EINVAL this file
   * can't be sent this way (sendfile(2)).
   */
  sendfile(socket: number, file: number, offset: bigint, count: number): number;
  /**
   * Sends `count` bytes and tells the socket that more follows at once (send(2) with MSG_MORE):
   * what does not fill a segment waits for it. Bytes taken, or -errno. Never blocks.
   */
  sendMore(socket: number, bytes: Uint8Array, count: number): number;
  /**
   * Reads up to `count` bytes at `offset` into the start of `into`: bytes read, 0 at the end, or
   * -errno.
   */
  pread(fd: number, into: Uint8Array, count: number, offset: bigint): number;
  /**
   * Whether the `count` bytes at `offset` are in memory, so that reading them would not wait
   * (preadv2(2), RWF_NOWAIT, Linux 4.14): 1 yes or past the end, 0 not all, or -errno where kernel
   * or file system can't tell. Where they are not, the disk may have been asked for them by that.
   * One byte unless told; the first RESIDENT_BYTES_MAX of more.
   */
  resident(fd: number, offset: bigint, count?: number): number;
  /**
   * write(2) of `count` bytes: bytes taken or -errno. May block where the fd does: ask poll first.
   */
  write(fd: number, bytes: Uint8Array, count: number): number;
  /**
   * Waits up to `timeoutMs` until `fd` can be written: 1 yes, 0 not yet, or -errno. 0 ms never
   * blocks.
   */
  pollOut(fd: number, timeoutMs: number): number;

  /**
   * Receives up to `count` bytes that are there (recv(2), MSG_DONTWAIT): bytes, 0 at the peer's
   * FIN, -EAGAIN nothing there, -ECONNRESET.
   */
  recv(socket: number, into: Uint8Array, count: number): number;
  /**
   * As recv, of bytes that stay there (MSG_PEEK): 0 at the peer's FIN, -EAGAIN nothing there yet.
   */
  peek(socket: number, into: Uint8Array, count: number): number;
  /** A pipe that never blocks: `ends` gets its reading and writing fd. Its bytes, or -errno. */
  pipe(ends: Int32Array, bytes: number): number;
  /**
   * Moves up to `count` bytes from a socket into a pipe without copying (splice(2)): bytes, 0 at
   * the peer's FIN, -EAGAIN nothing there or the pipe full, -ECONNRESET, -EINVAL this socket can't.
   */
  spliceIn(socket: number, pipe: number, count: number): number;
  /**
   * Moves up to `count` bytes from a pipe into a file at `offset`: bytes (fewer on a full disk),
   * -ENOSPC, -EIO, -EINVAL this file system can't (splice(2)).
   */
  spliceOut(pipe: number, file: number, offset: bigint, count: number): number;
  /**
   * Waits up to `timeoutMs` until one of the first `count` descriptors of `table` has something to
   * read: how many have, or -errno (poll(2)).
   */
  pollIn(table: PollTable, count: number, timeoutMs: number): number;

  /** setsockopt(2) of an int: 0 or -errno. */
  setsockopt(fd: number, level: number, option: number, value: number): number;
  /**
   * Whether close(2) of a socket, or the end of the process, drops what is unsent and sends RST
   * (SO_LINGER with 0 s, socket(7)): 0 or -errno.
   */
  resetAtClose(fd: number, wanted: boolean): number;
  /** getsockopt(2) of an int: its value (>= 0) or -errno. */
  getsockopt(fd: number, level: number, option: number): number;
  /** Changes the backlog of a listening socket (listen(2) again): 0 or -errno. */
  listen(fd: number, backlog: number): number;
  /** Another descriptor of what `fd` is (fcntl(2), F_DUPFD_CLOEXEC), or -errno. */
  duplicate(fd: number): number;
  /**
   * Makes the number `fd` a descriptor of what `by` is (dup3(2)), closing what it was: 0 or -errno.
   */
  replace(fd: number, by: number): number;
  /** Bytes given to a TCP socket that the peer has not acknowledged (SIOCOUTQ): >= 0 or -errno. */
  unacked(fd: number): number;
  /**
   * True when `fd` is a terminal (isatty(3)). node:tty says the same, but loading it costs a third
   * of a start (decision 0021).
   */
  isTerminal(fd: number): boolean;
  /** The soft limit of open file descriptors (RLIMIT_NOFILE), or -errno. */
  nofile(): number;
}

/** The table in use. Tests replace rows and put them back. */
export const kernel: Kernel = linuxKernel() ?? portableKernel();
