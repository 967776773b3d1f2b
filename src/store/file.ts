/**
 * A file of the disk store: its version, and either its whole content or a descriptor. It is
 * counted by who uses it; the descriptor is closed in exactly one place, when the cache and the
 * last transfer have let go, so that a number is never used after it means another file.
 */
import { kernel } from "../sys/kernel.ts";
import { FileStat } from "../sys/types.ts";
import type { Entry } from "../wire/entry.ts";
import { etagOf } from "./etag.ts";
import { HEADROOM_BYTES, type OpenFile } from "./store.ts";

/** How many descriptors files hold, cached or in use: one count for a store. */
export interface FdCount {
  open: number;
}

/** The wire's view of what `stat` tells. */
export function entryOf(stat: FileStat): Entry {
  const type = stat.isDirectory ? "dir" : "file";
  const size = stat.isDirectory ? 0n : stat.size;
  return { type, size, mtime: stat.mtime, etag: etagOf(stat) };
}

/** What a file is now, read by fate() and not kept. */
const now = new FileStat();

/** An open file, or the content of a small one. */
export class DiskFile implements OpenFile {
  readonly entry: Entry;
  readonly stat: FileStat;
  readonly body: Uint8Array | null;
  readonly headroom: number = HEADROOM_BYTES;
  reply: Uint8Array | null = null;
  digest: Uint8Array | null = null;
  warmUntil = 0;
  /** When the name was last seen to mean this version, in clock.now's milliseconds. */
  checked: number;
  /**
   * Set by each use, cleared by the cache's hand as it passes: a file is evicted when it comes
   * round unused.
   */
  used = false;
  /** When it was last used, in clock.now's milliseconds. */
  usedAt: number;
  #fd: number;
  #refs = 1;
  readonly #fds: FdCount;

  /** Takes over `fd` (-1 with a body). The first reference is the caller's. */
  constructor(stat: FileStat, fd: number, body: Uint8Array | null, now: number, fds: FdCount) {
    this.entry = entryOf(stat);
    this.stat = stat;
    this.body = body;
    this.checked = now;
    this.usedAt = now;
    this.#fd = fd;
    this.#fds = fds;
    if (fd >= 0) fds.open += 1;
  }

  get fd(): number {
    return this.#fd;
  }

  /** True while somebody beside the cache holds it. */
  get shared(): boolean {
    return this.#refs > 1;
  }

  /** Notes a use. */
  touch(now: number): void {
    this.used = true;
    this.usedAt = now;
  }

  /** Bytes of memory that the body holds. */
  get held(): number {
    return this.body === null ? 0 : this.body.byteLength + this.headroom;
  }

  retain(): void {
    this.#refs += 1;
  }

  release(): void {
    this.#refs -= 1;
    if (this.#refs !== 0 || this.#fd < 0) return;
    kernel.close(this.#fd);
    this.#fd = -1;
    this.#fds.open -= 1;
  }

  distrust(): void {
    this.checked = Number.NEGATIVE_INFINITY;
  }

  fate(): "same" | "grown" | "changed" {
    if (this.#fd < 0) return "same";
    if (kernel.statx(this.#fd, "", now) < 0) return "changed";
    // A name that is replaced or removed moves ctime alone: this version is still whole.
    if (now.size === this.stat.size && now.mtime === this.stat.mtime) return "same";
    return now.size > this.stat.size ? "grown" : "changed";
  }
}
