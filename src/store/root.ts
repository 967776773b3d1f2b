/**
 * The directory that is served, held by its descriptor: renaming or replacing it changes nothing.
 * Every look-up is one openat2(RESOLVE_BENEATH) from here, so the kernel decides what is inside,
 * for every link and every race. Answers are a descriptor, or a negative errno; nothing is cached
 * here.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN, RESOLVE } from "../sys/types.ts";
import { HERE, isHidden } from "../wire/path.ts";
import type { ByteString } from "../wire/bytes.ts";

/** What may be reached below the root. */
export interface RootPolicy {
  /** Serve names that start with a dot. */
  readonly hidden: boolean;
  /** Follow links that stay inside. */
  readonly symlinks: boolean;
  /** Go into other file systems mounted below the root. */
  readonly mounts: boolean;
  /** Leave confinement to luck: for kernels without openat2. Links may then lead anywhere. */
  readonly unconfined: boolean;
}

/** openat2 answers EAGAIN when a rename anywhere raced with it; a storm of them ends in EBUSY. */
const RETRIES_MAX = 128;

/** What openCached() and isCached() answer where the disk has to be asked. */
export const COLD = -ERRNO.EAGAIN;

/** What another thread makes the same root of; the descriptor stays whose it is. */
export interface RootParts {
  readonly fd: number;
  readonly name: ByteString;
  readonly policy: RootPolicy;
  /** The only name that exists, when one file is served. */
  readonly only: ByteString | null;
}

/** The served directory. */
export class Root {
  /**
   * Its path when it was opened: for messages and the bare dialect, never for look-ups where
   * openat2 works.
   */
  readonly name: ByteString;
  #fd: number;
  #device: bigint | null = null;
  readonly #policy: RootPolicy;
  readonly #resolve: number;
  /** RESOLVE.cached, or 0 where this kernel can't tell what is in memory. */
  #cached = 0;
  /** The only name that exists, when one file is served. */
  readonly #only: ByteString | null;

  /** Takes over `fd`, an open directory called `name`. */
  constructor(fd: number, name: ByteString, policy: RootPolicy, only: ByteString | null) {
    this.#fd = fd;
    this.name = name;
    this.#policy = policy;
    this.#only = only;
    const mounts = policy.mounts ? 0 : RESOLVE.noXdev;
    this.#resolve = RESOLVE.beneath | RESOLVE.noMagicLinks | mounts;
  }

