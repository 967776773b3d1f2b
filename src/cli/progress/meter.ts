/**
 * How fast it goes and how long it still takes. Pure: it is fed counts with their times, at
 * whatever moments, and has no clock of its own. Everything it gives is finite and not negative,
 * whatever it is fed.
 *
 * The speed is an average of the bytes received, weighted by time. The time left counts down and is
 * damped: it follows good news within seconds, stands still for noise, and rises only for a
 * slowdown as SLOWDOWN defines it.
 */

/** What the meter is fed: counts in bytes at one moment. */
export interface Sample {
  /** Bytes in place, those of an earlier run too. */
  readonly arrived: number;
  /** Bytes that this run has received; they alone are speed. */
  readonly received: number;
  /** Bytes to bring in all. */
  readonly total: number;
  /** False while `total` may still grow. */
  readonly totalKnown: boolean;
}

/** What the meter shows. */
export interface Reading {
  /** Bytes a second over the last moments; 0 when stalled. */
  readonly speed: number;
  /** No byte has come for STALLED_MS. */
  readonly stalled: boolean;
  readonly elapsedMs: number;
  /** Milliseconds left, or null as long as nobody could believe a number. */
  readonly etaMs: number | null;
}

/** Without a byte for so long it is stalled: longer than a lost segment's repetitions take. */
export const STALLED_MS = 5000;

/** Before so much data no time left is shown: TCP is still finding its pace. */
export const BELIEVABLE_MS = 3000;

/**
 * When the time left may rise: when what is really left would, at the smoothed speed, take `factor`
 * times as long as shown, and `moreMs` longer, at each look of `lastsMs` on end. Less is noise.
 */
export const SLOWDOWN = { factor: 1.25, moreMs: 2000, lastsMs: 2000 };

/** Time constants of the averages, in milliseconds: of the speed, and of the time left to it. */
const SPEED_TAU_MS = 3000;
const ETA_TAU_MS = 3000;

/** Speed and time left of one command. */
export class Meter {
  readonly #startMs: number;
  #nowMs: number;
  #received: number;
  /** The weighted sum, and the sum of its weights: their quotient is right from the first tick. */
  #sum = 0;
  #weight = 0;
  /** Since when bytes have come without a stall, and when the last one came. */
  #flowingMs: number;
  #lastByteMs: number;
  #etaMs: number | null = null;
  /** Since when it has looked like a slowdown. */
  #slowMs: number | null = null;

  /** `received` bytes had come by `nowMs`: they don't count as speed. */
  constructor(nowMs: number, received = 0) {
    this.#startMs = this.#nowMs = this.#flowingMs = this.#lastByteMs = nowMs;
    this.#received = received;
  }

  /** Takes a sample of `nowMs` and tells what it makes of it. Time that runs backwards stands. */
  tick(nowMs: number, sample: Sample): Reading {
    const passedMs = Math.max(0, nowMs - this.#nowMs);
    if (passedMs > 0) {
      this.#nowMs += passedMs;
      this.#average(passedMs, Math.max(0, sample.received - this.#received));
      this.#received = Math.max(this.#received, sample.received);
    }
    this.#etaMs = this.#timeLeft(passedMs, sample);
    return {
      speed: this.#speed,
      stalled: this.#stalled,
      elapsedMs: this.#nowMs - this.#startMs,
      etaMs: this.#etaMs,
    };
  }

  // --- internal ---

  get #speed(): number {
    return this.#weight > 0 ? this.#sum / this.#weight : 0;
  }

  get #stalled(): boolean {
    return this.#nowMs - this.#lastByteMs >= STALLED_MS;
  }

  #average(passedMs: number, bytes: number): void {
    if (bytes > 0) {
      // What comes after a stall is a new beginning: the time without bytes says nothing of it.
      if (this.#weight === 0) this.#flowingMs = this.#nowMs - passedMs;
      this.#lastByteMs = this.#nowMs;
    } else if (this.#stalled) {
      this.#sum = this.#weight = 0;
      return;
    } else if (this.#weight === 0) return;
    const fresh = 1 - Math.exp(-passedMs / SPEED_TAU_MS);
    const rate = bytes / (passedMs / 1000);
    this.#sum += fresh * (rate - this.#sum);
    this.#weight += fresh * (1 - this.#weight);
  }

  #timeLeft(passedMs: number, { arrived, total, totalKnown }: Sample): number | null {
    const left = Math.max(0, total - arrived);
    if (!totalKnown) return null;
    if (left === 0) return 0;
    const dataMs = this.#nowMs - this.#flowingMs;
    if (dataMs < BELIEVABLE_MS || this.#speed === 0) return null;
    const computed = (left / this.#speed) * 1000;
    if (!Number.isFinite(computed)) return null;
    const shown = this.#etaMs;
    if (shown === null) {
      this.#slowMs = null;
      return computed;
    }
    if (this.#slowdown(computed, shown)) {
      this.#slowMs = null;
      return computed;
    }
    const expected = Math.max(0, shown - passedMs);
    const nearer = 1 - Math.exp(-passedMs / ETA_TAU_MS);
    // More than expected makes it count slower, down to standing still; never backwards.
    return Math.min(shown, expected + nearer * (computed - expected));
  }

  #slowdown(computed: number, shown: number): boolean {
    const slow = computed > shown * SLOWDOWN.factor && computed > shown + SLOWDOWN.moreMs;
    if (!slow) this.#slowMs = null;
    else this.#slowMs ??= this.#nowMs;
    return this.#slowMs !== null && this.#nowMs - this.#slowMs >= SLOWDOWN.lastsMs;
  }
}
