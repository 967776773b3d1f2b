/**
 * A file of the disk store: its version, and either its whole content or a descriptor. It is
 * counted by who uses it; the descriptor is closed in exactly one place, when the cache and the
 * last transfer have let go, so that a number is never used after it means another file.
 */
import { kernel } from "../sys/kernel.ts";
import { FileStat } from "../sys/types.ts";
import type { Entry } from "../wire/entry.ts";
import type { Reply } from "../wire/reply.ts";
import { etagOf } from "./etag.ts";
import { HEADROOM_BYTES, type OpenFile } from "./store.ts";

/** How many descriptors files hold, cached or in use: one count for a store. */
export interface FdCount {
  open: number;
}

/** The wire's view of what `stat` tells, in a store whose root is on the device `home`. */
export function entryOf(stat: FileStat, home: bigint = stat.dev): Entry {
  const type = stat.isDirectory ? "dir" : "file";
  const size = stat.isDirectory ? 0n : stat.size;
  return { type, size, mtime: stat.mtime, etag: etagOf(stat, home) };
}

/** Where the bytes of a file are. */
export interface Content {
  readonly body: Uint8Array | null;
  /** Of OpenFile. */
  readonly fd: number;
  readonly base: bigint;
  readonly headAt: bigint | null;
  /** Bytes of memory it takes. */
  readonly held: number;
  /** True where others may edit it. */
  readonly live: boolean;
  /** Called once, when nobody uses it any more. */
  close(): void;
}

/** A content in memory, behind HEADROOM_BYTES. */
export class Body implements Content {
  readonly body: Uint8Array;
  readonly fd = -1;
  readonly base = 0n;
  readonly headAt = null;
  readonly live = false;

  constructor(body: Uint8Array) {
    this.body = body;
  }

  get held(): number {
    return this.body.byteLength + HEADROOM_BYTES;
  }

  close(): void {
    // Collected.
  }
}

/** The file itself. */
export class Descriptor implements Content {
  readonly body = null;
  readonly fd: number;
  readonly base = 0n;
  readonly headAt = null;
  readonly held = 0;
  readonly live = true;
  readonly #fds: FdCount;

  /** Takes over `fd`, counted in `fds`. */
  constructor(fd: number, fds: FdCount) {
    this.fd = fd;
    this.#fds = fds;
    fds.open += 1;
  }

  close(): void {
    kernel.close(this.fd);
    this.#fds.open -= 1;
  }
}

/** What a file is now, filled by revalidate() and not kept. */
const now = new FileStat();

/** An open file, or the content of a small one. */
export class DiskFile implements OpenFile {
  readonly entry: Entry;
  readonly stat: FileStat;
  readonly body: Uint8Array | null;
  readonly headroom: number = HEADROOM_BYTES;
  readonly base: bigint;
  readonly source = null;
  readonly headAt: bigint | null;
  head: Uint8Array | null = null;
  reply: Reply | null = null;
  digest: Reply | null = null;
  residentUntil: number;
  /** When the content was read, in clock.now's milliseconds. */
  readonly since: number;
  /** When the name was last seen to mean this version, in clock.now's milliseconds. */
  checked: number;
  /**
   * Set by each use, cleared by the cache's hand as it passes: a file is evicted when it comes
   * round unused.
   */
  used = false;
  /** How often it was used. */
  uses = 0;
  /** When it was last used, in clock.now's milliseconds. */
  usedAt: number;
  readonly #content: Content;
  #refs = 1;

  /**
   * Takes over `content`, which was read at `now`; `home` is the root's device. The first reference
   * is the caller's.
   */
  constructor(stat: FileStat, content: Content, now: number, home: bigint = stat.dev) {
    this.entry = entryOf(stat, home);
    this.since = now;
    this.stat = stat;
    this.body = content.body;
    this.base = content.base;
    this.headAt = content.headAt;
    this.residentUntil = content.live ? 0 : Number.POSITIVE_INFINITY;
    this.checked = now;
    this.usedAt = now;
    this.#content = content;
  }

  get fd(): number {
    return this.#refs > 0 ? this.#content.fd : -1;
  }

  /** True while somebody beside the cache holds it. */
  get shared(): boolean {
    return this.#refs > 1;
  }

  /** Bytes of memory that the content takes; 0 for the file itself. */
  get held(): number {
    return this.#content.held;
  }

  /** Notes a use. */
  touch(now: number): void {
    this.used = true;
    this.uses += 1;
    this.usedAt = now;
  }

  retain(): void {
    this.#refs += 1;
  }

  release(): void {
    this.#refs -= 1;
    if (this.#refs === 0) this.#content.close();
  }

  expire(): void {
    this.checked = Number.NEGATIVE_INFINITY;
  }

  revalidate(): "same" | "grown" | "changed" {
    if (!this.#content.live) return "same";
    if (kernel.statx(this.fd, "", now) < 0) return "changed";
    // A name that is replaced or removed moves ctime alone: this version is still whole.
    if (now.sameContent(this.stat)) return "same";
    return now.size > this.stat.size ? "grown" : "changed";
  }
}
