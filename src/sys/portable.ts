/**
 * The table of kernel.ts where there is no Linux libc: what node:fs can do, and -ENOSYS for the
 * rest. A server then runs only with --unconfined and sends through user space. Contents are as
 * correct as on Linux; the speed is not.
 */
import fs from "node:fs";
import { ERRNO } from "./errno.ts";
import type { Kernel } from "./kernel.ts";
import { attempt, bufferOf, portableDisk } from "./portabledisk.ts";
import { AT_FDCWD, type ByteString, type FileStat } from "./types.ts";

/** A soft limit that every system grants; macOS starts at 256. */
const NOFILE_ASSUMED = 256;

/** struct linux_dirent64: where a record's length stands, and the bytes before its name. */
const DIRENT_LENGTH_AT = 16;
const DIRENT_BYTES = 19;

/**
 * The rows without FFI. A name below a dirfd becomes a path, so that a renamed directory is missed.
 */
export function portableKernel(): Kernel {
  const opened = new Map<number, Opened>();
  return {
    native: false,
    ...files(opened),
    ...portableDisk((dirfd, name) => below(opened, dirfd, name)),
    sendfile: () => -ERRNO.ENOSYS,
    sendMore: () => -ERRNO.ENOSYS,
    pread: (fd, into, count, offset) => attempt(() => fs.readSync(fd, into, 0, count, offset)),
    resident: () => -ERRNO.ENOSYS,
    write: (fd, bytes, count) => attempt(() => fs.writeSync(fd, bytes, 0, count)),
    pollOut: () => 1,
    recv: () => -ERRNO.ENOSYS,
    peek: () => -ERRNO.ENOSYS,
    pipe: () => -ERRNO.ENOSYS,
    spliceIn: () => -ERRNO.ENOSYS,
    spliceOut: () => -ERRNO.ENOSYS,
    pollIn: () => -ERRNO.ENOSYS,
    setsockopt: () => 0,
    resetAtClose: () => 0,
    getsockopt: () => -ERRNO.ENOSYS,
    listen: () => 0,
    duplicate: () => -ERRNO.ENOSYS,
    replace: () => -ERRNO.ENOSYS,
    unacked: () => -ERRNO.ENOSYS,
    isTerminal: (fd) => tty().isatty(fd),
    nofile: () => NOFILE_ASSUMED,
  };
}

// --- internal ---

/** Loaded at the first call: node:tty takes 9 ms to load. */
function tty(): typeof import("node:tty") {
  return require("node:tty") as typeof import("node:tty");
}

/** An open descriptor: its path, and for a directory being read the names still to be given. */
interface Opened {
  readonly path: ByteString;
  names: ByteString[] | null;
}

/** `name` below `dirfd`, or null when that was not opened here. */
function below(
  opened: ReadonlyMap<number, Opened>,
  dirfd: number,
  name: ByteString,
): ByteString | null {
  if (dirfd === AT_FDCWD || name.startsWith("/")) return name;
  const directory = opened.get(dirfd);
  return directory === undefined ? null : `${directory.path}/${name}`;
}

function files(
  opened: Map<number, Opened>,
): Pick<Kernel, "openat2" | "openat" | "close" | "statx" | "readlink" | "getdents"> {
  return {
    openat2: () => -ERRNO.ENOSYS,
    openat: (dirfd, name, flags, mode = 0) => {
      const path = below(opened, dirfd, name);
      if (path === null) return -ERRNO.EBADF;
      const fd = attempt(() => fs.openSync(bufferOf(path), flags, mode));
      if (fd >= 0) opened.set(fd, { path, names: null });
      return fd;
    },
    close: (fd) => {
      opened.delete(fd);
      return attempt(() => (fs.closeSync(fd), 0));
    },
    statx: (dirfd, name, out) => {
      if (name === "") return attempt(() => fill(out, fs.fstatSync(dirfd, { bigint: true })));
      const path = below(opened, dirfd, name);
      if (path === null) return -ERRNO.EBADF;
      return attempt(() => fill(out, fs.lstatSync(bufferOf(path), { bigint: true })));
    },
    readlink: (link) => {
      // Without /proc: the real path of what was opened under that descriptor.
      const own = opened.get(Number(/^\/proc\/self\/fd\/([0-9]+)$/.exec(link)?.[1] ?? -1));
      return own === undefined
        ? text(() => fs.readlinkSync(bufferOf(link), { encoding: "buffer" }))
        : text(() => fs.realpathSync(bufferOf(own.path), { encoding: "buffer" }));
    },
    getdents: (fd, into) => {
      const directory = opened.get(fd);
      if (directory === undefined) return -ERRNO.EBADF;
      return attempt(() => {
        directory.names ??= fs
          .readdirSync(bufferOf(directory.path), { encoding: "buffer" })
          .map((name) => name.toString("latin1"));
        return pack(directory.names, into);
      });
    },
  };
}

/**
 * Takes names off `names` and writes them as getdents64(2) would, the names alone: bytes filled.
 */
function pack(names: ByteString[], into: Uint8Array): number {
  const records = Buffer.from(into.buffer, into.byteOffset, into.length);
  let at = 0;
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const length = DIRENT_BYTES + name.length + 1;
    if (at + length > records.length) {
      names.push(name);
      break;
    }
    records.writeUInt16LE(length, at + DIRENT_LENGTH_AT);
    records.write(`${name}\0`, at + DIRENT_BYTES, "latin1");
    at += length;
  }
  return at;
}

/** What `call` gives, one byte a character, or -errno. */
function text(call: () => Buffer): ByteString | number {
  let bytes = "";
  const failed = attempt(() => {
    bytes = call().toString("latin1");
    return 0;
  });
  return failed < 0 ? failed : bytes;
}

function fill(out: FileStat, facts: fs.BigIntStats): number {
  out.uid = Number(facts.uid);
  out.mode = Number(facts.mode);
  out.dev = facts.dev;
  out.ino = facts.ino;
  out.size = facts.size;
  out.mtime = facts.mtimeNs;
  out.ctime = facts.ctimeNs;
  return 0;
}
