/**
 * Files by path, the recently used ones. Bounded by three budgets: entries, bytes of held bodies
 * and descriptors; over any of them the one that was not used since the hand last passed goes
 * (second chance: a hit costs one store, where a strict LRU re-links).
 */
import type { ByteString } from "../wire/vocabulary.ts";
import type { DiskFile } from "./file.ts";

/** What the cache may hold. */
export interface CacheBudget {
  /** Files, whatever they hold. */
  readonly entries: number;
  /** Bytes of held bodies. */
  readonly bytes: number;
  /** Descriptors of cached files. */
  readonly fds: number;
}

/** The open-file cache: it owns one reference to each file in it. */
export class FileCache {
  readonly #files = new Map<ByteString, DiskFile>();
  readonly #budget: CacheBudget;
  #bytes = 0;
  #fds = 0;

  constructor(budget: CacheBudget) {
    this.#budget = budget;
  }

  get size(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get fds(): number {
    return this.#fds;
  }

  /** The file under `path`, whatever its age, without a new reference. */
  get(path: ByteString): DiskFile | undefined {
    return this.#files.get(path);
  }

  /**
   * Takes over the caller's reference to `file`; what was under `path` is let go, and what is over
   * budget.
   */
  put(path: ByteString, file: DiskFile): void {
    this.drop(path);
    this.#files.set(path, file);
    this.#bytes += file.held;
    if (file.fd >= 0) this.#fds += 1;
    while (this.#over() && this.evict());
  }

  /** Forgets `path`. Transfers that use the file go on. */
  drop(path: ByteString): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.delete(path);
    this.#bytes -= file.held;
    if (file.fd >= 0) this.#fds -= 1;
    file.release();
  }

  /** Lets one file go, the oldest that was not used lately; false when there is none. */
  evict(): boolean {
    // Each is passed once at most: the second time round its mark is gone.
    for (const [path, file] of this.#files) {
      if (file.used) {
        file.used = false;
        this.#files.delete(path);
        this.#files.set(path, file);
        continue;
      }
      this.drop(path);
      return true;
    }
    return false;
  }

  /** Lets all files go. */
  clear(): void {
    for (const path of [...this.#files.keys()]) this.drop(path);
  }

  // --- internal ---

  #over(): boolean {
    const { entries, bytes, fds } = this.#budget;
    return this.#files.size > entries || this.#bytes > bytes || this.#fds > fds;
  }
}
