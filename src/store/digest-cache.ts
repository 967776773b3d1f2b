/**
 * Digests that were computed, by the version of the file, kind, and range. A version that is gone
 * is never asked for again; its digests are what is forgotten first.
 */

/**
 * Most digests kept: 64 GiB in chunks of 4 MiB, or four of the largest replies. About 250 bytes
 * each with its key, 4 MiB together.
 */
export const KEPT_DIGESTS_MAX = 16_384;

/** What is known, the least recently used first. */
export class DigestCache {
  readonly #digests = new Map<string, string>();

  get size(): number {
    return this.#digests.size;
  }

  /** The digest under `key`, or undefined. */
  get(key: string): string | undefined {
    const digest = this.#digests.get(key);
    if (digest === undefined) return undefined;
    this.#digests.delete(key);
    this.#digests.set(key, digest);
    return digest;
  }

  /** Keeps `digest` under `key`, if need be in place of the one that was longest not asked for. */
  put(key: string, digest: string): void {
    this.#digests.delete(key);
    this.#digests.set(key, digest);
    if (this.#digests.size <= KEPT_DIGESTS_MAX) return;
    for (const oldest of this.#digests.keys()) {
      this.#digests.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#digests.clear();
  }
}
