/** How long who has shown wrong tokens waits, and who is remembered. */
import { expect, test } from "bun:test";
import { Failures } from "../../src/guard/failures.ts";

/** Failures with `count` of `peer`, all at `now`. */
function failed(peer: string, count: number, now: number, failures = new Failures()): Failures {
  for (let nth = 0; nth < count; nth++) failures.note(peer, now);
  return failures;
}

test.each([
  [0, 0],
  [4, 0],
  [5, 1000],
  [6, 2000],
  [7, 4000],
  [10, 32_000],
  [11, 60_000],
  [2000, 60_000],
])("%d wrong tokens at once cost %d ms", (count, ms) => {
  expect(failed("a", count, 7000).waitMs("a", 7000)).toBe(ms);
});

test("a wait ends on time, is each peer's own, and is gone with a right token", () => {
  const failures = failed("a", 6, 7000);
  expect([7001, 8999, 9000, 9001].map((now) => failures.waitMs("a", now))).toEqual([1999, 1, 0, 0]);
  expect(failures.waitMs("b", 7000)).toBe(0);
  failures.forget("a");
  expect(failures.waitMs("a", 7000)).toBe(0);
  expect(failed("a", 4, 7000, failures).waitMs("a", 7000)).toBe(0);
});

test("ten minutes without a wrong one and a peer is as new", () => {
  const late = failed("a", 5, 0);
  late.note("a", 599_999);
  expect(late.waitMs("a", 599_999)).toBe(2000);
  const later = failed("a", 5, 0);
  later.note("a", 600_000);
  expect(later.waitMs("a", 600_000)).toBe(0);
  expect(failed("a", 4, 600_000, later).waitMs("a", 600_000)).toBe(1000);
});

test("10,000 peers are remembered; who failed longest ago makes room for one more", () => {
  const failures = failed("first", 5, 0);
  failed("second", 5, 1, failures);
  for (let nth = 0; nth < 9998; nth++) failures.note(`peer ${nth}`, 2);
  expect(failures.waitMs("first", 2)).toBe(998);
  // Once more: now the second one is the oldest.
  failures.note("first", 3);
  failures.note("another", 4);
  expect([failures.waitMs("first", 4), failures.waitMs("second", 4)]).toEqual([1999, 0]);
});
