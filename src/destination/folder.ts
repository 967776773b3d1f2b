/**
 * A directory of this machine that files are put into, held by its descriptor: whatever happens to
 * its name meanwhile, files land in the directory that was opened. The path a person names may lead
 * over links, it is theirs; below it none is followed, since those names come from a peer.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "../sys/types.ts";
import { printable } from "../wire/printable.ts";
import { LocalError, localError, must } from "./error.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Directories are made with these rights, less the umask. */
const MODE = 0o777;

const found = new FileStat();

/** An open directory. Close it when done. */
export class Folder {
  readonly fd: number;
  /** Its path as a person would name it; bytes. */
  readonly path: ByteString;
  /** True when we have just made it: nothing of anybody's is in it. */
  readonly fresh: boolean;

  /** Takes over `fd`. */
  constructor(fd: number, path: ByteString, fresh = false) {
    this.fd = fd;
    this.path = path;
    this.fresh = fresh;
  }

  /**
   * Opens `path`, which may follow links; with `create` it and what lies above it is made first.
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
   * The directory `name` in this one, made when it is missing. A link of that name is refused, not
   * followed: whoever can write here could have planted it. Throws LocalError.
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
      const text = `${printable(path)} is in the way: a folder is needed there, and links are not followed`;
      throw new LocalError("ENOTDIR", text);
    }
    return new Folder(
      must(fd, () => `opening the folder ${printable(path)}`),
      path,
      fresh,
    );
  }

  /** What `name` is, links not followed: null when there is nothing. Valid until the next call. */
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

  /** Names that were changed in here outlive a power cut from now on. Throws LocalError. */
  sync(): void {
    must(kernel.fsync(this.fd), () => `syncing the folder ${printable(this.path)}`);
  }

  close(): void {
    kernel.close(this.fd);
  }
}

// --- internal ---

/** mkdir -p. What is there already is no error; the open that follows tells if it is no folder. */
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
