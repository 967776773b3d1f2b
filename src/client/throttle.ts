/**
 * The rate limit that all connections of a command share (`--limit-rate`): a token bucket, one
 * token a byte. It has no timer: it says how long to pause, and its callers do.
 */

/** The bucket's size, in milliseconds of the rate: so much may come at once after a pause. */
const BURST_MS = 100;

/** Longest pause in milliseconds, so that progress is seen at the lowest rate too. */
const WAIT_MS_MAX = 2000;

/** A rate in bytes a second. */
export class Throttle {
  readonly #bytesPerMs: number;
  readonly #now: () => number;
  /** Tokens: bytes that may come now; below 0 after bytes that came too early. */
  #tokens: number;
  #at: number;

  /** `bytesPerSecond` > 0. `now` gives monotonic milliseconds. */
  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#now = now;
    this.#tokens = this.#bytesPerMs * BURST_MS;
    this.#at = now();
  }

  /** Takes `count` bytes that came. Gives the milliseconds to pause before more are read. */
  spend(count: number): number {
    const now = this.#now();
    const most = this.#bytesPerMs * BURST_MS;
    this.#tokens = Math.min(most, this.#tokens + (now - this.#at) * this.#bytesPerMs) - count;
    this.#at = now;
    return this.#tokens >= 0 ? 0 : Math.min(WAIT_MS_MAX, -this.#tokens / this.#bytesPerMs);
  }
}
