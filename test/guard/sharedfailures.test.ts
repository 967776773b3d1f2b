/** Wrong tokens in memory that several processes share. */
import { expect, test } from "bun:test";
import { FAILURES_BYTES, SharedFailures } from "../../src/guard/sharedfailures.ts";

test("81: what was shown to one process makes a peer wait at another", () => {
  const memory = new ArrayBuffer(FAILURES_BYTES);
  const [one, other] = [new SharedFailures(memory, 0, 7n), new SharedFailures(memory, 0, 7n)];
  const now = performance.now();
  for (let nth = 0; nth < 5; nth++) (nth % 2 === 0 ? one : other).note("192.0.2.1", now);
  for (const failures of [one, other]) {
    // Two clocks of milliseconds: one may differ by one.
    expect(failures.waitMs("192.0.2.1", now)).toBeWithin(990, 1010);
    expect(failures.waitMs("192.0.2.2", now)).toBe(0);
  }
  other.note("192.0.2.1", now + 1000);
  expect(one.waitMs("192.0.2.1", now + 1000)).toBeWithin(1990, 2010);
  one.forget("192.0.2.1");
  expect(other.waitMs("192.0.2.1", now + 1000)).toBe(0);
});

test("ten quiet minutes make a peer as new", () => {
  const failures = new SharedFailures(new ArrayBuffer(FAILURES_BYTES), 0, 7n);
  const now = performance.now();
  for (let nth = 0; nth < 9; nth++) failures.note("a", now);
  failures.note("a", now + 700_000);
  expect(failures.waitMs("a", now + 700_000)).toBe(0);
});

test("of very many peers those are forgotten that failed longest ago", () => {
  const failures = new SharedFailures(new ArrayBuffer(FAILURES_BYTES), 0, 7n);
  const now = performance.now();
  for (let nth = 0; nth < 5; nth++) failures.note("old", now);
  for (let nth = 0; nth < 100_000; nth++) failures.note(`peer ${nth}`, now + 1);
  for (let nth = 0; nth < 5; nth++) failures.note("new", now + 2);
  expect(failures.waitMs("old", now + 2)).toBe(0);
  expect(failures.waitMs("new", now + 2)).toBeGreaterThan(900);
});
