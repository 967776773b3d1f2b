/** DiskRows on Linux, through bun:ffi, under the rules of linux.ts. */
import { dlopen, FFIType } from "bun:ffi";
import type { DiskRows } from "./disk.ts";
import { ERRNO } from "./errno.ts";
import { AT_FDCWD, type ByteString, PATH_BYTES_MAX } from "./types.ts";

const SYMBOLS = {
  // Variadic; musl has no wrapper for renameat2.
  syscall: { args: ["i64", "i32", "ptr", "i32", "ptr", "u32"], returns: FFIType.i64_fast },
  mkdirat: { args: ["i32", "ptr", "u32"], returns: "i32" },
  unlinkat: { args: ["i32", "ptr", "i32"], returns: "i32" },
  linkat: { args: ["i32", "ptr", "i32", "ptr", "i32"], returns: "i32" },
  pwrite: { args: ["i32", "ptr", "u64", "i64"], returns: FFIType.i64_fast },
  fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
  memfd_create: { args: ["ptr", "u32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  copy_file_range: {
    args: ["i32", "ptr", "i32", "ptr", "u64", "u32"],
    returns: FFIType.i64_fast,
  },
  ftruncate: { args: ["i32", "i64"], returns: "i32" },
  futimens: { args: ["i32", "ptr"], returns: "i32" },
  lseek: { args: ["i32", "i64", "i32"], returns: FFIType.i64_fast },
  flock: { args: ["i32", "i32"], returns: "i32" },
  fsync: { args: ["i32"], returns: "i32" },
  syncfs: { args: ["i32"], returns: "i32" },
  sync_file_range: { args: ["i32", "i64", "i64", "u32"], returns: "i32" },
  fsetxattr: { args: ["i32", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  fgetxattr: { args: ["i32", "ptr", "ptr", "u64"], returns: FFIType.i64_fast },
} as const;

const RENAMEAT2 = process.arch === "x64" ? 316 : 276;
const RENAME_NOREPLACE = 1;
const AT_REMOVEDIR = 0x200;
const SEEK_DATA = 3;
const MFD_CLOEXEC = 1;
/** Linux 6.3; some systems make no other (vm.memfd_noexec). */
const MFD_NOEXEC_SEAL = 8;
/** FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE. */
const PUNCH_HOLE = 1 | 2;
/** _IOW(0x94, 13, struct file_clone_range): source, its offset, length, offset here. */
const FICLONERANGE = 0x4020940d;
const LOCK_EX_NB = 2 | 4;
const SYNC_FILE_RANGE_WRITE = 2;
/** futimens: leave this time as it is. */
const UTIME_OMIT = 0x3ffffffen;
const NANOSECONDS = 1_000_000_000n;
/** Of one attribute: ext4 keeps all of a file's in one block of 4 KiB. */
const ATTRIBUTE_BYTES_MAX = 2048;

type C = ReturnType<typeof load>;

/** The rows, from the libc that linux.ts found under `library`. `fail` gives the last -errno. */
export function linuxDisk(library: string, fail: () => number): DiskRows {
  const c = load(library);
  return { ...names(c, fail), ...contents(c, fail), ...copies(c, fail), ...durability(c, fail) };
}

// --- internal ---

function load(library: string) {
  return dlopen(library, SYMBOLS).symbols;
}

type Rows<K extends keyof DiskRows> = Pick<DiskRows, K>;

function names(c: C, fail: () => number): Rows<"mkdirat" | "unlinkat" | "renameat" | "linkat"> {
  const first = Buffer.alloc(PATH_BYTES_MAX + 1);
  const second = Buffer.alloc(PATH_BYTES_MAX + 1);
  /** -errno, or what `call` gives once both names are in place. */
  const named = (
    dirfds: readonly number[],
    from: ByteString,
    to: ByteString,
    call: () => number,
  ): number => {
    if (!dirfds.every((fd) => fd >= 0 || fd === AT_FDCWD)) return -ERRNO.EBADF;
    if (!put(first, from) || !put(second, to)) return -ERRNO.ENAMETOOLONG;
    return call() < 0 ? fail() : 0;
  };
  return {
    mkdirat: (dirfd, name, mode) => named([dirfd], name, "", () => c.mkdirat(dirfd, first, mode)),
    unlinkat: (dirfd, name, directory) =>
      named([dirfd], name, "", () => c.unlinkat(dirfd, first, directory ? AT_REMOVEDIR : 0)),
    renameat: (fromfd, from, tofd, to, replace) =>
      named([fromfd, tofd], from, to, () =>
        Number(c.syscall(RENAMEAT2, fromfd, first, tofd, second, replace ? 0 : RENAME_NOREPLACE)),
      ),
    linkat: (fromfd, from, tofd, to) =>
      named([fromfd, tofd], from, to, () => c.linkat(fromfd, first, tofd, second, 0)),
  };
}

function contents(
  c: C,
  fail: () => number,
): Rows<
  "pwrite" | "fallocate" | "memfd" | "punchHole" | "ftruncate" | "setMtime" | "nextData" | "lock"
> {
  const times = new BigInt64Array(4);
  return {
    pwrite(fd, bytes, count, offset) {
      if (!(fd >= 0) || count > bytes.length) return -ERRNO.EBADF;
      const taken = Number(c.pwrite(fd, bytes, count, offset));
      return taken < 0 ? fail() : taken;
    },
    fallocate(fd, size) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.fallocate(fd, 0, 0n, size) < 0 ? fail() : 0;
    },
    memfd(name) {
      const bytes = Buffer.from(`${name}\0`, "latin1");
      const fd = c.memfd_create(bytes, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
      if (fd >= 0) return fd;
      const older = c.memfd_create(bytes, MFD_CLOEXEC);
      return older < 0 ? fail() : older;
    },
    punchHole(fd, offset, length) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.fallocate(fd, PUNCH_HOLE, offset, length) < 0 ? fail() : 0;
    },
    ftruncate(fd, size) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.ftruncate(fd, size) < 0 ? fail() : 0;
    },
    setMtime(fd, mtime) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      const within = ((mtime % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
      times[1] = UTIME_OMIT;
      times[2] = (mtime - within) / NANOSECONDS;
      times[3] = within;
      return c.futimens(fd, times) < 0 ? fail() : 0;
    },
    nextData(fd, offset) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      const at = Number(c.lseek(fd, offset, SEEK_DATA));
      return at < 0 ? fail() : at;
    },
    lock(fd) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.flock(fd, LOCK_EX_NB) < 0 ? fail() : 0;
    },
  };
}

