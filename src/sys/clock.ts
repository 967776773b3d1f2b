/**
 * The time of the current event: monotonic milliseconds, read once at the start of each event of
 * the loop. A jump of the wall clock changes nothing, and a request costs no further call. Tests
 * set it.
 */

/** Milliseconds since an arbitrary start, as of the last tick(). */
export const clock = { now: performance.now() };

/**
 * Reads the clock: at the start of each event of the loop, before anything compares with
 * `clock.now`.
 */
export function tick(): number {
  clock.now = performance.now();
  return clock.now;
}
