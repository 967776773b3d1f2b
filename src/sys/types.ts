/** Types and numbers shared by the two kernels: no calls, no state. */
import fs from "node:fs";

/** Bytes held one to a character; the same as wire's, which this room does not import. */
export type ByteString = string;

/** What statx(2) says of a file, exact: sizes past 2^53, times in nanoseconds since 1970. */
export class FileStat {
  uid = 0;
  mode = 0;
  dev = 0n;
  ino = 0n;
  size = 0n;
  mtime = 0n;
  ctime = 0n;

  /** True for a regular file: the only kind that is ever read. */
  get isFile(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFREG;
  }

  /** True for a directory. */
  get isDirectory(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFDIR;
  }

  /** True for a symbolic link. */
  get isLink(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFLNK;
  }

  /** True when both tell of one version of one file. */
  same(other: FileStat): boolean {
    return (
      this.ino === other.ino &&
      this.size === other.size &&
      this.mtime === other.mtime &&
      this.ctime === other.ctime &&
      this.dev === other.dev &&
      this.mode === other.mode
    );
  }
}

/** Longest path given to the kernel, in bytes without NUL (PATH_MAX is 4,096 with it). */
export const PATH_BYTES_MAX = 8192;

/** Bytes about which one resident() can tell. They are copied by it, so that few are better. */
export const RESIDENT_BYTES_MAX = 65_536;

/** openat: below the current folder. */
export const AT_FDCWD = -100;

/** open(2) flags; O_CLOEXEC and O_PATH are not in node:fs and the same on x86-64 and arm64. */
export const OPEN = {
  readOnly: fs.constants.O_RDONLY,
  writeOnly: fs.constants.O_WRONLY,
  readWrite: fs.constants.O_RDWR,
  create: fs.constants.O_CREAT,
  exclusive: fs.constants.O_EXCL,
  truncate: fs.constants.O_TRUNC,
  directory: fs.constants.O_DIRECTORY ?? 0,
  noFollow: fs.constants.O_NOFOLLOW ?? 0,
  nonBlocking: (fs.constants.O_NONBLOCK ?? 0) | (fs.constants.O_NOCTTY ?? 0),
  closeOnExec: 0o2000000,
  path: 0o10000000,
} as const;

/** openat2(2) resolve flags (linux/openat2.h). */
export const RESOLVE = {
  noXdev: 0x01,
  noMagicLinks: 0x02,
  noSymlinks: 0x04,
  beneath: 0x08,
} as const;

/** Socket options by level and number (asm-generic/socket.h, netinet/tcp.h). */
export const SOCKET = {
  level: 1,
  receiveBuffer: 8,
  receiveLowWater: 18,
  tcpLevel: 6,
  tcpCork: 3,
  tcpNotSentLowat: 25,
} as const;

/** Descriptors to wait for together: struct pollfd of poll(2), two words each. */
export class PollTable {
  readonly words: Int32Array;

  /** Room for `most` descriptors. */
  constructor(most: number) {
    this.words = new Int32Array(2 * most);
  }

  /** Puts `fd` into place `nth`. */
  set(nth: number, fd: number): void {
    this.words[2 * nth] = fd;
  }

  /** True when the last poll found something in place `nth`: bytes, an end, an error. */
  ready(nth: number): boolean {
    return (this.words[2 * nth + 1] ?? 0) >>> 16 !== 0;
  }
}
