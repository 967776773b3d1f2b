/**
 * The staging folder: incomplete files are written to a folder of the user's own inside the
 * destination. No name from a peer can collide with them there, no other user can write to it, and
 * a rename within the file system publishes a file. close() removes it when it is empty; files that
 * an interrupted run leaves in it are what the next run resumes.
 */
import { randomBytes } from "node:crypto";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import { printable } from "../wire/printable.ts";
import { NAME_BYTES_MAX } from "../wire/entry.ts";
import { LocalError, must } from "./error.ts";
import { Folder } from "./folder.ts";
import { namesIn } from "./remove.ts";
import { bufferOf, type ByteString } from "../wire/bytes.ts";

/** The mode keeps other users from reading an incomplete file, and from writing. */
const MODE = 0o700;

/** Mode bits that an existing folder must not have: write for group and others. */
const FOREIGN_WRITE = 0o022;

/** Prefix of staging folders: no name at the top of a mirrored tree may start with it. */
export const STAGING_PREFIX = ".cli6-";

/** How ownName() begins: no escaped path does, for an escape is "%25" or "%2F". */
const OWN_PREFIX = "%b";

/** Most tries to make the folder: another run that ends may remove it between mkdir and open. */
const TRIES_MAX = 8;

const found = new FileStat();

/** The staging folder of one destination. */
export class Staging {
  readonly folder: Folder;
  /** True when lock() holds it against other programs: files in it need no lock of their own. */
  exclusive = false;
  /** What lay there at lock(), no more than that: earlier runs', or others' that are filled. */
  readonly left = new Set<ByteString>();
  readonly #name: ByteString;
  #fd: number;
  /** In names, so that two who believe the same lock theirs (NFS) share none. */
  readonly #own = randomBytes(8).toString("hex");
  #ownNames = 0;

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
   * name that another user owns or can write to.
   */
  static open(folder: Folder): Staging {
    // One for each user, so that users do not disturb each other in a shared folder like /tmp.
    const uid = process.geteuid?.() ?? 0;
    const name = `${STAGING_PREFIX}${uid}`;
    return new Staging(folder, openOwn(folder, name, uid), name);
  }

  /**
   * Makes the folder again after another run that ended has removed it, which was empty then.
   * Throws LocalError.
   */
  renew(): void {
    const fd = openOwn(this.folder, this.#name, process.geteuid?.() ?? 0);
    kernel.close(this.#fd);
    this.#fd = fd;
    if (this.exclusive) this.lock();
  }

  /**
   * Locks the whole folder against other programs until close(): for a command that writes many
   * files without a lock for each. What such a one left under ownName() when it was killed is
   * removed. Where there are no locks it goes on without, as Staged.open() does: each file is then
   * opened like those in a folder that others use. Throws LocalError (EBUSY).
   */
  lock(): void {
    const failed = kernel.lock(this.fd);
    if (isLockless(failed)) return;
    if (failed !== -ERRNO.EAGAIN) {
      must(failed, () => `locking ${printable(this.folder.pathOf(this.#name))}`);
      this.exclusive = true;
      this.#look();
      return;
    }
    const text = `another cli6 is writing to ${printable(this.folder.path)}: wait for its end`;
    throw new LocalError("EBUSY", text);
  }

  /**
   * A name that no path and no other program stages anything under, while lock() holds the folder:
   * another one at each call.
   */
  ownName(): ByteString {
    return `${OWN_PREFIX}${this.#own}-${this.#ownNames++}`;
  }

  /** Removes the staged file `name` that an earlier run left. */
  forget(name: ByteString): void {
    kernel.unlinkat(this.fd, name, false);
  }

  /** Closes it, and removes it when nothing is left in it. */
  close(): void {
    kernel.close(this.fd);
    kernel.unlinkat(this.folder.fd, this.#name, true);
  }

  // --- internal ---

  #look(): void {
    for (const name of this.#names()) {
      if (name.startsWith(OWN_PREFIX)) this.forget(name);
      else this.left.add(name);
    }
  }

  /** What lies in it; nothing where that can't be told: then it stays as it is. */
  #names(): ByteString[] {
    try {
      return namesIn(new Folder(this.fd, this.folder.pathOf(this.#name)));
    } catch (error) {
      if (error instanceof LocalError) return [];
      throw error;
    }
  }
}

/**
 * Whether `answer` of lock() says that there are no locks: ENOLCK is NFS without its lock daemon,
 * ENOSYS a platform without flock(2).
 */
export function isLockless(answer: number): boolean {
  return answer === -ERRNO.ENOLCK || answer === -ERRNO.EOPNOTSUPP || answer === -ERRNO.ENOSYS;
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

/**
 * The same for what comes over HTTP: another file, because what one of S6/1 holds is believed by
 * digests, and what one of HTTP holds by a note.
 */
export function httpStagedName(path: ByteString): ByteString {
  // No escaped name starts with "%h": an escape is "%25" or "%2F".
  const name = `%h${stagedName(path)}`;
  return name.length <= NAME_BYTES_MAX
    ? name
    : `%h${stagedName(`${path}${"/".repeat(NAME_BYTES_MAX)}`)}`;
}

// --- internal ---

/** Opens `name` in `folder`, made when it is missing; refuses a folder that others can write to. */
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
