/**
 * How long things took, counted by bounds that never change: a histogram as OpenMetrics has it. A
 * look at one or two bounds for each, and no memory beyond the counts.
 */

/** Upper bounds in milliseconds; what is above the last is in a bucket of its own. */
export const BOUNDS_MS: readonly number[] = [1, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 60_000];

/** The counts. */
export class Durations {
  /** By bound, each without those below it; the last one is for what is above all. */
  readonly counts = new Float64Array(BOUNDS_MS.length + 1);
  /** Of all, in milliseconds. */
  sumMs = 0;

  /** Counts one that took `ms`, >= 0. */
  add(ms: number): void {
    this.sumMs += ms;
    let nth = 0;
    while (nth < BOUNDS_MS.length && ms > BOUNDS_MS[nth]!) nth += 1;
    this.counts[nth]! += 1;
  }
}
