/**
 * The rows of disk.ts where there is no Linux libc: what node:fs can do. Files are still complete,
 * and never replaced without --force; there are no locks between programs, and no space is
 * reserved.
 */
import fs from "node:fs";
import type { DiskRows } from "./disk.ts";
import { codeOf, ERRNO } from "./errno.ts";
import type { ByteString } from "./types.ts";

const NS_PER_MS = 1_000_000n;

/** Gives the path of a name below a directory's fd, or null when that fd is not known. */
export type Below = (dirfd: number, name: ByteString) => ByteString | null;

/** The rows without FFI. */
export function portableDisk(below: Below): DiskRows {
  const at = (dirfd: number, name: ByteString, call: (path: Buffer) => void): number => {
    const path = below(dirfd, name);
    return path === null ? -ERRNO.EBADF : done(() => call(bufferOf(path)));
  };
  const both =
    (call: (from: Buffer, to: Buffer) => void): DiskRows["linkat"] =>
    (fromfd, from, tofd, to) =>
      at(fromfd, from, (old) => {
        const path = below(tofd, to);
        if (path === null) throw Object.assign(new Error(), { code: "EBADF" });
        call(old, bufferOf(path));
      });
  const rename = both(fs.renameSync);
  return {
    mkdirat: (dirfd, name, mode) => at(dirfd, name, (path) => fs.mkdirSync(path, { mode })),
    unlinkat: (dirfd, name, directory) =>
      at(dirfd, name, (path) => (directory ? fs.rmdirSync(path) : fs.unlinkSync(path))),
    renameat: (fromfd, from, tofd, to, replace) => {
      // rename(2) always replaces: after -EINVAL the caller uses link(2) and unlink(2).
      if (!replace) return -ERRNO.EINVAL;
      return rename(fromfd, from, tofd, to);
    },
    linkat: both(fs.linkSync),
    pwrite: (fd, bytes, count, offset) =>
      attempt(() => fs.writeSync(fd, bytes, 0, count, Number(offset))),
    fallocate: () => -ERRNO.EOPNOTSUPP,
    memfd: () => -ERRNO.ENOSYS,
    punchHole: () => -ERRNO.EOPNOTSUPP,
    cloneRange: () => -ERRNO.EOPNOTSUPP,
    copyRange: () => -ERRNO.ENOSYS,
    ftruncate: (fd, size) => done(() => fs.ftruncateSync(fd, Number(size))),
    setMtime: (fd, mtime) => {
      // Whole milliseconds are kept exactly; a fraction of seconds would be rounded in binary.
      const time = new Date(Number(mtime / NS_PER_MS));
      return done(() => fs.futimesSync(fd, time, time));
    },
    nextData: (fd, offset) =>
      attempt(() => (BigInt(fs.fstatSync(fd).size) > offset ? Number(offset) : -ERRNO.ENXIO)),
    lock: () => -ERRNO.ENOSYS,
    fsync: (fd) => done(() => fs.fsyncSync(fd)),
    syncfs: () => -ERRNO.ENOSYS,
    startSync: () => 0,
    setAttribute: () => -ERRNO.EOPNOTSUPP,
    attribute: () => -ERRNO.EOPNOTSUPP,
  };
}

/** The answer of `call`, or the negative errno of what it threw: EIO when it tells none. */
export function attempt(call: () => number): number {
  try {
    return call();
  } catch (error) {
    return -(ERRNO[codeOf(error) as keyof typeof ERRNO] ?? ERRNO.EIO);
  }
}

/** A path as node:fs takes bytes. */
export function bufferOf(path: ByteString): Buffer {
  return Buffer.from(path, "latin1");
}

// --- internal ---

function done(call: () => void): number {
  return attempt(() => (call(), 0));
}
