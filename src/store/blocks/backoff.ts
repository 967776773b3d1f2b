/**
 * For how long the disk of a cache is done without: after each failure twice as long as before,
 * until something went right again. Two kinds: a disk that can't be written may still be read.
 */
import { clock, tick } from "../../sys/clock.ts";

/** How long after the first failure, and at most, in milliseconds. */
export const BACKOFF_MIN_MS = 1000;
export const BACKOFF_MAX_MS = 300_000;

/** When a disk may be used. */
export class Backoff {
  /** It is over: nothing is tried again. */
  over = false;
  #ms = 0;
  /** In clock.now's milliseconds. */
  #readsFrom = 0;
  #writesFrom = 0;

  /** True while nobody reads from it. */
  get off(): boolean {
    return this.over || clock.now < this.#readsFrom;
  }

  /** True while nothing is added. */
  get writesOff(): boolean {
    return this.over || clock.now < this.#writesFrom;
  }

  /** It has failed: at all, or only to be written. For how long, in words. */
  failed(writing: boolean): string {
    this.#ms = Math.min(BACKOFF_MAX_MS, Math.max(BACKOFF_MIN_MS, 2 * this.#ms));
    this.#writesFrom = tick() + this.#ms;
    if (!writing) this.#readsFrom = this.#writesFrom;
    return `for ${this.#ms / 1000} s`;
  }

  /** It has done what it was asked. */
  succeeded(): void {
    this.#ms = 0;
  }
}
