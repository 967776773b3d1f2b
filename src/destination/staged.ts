/**
 * A staged file: filled under a private name, published under its final one by one rename when it
 * is complete. At every moment the final name is the old file or the whole new one; whatever ends
 * the program leaves the staged file, which the next run finds.
 *
 * Whoever publishes keeps this order, so that a power cut keeps that promise too: content, times
 * and etag to the disk (fsync or syncfs), the name (publish()), the folder (syncFolders()); then
 * the file may be reported as done.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { uninterrupted } from "../sys/shortcount.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import { printable } from "../wire/printable.ts";
import { LocalError, localError, must } from "./error.ts";
import type { Folder } from "./folder.ts";
import { isLockless, type Staging } from "./staging.ts";
import type { ByteString } from "../wire/bytes.ts";

/** A new file's rights, less the umask. A server's are never applied. */
const MODE = 0o666;

const OPEN_FLAGS = OPEN.readWrite | OPEN.create | OPEN.noFollow | OPEN.nonBlocking;

/** Times before 1970 and after 2262 are no file's; what a server says beyond is left out. */
const MTIME_MAX = 2n ** 63n - 1n;

/** How often a file that was published while we opened it is opened again. */
const TRIES_MAX = 8;

/** The extended attribute that keeps a version's etag, where the file system has such. */
export const ETAG_ATTRIBUTE = "user.cli6.etag";

/** What a file becomes when it is published. */
export interface Publication {
  readonly folder: Folder;
  readonly name: ByteString;
  /** Nanoseconds since 1970; what is no file's time is ignored. */
  readonly mtime: bigint;
  /** "" to note none. */
  readonly etag: string;
  /** Whether a file of that name is replaced. */
  readonly replace: boolean;
}

const named = new FileStat();
const opened = new FileStat();

/** A staged file, open for reading and writing, and ours alone while it is. */
export class Staged {
  readonly fd: number;
  /** Bytes that it had when it was opened: an earlier run's. */
  readonly had: bigint;
  readonly #staging: Staging;
  readonly #name: ByteString;
  readonly #told: ByteString;

  private constructor(
    fd: number,
    staging: Staging,
    name: ByteString,
    told: ByteString,
    had: bigint,
  ) {
    this.fd = fd;
    this.had = had;
    this.#staging = staging;
    this.#name = name;
    this.#told = told;
  }

