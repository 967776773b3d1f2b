/**
 * Files by path, the recently used ones, up to a weight. Over it the one goes that was not used
 * since the hand last passed (second chance: a hit costs one store, where a strict LRU re-links).
 */
import type { DiskFile } from "./file.ts";
import type { ByteString } from "../wire/bytes.ts";

/** One shelf of the cache: it owns one reference to each file on it. */
export class Shelf {
  readonly #files = new Map<ByteString, DiskFile>();
  readonly #weightMax: number;
  readonly #weigh: (file: DiskFile) => number;
  #weight = 0;

  /** Holds files of together at most `weightMax`, a file being as heavy as `weigh` says. */
  constructor(weightMax: number, weigh: (file: DiskFile) => number) {
    this.#weightMax = weightMax;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#files.size;
  }

  get weight(): number {
    return this.#weight;
  }

  get(path: ByteString): DiskFile | undefined {
    return this.#files.get(path);
  }

  /**
   * Takes over the caller's reference. Room is made first, so that the newcomer is never what has
   * to go: its caller is about to use it.
   */
  put(path: ByteString, file: DiskFile): void {
    const weight = this.#weigh(file);
    while (this.#weight + weight > this.#weightMax && this.#evict(anybody));
    this.#files.set(path, file);
    this.#weight += weight;
  }

  /** Forgets `path`; transfers that use the file go on. False when it is not here. */
  drop(path: ByteString): boolean {
    const file = this.#files.get(path);
    if (file === undefined) return false;
    this.#files.delete(path);
    this.#weight -= this.#weigh(file);
    file.release();
    return true;
  }

  /** Lets go of one file that nothing else holds, so that its descriptor is free now. */
  free(): boolean {
    return this.#evict(nobodyElse);
  }

  /** Lets go of files not used since `since`; looks at no more than `looksMax` of them. */
  age(since: number, looksMax: number): void {
    // What is put back stands behind the others, and is not looked at twice.
    let looks = Math.min(looksMax, this.#files.size);
    for (const [path, file] of this.#files) {
      if (looks-- <= 0) return;
      if (file.usedAt < since) {
        this.drop(path);
        continue;
      }
      this.#files.delete(path);
      this.#files.set(path, file);
    }
  }

  clear(): void {
    for (const path of [...this.#files.keys()]) this.drop(path);
  }

  // --- internal ---

  /** Lets go of the oldest that may go and was not used lately; false when there is none. */
  #evict(mayGo: (file: DiskFile) => boolean): boolean {
    // Twice round at most: the second time the marks are gone.
    let looks = 2 * this.#files.size;
    for (const [path, file] of this.#files) {
      if (looks-- <= 0) return false;
      if (!file.used && mayGo(file)) return this.drop(path);
      file.used = false;
      this.#files.delete(path);
      this.#files.set(path, file);
    }
    return false;
  }
}

function anybody(): boolean {
  return true;
}

function nobodyElse(file: DiskFile): boolean {
  return !file.shared;
}
