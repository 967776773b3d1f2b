/**
 * A rate that all connections of a command keep together (`--limit-rate`): a bucket that fills
 * steadily and that each byte empties.
 */

/** So much may come at once after a pause, in milliseconds of the rate. */
const BURST_MS = 100;

/** Longest pause at a time: a rate that was set too low is still seen to move. */
const WAIT_MS_MAX = 2000;

/** A rate in bytes a second. */
export class Throttle {
  readonly #bytesPerMs: number;
  readonly #now: () => number;
  /** Bytes that may come; below 0 they came too early. */
  #free: number;
  #at: number;

  /** `bytesPerSecond` > 0. `now` gives monotonic milliseconds. */
  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#now = now;
    this.#free = this.#bytesPerMs * BURST_MS;
    this.#at = now();
  }

  /** `count` bytes came. Milliseconds to wait before more are read; 0: none. */
  spend(count: number): number {
    const now = this.#now();
    const most = this.#bytesPerMs * BURST_MS;
    this.#free = Math.min(most, this.#free + (now - this.#at) * this.#bytesPerMs) - count;
    this.#at = now;
    return this.#free >= 0 ? 0 : Math.min(WAIT_MS_MAX, -this.#free / this.#bytesPerMs);
  }
}
