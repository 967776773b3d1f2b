/**
 * A destination directory, held by its descriptor: files go into the directory that was opened even
 * if its name is renamed or replaced meanwhile. The path that the user gives may contain symbolic
 * links; below it no link is followed, because those names come from a peer.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "../sys/types.ts";
import { printable } from "../wire/printable.ts";
import { LocalError, localError, must } from "./error.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Mode of new directories, before the umask. */
const MODE = 0o777;

const found = new FileStat();

/** An open directory. Close it when done. */
export class Folder {
  readonly fd: number;
  /** Its path as a person would name it; bytes. */
  readonly path: ByteString;
  /** True when it was made by this call, so that it is empty. */
  readonly fresh: boolean;

  /** Takes over `fd`. */
  constructor(fd: number, path: ByteString, fresh = false) {
    this.fd = fd;
    this.path = path;
    this.fresh = fresh;
  }

  /**
   * Opens `path`, following links; with `create` it and its missing parents are made first.
   * Throws LocalError.
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
   * The directory `name` in this one, made when it is missing. A symbolic link of that name is
   * refused: anybody who can write here may have put it there. Throws LocalError.
   */
  below(name: ByteString): Folder {
    const flags = OPEN.readOnly | OPEN.directory | OPEN.noFollow;
    const path = this.pathOf(name);
    let fd = kernel.openat(this.fd, name, flags);
    let fresh = false;
    if (fd === -ERRNO.ENOENT) {
      const made = kernel.mkdirat(this.fd, name, MODE);
      fresh = made === 0;
      if (made !== -ERRNO.EEXIST) must(made, () => `making the folder ${printable(path)}`);
      fd = kernel.openat(this.fd, name, flags);
    }
    if (fd === -ERRNO.ELOOP || fd === -ERRNO.ENOTDIR) {
      const shown = printable(path);
      const text = `${shown} is in the way: a folder is needed there, and links are not followed`;
      throw new LocalError("ENOTDIR", text);
    }
    return new Folder(
      must(fd, () => `opening the folder ${printable(path)}`),
      path,
      fresh,
    );
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

  /** fsync(2): the names in here as they are now survive a power cut. Throws LocalError. */
  sync(): void {
    must(kernel.fsync(this.fd), () => `syncing the folder ${printable(this.path)}`);
  }

  close(): void {
    kernel.close(this.fd);
  }
}

// --- internal ---

/** mkdir -p. An existing name is no error: the open that follows fails if it is no folder. */
function makeAll(path: ByteString): void {
  const names = path.split("/");
  for (let count = 1; count <= names.length; count++) {
    const part = names.slice(0, count).join("/");
    if (part === "") continue;
    const made = kernel.mkdirat(AT_FDCWD, part, MODE);
    if (made === -ERRNO.EEXIST) continue;
    must(made, () => `making the folder ${printable(part)}`);
  }
}