  /** Valid until close(). */
  get parts(): RootParts {
    return { fd: this.#fd, name: this.name, policy: this.#policy, only: this.#only };
  }

  /** The device that the root is on; of a file elsewhere the etag says so. */
  get device(): bigint {
    this.#device ??= this.#readDevice();
    return this.#device;
  }

  /**
   * Proves that this system confines and that what is found can be opened: 0, or the negative errno
   * of openat2 on the root itself; -EIO where there is no /proc. Before it, and where it fails,
   * openCached() is openPath().
   */
  probe(): number {
    const fd = kernel.openat2(this.#fd, HERE, OPEN.path, this.#resolve);
    const opened = fd < 0 ? fd : this.reopen(fd, OPEN.directory);
    if (opened < 0) return opened;
    const known = kernel.openat2(this.#fd, HERE, OPEN.path, this.#resolve | RESOLVE.cached);
    if (known >= 0) kernel.close(known);
    // EAGAIN: a file system of which nothing is known without asking it. Threads do, each time.
    if (known >= 0 || known === COLD) this.#cached = RESOLVE.cached;
    return kernel.close(opened);
  }

  /**
   * Looks `relative` up and fills `stat`; the descriptor (O_PATH: it opens nothing, a FIFO's writer
   * is not woken) or -errno, never COLD. The caller closes it. Waits for the disk.
   */
  openPath(relative: ByteString, stat: FileStat): number {
    return this.#open(relative, stat, 0);
  }

  /** The same where all of it is in memory, without waiting for anything; else COLD. */
  openCached(relative: ByteString, stat: FileStat): number {
    return this.#open(relative, stat, this.#cached);
  }

  /** False where looking at `name` in the open folder `fd` would wait for the disk. */
  isCached(fd: number, name: ByteString): boolean {
    if (this.#cached === 0) return true;
    const flags = OPEN.path | OPEN.noFollow;
    const found = kernel.openat2(fd, name, flags, RESOLVE.beneath | RESOLVE.cached);
    return found < 0 ? found !== COLD : kernel.close(found) === 0;
  }

  /**
   * Opens for reading what openPath() found, by the descriptor itself: no second walk, nothing to
   * race with.
   */
  reopen(found: number, flags: number): number {
    // Where there is no O_PATH openPath() has opened it already, and this is what its caller will
    // close.
    if (!kernel.native) return found;
    const fd = kernel.openat(AT_FDCWD, `/proc/self/fd/${found}`, flags | OPEN.nonBlocking);
    kernel.close(found);
    // The file is there: what is missing is /proc, and that is not the client's mistake.
    return fd === -ERRNO.ENOENT ? -ERRNO.EIO : fd;
  }

  /** False for names that policy hides: they do not exist. */
  allows(relative: ByteString): boolean {
    if (this.#only !== null) return relative === this.#only || relative === HERE;
    return this.#policy.hidden || !isHidden(relative);
  }

  close(): void {
    kernel.close(this.#fd);
    this.#fd = -1;
  }

  // --- internal ---

  #open(relative: ByteString, stat: FileStat, cached: number): number {
    if (!this.allows(relative)) return -ERRNO.ENOENT;
    const fd = this.#walk(relative, cached);
    if (fd < 0) return fd;
    const failed = kernel.statx(fd, "", stat);
    if (failed === 0) return fd;
    kernel.close(fd);
    return failed;
  }

  #readDevice(): bigint {
    const stat = new FileStat();
    return kernel.statx(this.#fd, "", stat) === 0 ? stat.dev : -1n;
  }

  #walk(relative: ByteString, cached: number): number {
    if (this.#policy.unconfined) return this.#walkUnconfined(relative);
    const resolve = this.#resolve | cached;
    const direct = this.#openat2(relative, resolve | RESOLVE.noSymlinks);
    if (direct !== -ERRNO.ELOOP || !this.#policy.symlinks) return direct;
    const fd = this.#openat2(relative, resolve);
    if (fd < 0 || this.#policy.hidden) return fd;
    const hidden = this.#leadsToHidden(fd);
    if (hidden === 0) return fd;
    kernel.close(fd);
    return hidden;
  }

  #openat2(relative: ByteString, resolve: number): number {
    let fd = kernel.openat2(this.#fd, relative, OPEN.path, resolve);
    if ((resolve & RESOLVE.cached) !== 0) return fd;
    for (let tries = 1; tries < RETRIES_MAX && fd === -ERRNO.EAGAIN; tries++) {
      fd = kernel.openat2(this.#fd, relative, OPEN.path, resolve);
    }
    return fd === -ERRNO.EAGAIN ? -ERRNO.EBUSY : fd;
  }

  #walkUnconfined(relative: ByteString): number {
    // Where there is no O_PATH, opening is looking.
    const fd = kernel.native
      ? kernel.openat(this.#fd, relative, OPEN.path)
      : kernel.openat(this.#fd, relative, OPEN.readOnly | OPEN.nonBlocking);
    const refused = fd < 0 ? 0 : this.#policyOn(fd, relative);
    if (refused === 0) return fd;
    kernel.close(fd);
    return refused;
  }

  /** Unconfined, links are free to leave the root, but not to get around the other policies. */
  #policyOn(fd: number, relative: ByteString): number {
    const real = kernel.readlink(`/proc/self/fd/${fd}`);
    const root = kernel.readlink(`/proc/self/fd/${this.#fd}`);
    if (typeof real === "number" || typeof root === "number") return -ERRNO.EACCES;
    const base = root.endsWith("/") ? root : `${root}/`;
    const name = relative.replace(/\/$/, "");
    if (!this.#policy.symlinks && relative !== HERE && real !== base + name) return -ERRNO.ELOOP;
    if (this.#policy.hidden || !real.startsWith(base)) return 0;
    return isHidden(real.slice(base.length)) ? -ERRNO.ENOENT : 0;
  }

  /**
   * 0, or -errno when a link went to a name that policy hides: the opened file's own path tells.
   */
  #leadsToHidden(fd: number): number {
    const real = kernel.readlink(`/proc/self/fd/${fd}`);
    const root = kernel.readlink(`/proc/self/fd/${this.#fd}`);
    if (typeof real === "number" || typeof root === "number") return -ERRNO.EACCES;
    if (real === root) return 0;
    const base = root.endsWith("/") ? root : `${root}/`;
    if (!real.startsWith(base)) return -ERRNO.EACCES;
    return isHidden(real.slice(base.length)) ? -ERRNO.ENOENT : 0;
  }
}
