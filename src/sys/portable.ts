/**
 * The table's rows where there is no Linux libc: what node:fs can do, and -ENOSYS for the rest.
 * With it a server runs only unconfined, and sends through user space. It keeps the promises of the
 * bytes, not of speed.
 */
import fs from "node:fs";
import { ERRNO } from "./errno.ts";
import type { Kernel } from "./kernel.ts";
import { AT_FDCWD, type FileStat } from "./types.ts";

/** A soft limit that every system grants; macOS starts at 256. */
const NOFILE_ASSUMED = 256;

/** The rows without FFI. Paths below a dirfd are not possible here: only AT_FDCWD is taken. */
export function portableKernel(): Kernel {
  return {
    native: false,
    openat2: () => -ERRNO.ENOSYS,
    openat: (dirfd, path, flags) =>
      dirfd === AT_FDCWD
        ? attempt(() => fs.openSync(Buffer.from(path, "latin1"), flags))
        : -ERRNO.ENOSYS,
    close: (fd) => attempt(() => (fs.closeSync(fd), 0)),
    statx: (dirfd, name, out) =>
      name === ""
        ? attempt(() => fill(out, fs.fstatSync(dirfd, { bigint: true })))
        : lstat(name, out),
    readlink: (path) => {
      let target = "";
      const failed = attempt(() => {
        const bytes = fs.readlinkSync(Buffer.from(path, "latin1"), { encoding: "buffer" });
        target = bytes.toString("latin1");
        return 0;
      });
      return failed < 0 ? failed : target;
    },
    getdents: () => -ERRNO.ENOSYS,
    sendfile: () => -ERRNO.ENOSYS,
    sendMore: () => -ERRNO.ENOSYS,
    pread: (fd, into, count, offset) => attempt(() => fs.readSync(fd, into, 0, count, offset)),
    write: (fd, bytes, count) => attempt(() => fs.writeSync(fd, bytes, 0, count)),
    pollOut: () => 1,
    setsockopt: () => 0,
    getsockopt: () => -ERRNO.ENOSYS,
    listen: () => 0,
    unacked: () => -ERRNO.ENOSYS,
    nofile: () => NOFILE_ASSUMED,
  };
}

// --- internal ---

function lstat(path: string, out: FileStat): number {
  return attempt(() => fill(out, fs.lstatSync(Buffer.from(path, "latin1"), { bigint: true })));
}

function fill(out: FileStat, facts: fs.BigIntStats): number {
  out.mode = Number(facts.mode);
  out.dev = facts.dev;
  out.ino = facts.ino;
  out.size = facts.size;
  out.mtime = facts.mtimeNs;
  out.ctime = facts.ctimeNs;
  return 0;
}

/** The answer of `call`, or the negative errno of what it threw: EIO when it tells none. */
function attempt(call: () => number): number {
  try {
    return call();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return -(ERRNO[code as keyof typeof ERRNO] ?? ERRNO.EIO);
  }
}
