/**
 * The rate limit that all connections of a command share (`--limit-rate`): a token bucket, one
 * token a byte. It has no timer: it says how long to pause, and its callers do.
 */

/** The bucket's size, in milliseconds of the rate: so much may come at once after a pause. */
const BURST_MS = 100;

/** Longest pause in milliseconds: setTimeout() fires at once for a longer one. */
const WAIT_MS_MAX = 2_147_483_647;

/**
 * Milliseconds of the rate that may lie in a socket: what is there is read at once, and is waited
 * for afterwards. So the pauses are short and progress is seen.
 */
const LUMP_MS = 250;

/** Smallest receive buffer of a socket: with less each segment waits for the one before it. */
const LUMP_BYTES_MIN = 4096;

/**
 * From so large a buffer on the kernel chooses by itself: it allows no larger one (rmem_max), and a
 * distant server needs more than that for the full rate.
 */
const LUMP_BYTES_MAX = 131_072;

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

  /** Bytes that a socket should hold at most; null: as many as the kernel likes. */
  get lumpBytes(): number | null {
    const bytes = Math.max(LUMP_BYTES_MIN, Math.round(this.#bytesPerMs * LUMP_MS));
    return bytes < LUMP_BYTES_MAX ? bytes : null;
  }

  /**
   * Takes `count` bytes that came. Gives the milliseconds to pause before more are read: until all
   * that is owed is paid, by whomever, so that connections that share the rate take turns.
   */
  spend(count: number): number {
    const now = this.#now();
    const most = this.#bytesPerMs * BURST_MS;
    this.#tokens = Math.min(most, this.#tokens + (now - this.#at) * this.#bytesPerMs) - count;
    this.#at = now;
    return this.#tokens >= 0 ? 0 : Math.min(WAIT_MS_MAX, -this.#tokens / this.#bytesPerMs);
  }
}
