/**
 * Speed and remaining time (ETA), computed from samples of the byte counts. It has no clock and no
 * timer: each sample comes with its time. All results are finite and not negative, whatever the
 * samples are.
 *
 * The speed is an exponentially weighted moving average of the bytes received. The ETA counts down
 * and is damped: it follows a shorter estimate within seconds, stands still for noise, and rises
 * only for a slowdown as SLOWDOWN defines it.
 */

/** One sample: counts in bytes at one moment. */
export interface Sample {
  /** Bytes in place, those of an earlier run too. */
  readonly arrived: number;
  /** Bytes that this run has received; the speed counts these alone. */
  readonly received: number;
  /** Bytes of all files of the command. */
  readonly total: number;
  /** False while `total` may still grow. */
  readonly totalKnown: boolean;
}

/** What the meter computed from the samples so far. */
export interface Measurement {
  /** Bytes a second over the last moments; 0 when stalled. */
  readonly speed: number;
  /** No byte has come for STALLED_MS. */
  readonly stalled: boolean;
  readonly elapsedMs: number;
  /** Milliseconds left, or null while there is no credible estimate (BELIEVABLE_MS). */
  readonly etaMs: number | null;
}

/** Milliseconds without a byte that count as a stall: longer than TCP takes to repair a loss. */
export const STALLED_MS = 5000;

/**
 * Milliseconds with data before an ETA is given: until then TCP's slow start distorts it, and what
 * is over within the second needs none. The first one may be off, and is damped like every other.
 */
export const BELIEVABLE_MS = 1000;

/**
 * When the ETA may rise: when the estimate from the smoothed speed is `factor` times what is shown
 * and `moreMs` above it, in every sample for `lastsMs`. Anything less is noise.
 */
export const SLOWDOWN = { factor: 1.25, moreMs: 2000, lastsMs: 2000 };

/** Time constants of the two averages, in milliseconds. */
const SPEED_TAU_MS = 3000;
const ETA_TAU_MS = 3000;

/** Speed and ETA of one command. */
export class Meter {
  readonly #startMs: number;
  #nowMs: number;
  #received: number;
  /** Weighted sum and sum of weights: their quotient has no bias towards 0 at the start. */
  #sum = 0;
  #weight = 0;
  /** When bytes began to come after the last stall, and when the last one came. */
  #flowingMs: number;
  #lastByteMs: number;
  #etaMs: number | null = null;
  /** Since when every sample has met SLOWDOWN; null: the last one did not. */
  #slowMs: number | null = null;

  /** `received` bytes had come before `nowMs`: they do not count as speed. */
  constructor(nowMs: number, received = 0) {
    this.#startMs = this.#nowMs = this.#flowingMs = this.#lastByteMs = nowMs;
    this.#received = received;
  }

  /**
   * Takes the sample of `nowMs` and gives the measurement. A clock that goes back counts as 0 ms.
   */
  tick(nowMs: number, sample: Sample): Measurement {
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
      // The first bytes after a stall restart the average: the time without bytes is left out.
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
    // An estimate above the expected value slows the countdown to a standstill at most.
    return Math.min(shown, expected + nearer * (computed - expected));
  }

  #slowdown(computed: number, shown: number): boolean {
    const slow = computed > shown * SLOWDOWN.factor && computed > shown + SLOWDOWN.moreMs;
    if (!slow) this.#slowMs = null;
    else this.#slowMs ??= this.#nowMs;
    return this.#slowMs !== null && this.#nowMs - this.#slowMs >= SLOWDOWN.lastsMs;
  }
}
