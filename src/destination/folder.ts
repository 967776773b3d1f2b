/**
 * A folder of this machine that files are put into, held by its descriptor: whatever happens to its
 * name meanwhile, files land in the folder that was opened. The path a person names may lead over
 * links, it is theirs; below it none is followed, since those names come from a peer.
 *
 * Invariant: a folder in which a name was made or changed says so until it is synced, and so do the
 * folders above it that were made for it.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "../sys/types.ts";
import { printable } from "../wire/printable.ts";
import { LocalError, localError, must } from "./error.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Mode of new directories, before the umask. */
const MODE = 0o777;

/**
 * Up to so many folders are synced one by one, more by one syncfs(2). On ext4 eight cost 1 ms, 64
 * cost 7, syncfs 0.7; but syncfs also waits for what other programs have written.
 */
const SINGLE_MAX = 8;

const found = new FileStat();

/** An open directory. Close it when done. */
export class Folder {
  readonly fd: number;
  /** Its path as a person would name it; bytes. */
  readonly path: ByteString;
  /** True when it was made by this call, so that it is empty. */
  readonly fresh: boolean;
  /** The folder it was opened from; null where its own name is not ours to sync. */
  readonly above: Folder | null;
  /** Names in it were made, changed or removed, and may be lost by a power cut. */
  changed = false;

  /** Takes over `fd`. */
  constructor(fd: number, path: ByteString, fresh = false, above: Folder | null = null) {
    this.fd = fd;
    this.path = path;
    this.fresh = fresh;
    this.above = above;
  }

  /**
   * Opens `path`, which may follow links; with `create` it and what lies above it is made first,
   * and those names are on the disk by then. Throws LocalError.
   */
  static open(path: ByteString, create: boolean): Folder {
    const flags = OPEN.readOnly | OPEN.directory;
    let fd = kernel.openat(AT_FDCWD, path, flags);
    if (fd === -ERRNO.ENOENT && create) {
      makeAll(path);
      fd = kernel.openat(AT_FDCWD, path, flags);
    }
    return new Folder(
      must(fd, () => `opening the folder ${printable(path)}`),
      path,
    );
  }

  /**
   * The directory `name` in this one, made when it is missing. A link of that name is refused, not
   * followed: whoever can write here could have planted it. This one must stay open as long as that
   * one does. Throws LocalError.
   */
  below(name: ByteString): Folder {
    const path = this.pathOf(name);
    let fd = this.#open(name, path);
    let fresh = false;
    if (fd === -ERRNO.ENOENT) {
      const made = kernel.mkdirat(this.fd, name, MODE);
      fresh = made === 0;
      this.changed ||= fresh;
      if (made !== -ERRNO.EEXIST) must(made, () => `making the folder ${printable(path)}`);
      fd = this.#open(name, path);
    }
    return this.#opened(fd, path, fresh);
  }

  /** The same; null when it is missing: nothing is made. */
  find(name: ByteString): Folder | null {
    const path = this.pathOf(name);
    const fd = this.#open(name, path);
    return fd === -ERRNO.ENOENT ? null : this.#opened(fd, path, false);
  }

  /**
   * statx(2) of `name` without following a link; null when it does not exist. The result is valid
   * until the next call. Throws LocalError.
   */
  stat(name: ByteString): FileStat | null {
    const failed = kernel.statx(this.fd, name, found);
    if (failed === -ERRNO.ENOENT) return null;
    if (failed < 0) throw localError(failed, `looking at ${printable(this.pathOf(name))}`);
    return found;
  }

  /** The path of `name` in here, for messages. */
  pathOf(name: ByteString): ByteString {
    if (this.path === ".") return name;
    return this.path.endsWith("/") ? this.path + name : `${this.path}/${name}`;
  }

  /** Brings the names in it to the disk; folders above are not synced. Throws LocalError. */
  sync(): void {
    const synced = kernel.fsync(this.fd);
    // fsync(2): EINVAL where a file system has no such call for folders (vboxsf, old 9P). What it
    // does with a name is its own then, and nobody can wait for it.
    if (synced !== -ERRNO.EINVAL) must(synced, () => `syncing the folder ${printable(this.path)}`);
    this.changed = false;
  }

  close(): void {
    kernel.close(this.fd);
  }

  // --- internal ---

  #open(name: ByteString, path: ByteString): number {
    const fd = kernel.openat(this.fd, name, OPEN.readOnly | OPEN.directory | OPEN.noFollow);
    if (fd !== -ERRNO.ELOOP && fd !== -ERRNO.ENOTDIR) return fd;
    const shown = printable(path);
    const text = `${shown} is in the way: a folder is needed there, and links are not followed`;
    throw new LocalError("ENOTDIR", text);
  }

  #opened(fd: number, path: ByteString, fresh: boolean): Folder {
    must(fd, () => `opening the folder ${printable(path)}`);
    return new Folder(fd, path, fresh, this);
  }
}

/**
 * Brings the names that were changed in `folders`, and in those above them, to the disk: what was
 * renamed into them outlives a power cut from then on. Gives the errors by folder; where there is
 * none for a folder, its names are safe. Each folder is synced once for all files in it: the kernel
 * tells of a lost write at the first fsync(2) alone.
 */
export function syncFolders(folders: Iterable<Folder>): ReadonlyMap<Folder, unknown> {
  const asked = new Set(folders);
  const changed = new Set<Folder>();
  for (const folder of asked) {
    for (const each of chainOf(folder)) if (each.changed) changed.add(each);
  }
  const errors = new Map<Folder, unknown>();
  const together = changed.size > SINGLE_MAX && syncTogether(changed);
  for (const folder of together ? [] : changed) {
    try {
      folder.sync();
    } catch (error) {
      errors.set(folder, error);
    }
  }
  if (errors.size === 0) return errors;
  for (const folder of asked) {
    const lost = chainOf(folder).find((each) => errors.has(each));
    if (lost !== undefined) errors.set(folder, errors.get(lost));
  }
  return errors;
}

// --- internal ---

/** `folder` and the folders above it. */
function chainOf(folder: Folder): Folder[] {
  const chain: Folder[] = [];
  for (let at: Folder | null = folder; at !== null; at = at.above) chain.push(at);
  return chain;
}

/** Syncs the file system of `folders`, which is one; false where that failed or can't be done. */
function syncTogether(folders: ReadonlySet<Folder>): boolean {
  const [first] = folders;
  if (first === undefined || kernel.syncfs(first.fd) < 0) return false;
  for (const folder of folders) folder.changed = false;
  return true;
}

/** Syncs the folder `path`. One that can't be read can't be synced: its names are left to time. */
function syncPath(path: ByteString): void {
  const fd = kernel.openat(AT_FDCWD, path, OPEN.readOnly | OPEN.directory);
  if (fd < 0) return;
  const folder = new Folder(fd, path);
  try {
    folder.sync();
  } finally {
    folder.close();
  }
}

/**
 * mkdir -p, synced. What is there already is no error; the open that follows tells if it is no
 * folder.
 */
function makeAll(path: ByteString): void {
  const names = path.split("/");
  for (let count = 1; count <= names.length; count++) {
    const prefix = names.slice(0, count).join("/");
    if (prefix === "") continue;
    const made = kernel.mkdirat(AT_FDCWD, prefix, MODE);
    if (made === -ERRNO.EEXIST) continue;
    must(made, () => `making the folder ${printable(prefix)}`);
    const above = names.slice(0, count - 1).join("/");
    syncPath(above === "" ? (prefix.startsWith("/") ? "/" : ".") : above);
  }
}