function copies(c: C, fail: () => number): Rows<"cloneRange" | "copyRange"> {
  const range = new BigInt64Array(4);
  const at = new BigInt64Array(1);
  const there = new BigInt64Array(1);
  return {
    cloneRange(to, from, offset, length) {
      if (!(to >= 0) || !(from >= 0)) return -ERRNO.EBADF;
      range.set([BigInt(from), offset, BigInt(length), offset]);
      return c.ioctl(to, FICLONERANGE, range) < 0 ? fail() : 0;
    },
    copyRange(to, from, offset, length) {
      if (!(to >= 0) || !(from >= 0)) return -ERRNO.EBADF;
      at[0] = offset;
      there[0] = offset;
      const copied = Number(c.copy_file_range(from, at, to, there, length, 0));
      return copied < 0 ? fail() : copied;
    },
  };
}

function durability(
  c: C,
  fail: () => number,
): Rows<"fsync" | "syncfs" | "startSync" | "setAttribute" | "attribute"> {
  const value = Buffer.alloc(ATTRIBUTE_BYTES_MAX);
  /** A program has one or two such names. */
  const names = new Map<string, Buffer>();
  const zeroEnded = (name: string): Buffer => {
    const bytes = names.get(name) ?? Buffer.from(`${name}\0`, "latin1");
    names.set(name, bytes);
    return bytes;
  };
  return {
    fsync(fd) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.fsync(fd) < 0 ? fail() : 0;
    },
    syncfs(fd) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.syncfs(fd) < 0 ? fail() : 0;
    },
    startSync(fd, offset, count) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      return c.sync_file_range(fd, offset, count, SYNC_FILE_RANGE_WRITE) < 0 ? fail() : 0;
    },
    setAttribute(fd, name, text) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      if (text.length > ATTRIBUTE_BYTES_MAX) return -ERRNO.E2BIG;
      const length = value.write(text, 0, "latin1");
      return c.fsetxattr(fd, zeroEnded(name), value, length, 0) < 0 ? fail() : 0;
    },
    attribute(fd, name) {
      if (!(fd >= 0)) return -ERRNO.EBADF;
      const length = Number(c.fgetxattr(fd, zeroEnded(name), value, value.length));
      return length < 0 ? fail() : value.toString("latin1", 0, length);
    },
  };
}

/** Writes `text` with its NUL into `into`; false when it does not fit. */
function put(into: Buffer, text: ByteString): boolean {
  if (text.length > PATH_BYTES_MAX) return false;
  into[into.write(text, 0, "latin1")] = 0;
  return true;
}
