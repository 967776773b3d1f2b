/** Types and numbers shared by the two kernels: no calls, no state. */
import fs from "node:fs";

/** Bytes held one to a character; the same as wire's, which this room does not import. */
export type ByteString = string;

/**
 * The layout of FileStat.words, in words of 32 bits: whole numbers low word first, times as seconds
 * and nanoseconds, a device as its minor and major number.
 */
const WORD = { ino: 0, size: 2, ctime: 4, mtime: 7, dev: 10, count: 12 } as const;

const NANOSECONDS = 1_000_000_000n;

/**
 * The result of statx(2), exact: sizes beyond 2^53, times in nanoseconds since 1970. It is stored
 * in words and converted to bigint on access: comparing two versions of a file takes half as long
 * without bigints.
 */
export class FileStat {
  uid = 0;
  mode = 0;
  /** As WORD says. */
  readonly words = new Uint32Array(WORD.count);

  get ino(): bigint {
    return this.#whole(WORD.ino);
  }
  set ino(value: bigint) {
    this.#setWhole(WORD.ino, value);
  }

  get size(): bigint {
    return this.#whole(WORD.size);
  }
  set size(value: bigint) {
    this.#setWhole(WORD.size, value);
  }

  get ctime(): bigint {
    return this.#time(WORD.ctime);
  }
  set ctime(value: bigint) {
    this.#setTime(WORD.ctime, value);
  }

  get mtime(): bigint {
    return this.#time(WORD.mtime);
  }
  set mtime(value: bigint) {
    this.#setTime(WORD.mtime, value);
  }

  get dev(): bigint {
    return this.#whole(WORD.dev);
  }
  set dev(value: bigint) {
    this.#setWhole(WORD.dev, value);
  }

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

  /** True for a pipe, with a name or without. */
  get isPipe(): boolean {
    return (this.mode & fs.constants.S_IFMT) === fs.constants.S_IFIFO;
  }

  /** True when both tell of one version of one file. */
  same(other: FileStat): boolean {
    if (this.mode !== other.mode) return false;
    for (let at = 0; at < WORD.count; at++) if (this.words[at] !== other.words[at]) return false;
    return true;
  }

  /** True when both tell the same size and mtime. */
  sameContent(other: FileStat): boolean {
    const { words } = this;
    const { size, mtime } = WORD;
    return (
      words[size] === other.words[size] &&
      words[size + 1] === other.words[size + 1] &&
      words[mtime] === other.words[mtime] &&
      words[mtime + 1] === other.words[mtime + 1] &&
      words[mtime + 2] === other.words[mtime + 2]
    );
  }

  /** Becomes what `other` is. */
  copy(other: FileStat): void {
    this.uid = other.uid;
    this.mode = other.mode;
    this.words.set(other.words);
  }

  // --- internal ---

  #whole(at: number): bigint {
    return (BigInt(this.words[at + 1]!) << 32n) | BigInt(this.words[at]!);
  }

  #setWhole(at: number, value: bigint): void {
    this.words[at] = Number(value & 0xffff_ffffn);
    this.words[at + 1] = Number((value >> 32n) & 0xffff_ffffn);
  }

  #time(at: number): bigint {
    return BigInt.asIntN(64, this.#whole(at)) * NANOSECONDS + BigInt(this.words[at + 2]!);
  }

  /** Before 1970 too the nanoseconds count forward from their second. */
  #setTime(at: number, value: bigint): void {
    const within = ((value % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
    this.#setWhole(at, (value - within) / NANOSECONDS);
    this.words[at + 2] = Number(within);
  }
}

/** Longest path given to the kernel, in bytes without NUL (PATH_MAX is 4,096 with it). */
export const PATH_BYTES_MAX = 8192;

/** Most bytes that one resident() checks. The call copies them, so that fewer are faster. */
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
  append: fs.constants.O_APPEND,
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
  /** -EAGAIN where the disk would be needed, or a lock; Linux 5.12, -EINVAL before. */
  cached: 0x20,
} as const;

/** Socket options by level and number (asm-generic/socket.h, netinet/tcp.h). */
export const SOCKET = {
  level: 1,
  receiveBuffer: 8,
  keepAlive: 9,
  linger: 13,
  receiveLowWater: 18,
  maxPacingRate: 47,
  tcpLevel: 6,
  tcpMaxSegment: 2,
  tcpCork: 3,
  tcpKeepIdle: 4,
  tcpKeepInterval: 5,
  tcpKeepCount: 6,
  tcpDeferAccept: 9,
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
