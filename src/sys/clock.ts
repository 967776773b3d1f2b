/**
 * The time that everything else compares with: monotonic milliseconds, read once per event and
 * kept, so that a wall clock that jumps changes nothing and a request costs no extra call. Tests
 * set it by hand.
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