  /**
   * Opens the staged file `name`, new or as an earlier run left it; messages call it `told`. Throws
   * LocalError: EBUSY while another program fills it.
   */
  static open(staging: Staging, name: ByteString, told = name): Staged {
    if (staging.exclusive) {
      const created = kernel.openat(staging.fd, name, OPEN_FLAGS | OPEN.exclusive, MODE);
      if (created >= 0) return new Staged(created, staging, name, told, 0n);
    }
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const fd = openIn(staging, name, told);
      const locked = kernel.lock(fd);
      if (locked === -ERRNO.EAGAIN) {
        kernel.close(fd);
        throw taken(told);
      }
      // Whoever held it before us may have published it: then the name is another file by now.
      const known = kernel.statx(staging.fd, name, named);
      const looked = kernel.statx(fd, "", opened);
      const same = looked === 0 && known === 0 && named.ino === opened.ino;
      if (same && opened.isFile) return new Staged(fd, staging, name, told, opened.size);
      kernel.close(fd);
      if (known !== -ERRNO.ENOENT)
        must(Math.min(known, looked), () => `looking at ${printable(told)}`);
      if (same) throw new LocalError("EEXIST", `${printable(told)} is in the way: no regular file`);
    }
    throw new LocalError("EBUSY", `${printable(told)} is published again and again by others`);
  }

  /**
   * Keeps others from a file that is filled for long: in a folder that is locked as a whole open()
   * does not, and a program that locks only its file would fill it too. Throws LocalError (EBUSY).
   */
  claim(): void {
    const locked = this.#staging.exclusive ? kernel.lock(this.fd) : 0;
    if (locked === -ERRNO.EAGAIN) throw taken(this.#told);
    if (isLockless(locked)) return;
    this.#must(locked, "locking");
  }

  /**
   * Gives the file `size` bytes, reserved where the file system can: what would not fit fails here,
   * before a byte has come. Throws LocalError (ENOSPC).
   */
  reserve(size: bigint): void {
    if (size < this.had) this.#must(kernel.ftruncate(this.fd, size), "cutting");
    if (size === 0n) return;
    const reserved = kernel.fallocate(this.fd, size);
    if (reserved === 0) return;
    const cannot = reserved === -ERRNO.EOPNOTSUPP || reserved === -ERRNO.ENOSYS;
    if (!cannot) {
      // ext4 keeps what it could reserve: a refused file would hold all the room there was.
      if (size > this.had) kernel.ftruncate(this.fd, this.had);
      this.#must(reserved, `reserving ${size} bytes for`);
    }
    this.#must(kernel.ftruncate(this.fd, size), "sizing");
  }

  /** True when an earlier run may have written into the range: it is no hole. */
  hasData(offset: bigint, length: bigint): boolean {
    if (offset >= this.had) return false;
    const next = kernel.nextData(this.fd, offset);
    if (next === -ERRNO.ENXIO) return false;
    // Where the file system can't tell, everything may be data.
    return next < 0 || BigInt(next) < offset + length;
  }

  /** True when nothing was ever written into it: what is reserved is none. */
  get blank(): boolean {
    return kernel.nextData(this.fd, 0n) === -ERRNO.ENXIO;
  }

  /** Writes all of `bytes` at `offset`. Throws LocalError. */
  write(bytes: Uint8Array, offset: bigint): void {
    let rest = bytes;
    let at = offset;
    while (rest.length > 0) {
      const taken = uninterrupted(() => kernel.pwrite(this.fd, rest, rest.length, at));
      this.#must(taken === 0 ? -ERRNO.EIO : taken, "writing");
      rest = rest.subarray(taken);
      at += BigInt(taken);
    }
  }

  /** Sets what is known of the file beside its content; times and etags that can't be are not. */
  note(mtime: bigint, etag: string): void {
    if (etag !== "") kernel.setAttribute(this.fd, ETAG_ATTRIBUTE, etag);
    if (mtime >= 0n && mtime <= MTIME_MAX) this.#must(kernel.setMtime(this.fd, mtime), "dating");
  }

  /**
   * Gives the file its final name, by one rename: its content is synced by then, and the folder is
   * to be synced. Throws LocalError (EEXIST when not `replace`).
   */
  publish({ folder, name, replace }: Publication): void {
    publish(this.#staging, this.#name, folder, name, replace);
  }

  /** Closes it; it stays for the next run. */
  close(): void {
    kernel.close(this.fd);
  }

  /** Removes it: there is nothing in it worth going on from. Close it afterwards. */
  discard(): void {
    kernel.unlinkat(this.#staging.fd, this.#name, false);
  }

  // --- internal ---

  #must(answer: number, doing: string): void {
    must(answer, () => `${doing} ${printable(this.#staging.folder.pathOf(this.#told))}`);
  }
}

/**
 * Renames the staged `from` to `name` in `folder`, which is to be synced then. Without `replace`,
 * what has that name stays and LocalError (EEXIST) is thrown.
 */
export function publish(
  staging: Staging,
  from: ByteString,
  folder: Folder,
  name: ByteString,
  replace: boolean,
): void {
  let renamed = kernel.renameat(staging.fd, from, folder.fd, name, replace);
  if (renamed === -ERRNO.EINVAL && !replace) {
    // A file system without RENAME_NOREPLACE: a second name is refused as well when one is there.
    renamed = kernel.linkat(staging.fd, from, folder.fd, name);
    if (renamed === 0) kernel.unlinkat(staging.fd, from, false);
  }
  if (renamed === 0) {
    folder.changed = true;
    return;
  }
  const path = printable(folder.pathOf(name));
  if (renamed === -ERRNO.EEXIST) throw inTheWay(path);
  const why = renamed === -ERRNO.EXDEV ? " (it lies on another file system)" : "";
  throw localError(renamed, `giving ${path} its name${why}`);
}

/** The refusal to touch what is there. `path` is printable. */
export function inTheWay(path: string): LocalError {
  return Object.assign(new LocalError("EEXIST", `${path} exists already`), { remedy: "replace" });
}

// --- internal ---

function taken(name: ByteString): LocalError {
  return new LocalError("EBUSY", `another cli6 is fetching ${printable(name)}: wait for its end`);
}

function openIn(staging: Staging, name: ByteString, told: ByteString): number {
  const doing = (): string => `making ${printable(staging.folder.pathOf(told))}`;
  let fd = kernel.openat(staging.fd, name, OPEN_FLAGS, MODE);
  if (fd === -ERRNO.ENOENT) {
    staging.renew();
    fd = kernel.openat(staging.fd, name, OPEN_FLAGS, MODE);
  }
  return must(fd, doing);
}
