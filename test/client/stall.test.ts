/** A silent peer, by a clock that the test sets. */
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { StallTimer } from "../../src/client/stall.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A timer of `timeoutMs`, and how often it has called. */
function timerOf(timeoutMs: number): { timer: StallTimer; stalls: () => number } {
  let stalls = 0;
  const timer = new StallTimer(timeoutMs, () => void stalls++);
  return { timer, stalls: () => stalls };
}

/** Lets `seconds` pass, in each of which `bytes` come; the seconds until it called. */
function secondsUntilStalled(bytes: number, seconds: number): number | null {
  const { timer, stalls } = timerOf(60_000);
  timer.start();
  for (let second = 1; second <= seconds; second++) {
    if (bytes > 0) timer.touch(bytes);
    jest.advanceTimersByTime(1000);
    if (stalls() > 0) return second;
  }
  timer.stop();
  return null;
}

test("it calls once, when the time has passed without a byte", () => {
  const { timer, stalls } = timerOf(60_000);
  timer.start();
  jest.advanceTimersByTime(59_000);
  expect(stalls()).toBe(0);
  jest.advanceTimersByTime(1000);
  expect(stalls()).toBe(1);
  jest.advanceTimersByTime(600_000);
  expect(stalls()).toBe(1);
});

test("a trickle below 16 bytes a second is silence, one of 16 or more is not", () => {
  expect(secondsUntilStalled(0, 100)).toBe(60);
  expect(secondsUntilStalled(1, 100)).toBe(60);
  expect(secondsUntilStalled(15, 1000)).toBe(60);
  expect(secondsUntilStalled(17, 1000)).toBeNull();
});

test("time in which nothing is read is nobody's silence", () => {
  let stalls = 0;
  let reads = true;
  const timer = new StallTimer(
    60_000,
    () => void stalls++,
    () => reads,
  );
  timer.start();
  jest.advanceTimersByTime(30_000);
  reads = false;
  jest.advanceTimersByTime(600_000);
  expect(stalls).toBe(0);
  // What was silence before is so still, and the rest of it has to come.
  reads = true;
  jest.advanceTimersByTime(29_000);
  expect(stalls).toBe(0);
  jest.advanceTimersByTime(1000);
  expect(stalls).toBe(1);
});

test("an answer that is complete is life, however short it was", () => {
  const { timer, stalls } = timerOf(60_000);
  timer.start();
  for (let minute = 0; minute < 5; minute++) {
    jest.advanceTimersByTime(59_000);
    timer.touch(Infinity);
  }
  expect(stalls()).toBe(0);
  // What came before does not count for what comes after.
  timer.touch(959);
  jest.advanceTimersByTime(60_000);
  expect(stalls()).toBe(1);
});

test("it runs from start to stop, and starts anew", () => {
  const { timer, stalls } = timerOf(1000);
  jest.advanceTimersByTime(5000);
  timer.start();
  jest.advanceTimersByTime(750);
  // Again while it runs: nothing.
  timer.start();
  timer.stop();
  jest.advanceTimersByTime(5000);
  expect(stalls()).toBe(0);
  timer.start();
  jest.advanceTimersByTime(750);
  expect(stalls()).toBe(0);
  jest.advanceTimersByTime(250);
  expect(stalls()).toBe(1);
});

test("a short timeout is kept to a quarter of it", () => {
  const { timer, stalls } = timerOf(100);
  timer.start();
  jest.advanceTimersByTime(99);
  expect(stalls()).toBe(0);
  jest.advanceTimersByTime(1);
  expect(stalls()).toBe(1);
});
