/**
 * Where files grow until they are complete: a folder of the user's own in the destination, so that
 * no name of a peer's can meet ours, nobody else can plant anything, and a rename is enough to
 * publish. It goes when it is empty; what a run leaves in it is where the next one goes on.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import { printable } from "../wire/printable.ts";
import { LocalError, must } from "./error.ts";
import type { Folder } from "./folder.ts";
import { bufferOf, type ByteString } from "../wire/bytes.ts";

/** Nobody else reads what is not complete, nobody else writes. */
const MODE = 0o700;

/** The rights that others must not have on it. */
const FOREIGN_WRITE = 0o022;

/** Longest name of a file (limits.h NAME_MAX). */
const NAME_BYTES_MAX = 255;

/** Names that start like this are ours: a tree that is mirrored can't have them at its top. */
export const STAGING_PREFIX = ".cli6-";

/** How often the folder is made again when another run's end removes it under our hands. */
const TRIES_MAX = 8;

const found = new FileStat();

/** The staging folder of one destination. */
export class Staging {
  readonly folder: Folder;
  /** True when every other program is kept out: files in it need no lock of their own. */
  exclusive = false;
  readonly #name: ByteString;
  #fd: number;

  private constructor(folder: Folder, fd: number, name: ByteString) {
    this.folder = folder;
    this.#fd = fd;
    this.#name = name;
  }

  get fd(): number {
    return this.#fd;
  }

  /**
   * Opens or makes the staging folder in `folder`. Throws LocalError, also for a folder of that
   * name that is not ours alone.
   */
  static open(folder: Folder): Staging {
    // One for each user: in a shared folder like /tmp nobody is in the other's way.
    const uid = process.geteuid?.() ?? 0;
    const name = `${STAGING_PREFIX}${uid}`;
    return new Staging(folder, openOwn(folder, name, uid), name);
  }

  /**
   * Makes the folder anew: a run that ended beside us has removed it, as long as it was empty.
   * Throws LocalError.
   */
  renew(): void {
    const fd = openOwn(this.folder, this.#name, process.geteuid?.() ?? 0);
    kernel.close(this.#fd);
    this.#fd = fd;
    if (this.exclusive) this.lock();
  }

  /**
   * Keeps every other program from this staging folder as a whole, until it is closed: for a
   * command that writes many files without a lock of their own. Throws LocalError (EBUSY).
   */
  lock(): void {
    const failed = kernel.lock(this.fd);
    if (failed !== -ERRNO.EAGAIN) {
      must(failed, () => `locking ${printable(this.folder.pathOf(this.#name))}`);
      this.exclusive = true;
      return;
    }
    const text = `another cli6 is writing to ${printable(this.folder.path)}: wait for its end`;
    throw new LocalError("EBUSY", text);
  }

  /** Removes what an earlier run left of the staged file `name`. */
  forget(name: ByteString): void {
    kernel.unlinkat(this.fd, name, false);
  }

  /** Closes it, and removes it when nothing is left in it. */
  close(): void {
    kernel.close(this.fd);
    kernel.unlinkat(this.folder.fd, this.#name, true);
  }
}

/**
 * The name under which `path` (relative to the destination) is staged: the same in every run. Two
 * paths never share one.
 */
export function stagedName(path: ByteString): ByteString {
  const name = path.replaceAll("%", "%25").replaceAll("/", "%2F");
  if (name.length <= NAME_BYTES_MAX && !name.startsWith("%%")) return name;
  // No escaped name starts with two percent signs, so a hash meets none.
  const bytes = bufferOf(path);
  return `%%${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
}

// --- internal ---

/** The folder `name` in `folder`, made when it is missing, if it is the user's alone. */
function openOwn(folder: Folder, name: ByteString, uid: number): number {
  const path = printable(folder.pathOf(name));
  const flags = OPEN.readOnly | OPEN.directory | OPEN.noFollow;
  let fd = -ERRNO.ENOENT;
  for (let tries = 0; fd === -ERRNO.ENOENT && tries < TRIES_MAX; tries++) {
    const made = kernel.mkdirat(folder.fd, name, MODE);
    if (made !== -ERRNO.EEXIST) must(made, () => `making the folder ${path}`);
    fd = kernel.openat(folder.fd, name, flags);
  }
  must(fd, () => `opening the folder ${path}`);
  const failed = kernel.statx(fd, "", found);
  if (failed === 0 && found.uid === uid && (found.mode & FOREIGN_WRITE) === 0) return fd;
  kernel.close(fd);
  const text = `${path} is not a folder that only you can write to: remove it`;
  throw new LocalError("EPERM", text);
}
