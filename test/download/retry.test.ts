/** Trying again: what for, how often, after how long. */
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { LocalError } from "../../src/destination/error.ts";
import {
  ClientError,
  incompleteError,
  protocolError,
  refusedError,
  stalledError,
  unconnectedError,
  usageError,
} from "../../src/client/error.ts";
import { passes, Retry, type Waited } from "../../src/download/retry.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const LOST = incompleteError("the connection broke off", false);

/** Lets `after` wait out what it told last, without the time passing. */
async function waiting(promise: Promise<void>): Promise<void> {
  jest.advanceTimersByTime(30_000);
  await promise;
}

test("what may be gone at the next try passes, and nothing else", () => {
  for (const error of [
    LOST,
    unconnectedError("ECONNREFUSED", "nobody listens"),
    unconnectedError("ETIMEDOUT", "no answer"),
    stalledError("silent"),
    refusedError("EBUSY", "full"),
  ]) {
    expect([error.message, passes(error)]).toEqual([error.message, true]);
  }
  for (const error of [
    unconnectedError("ENOTFOUND", "no such host"),
    refusedError("ENOENT", "no such file"),
    refusedError("EACCES", "no"),
    protocolError("nonsense"),
    usageError("bad"),
    new ClientError("corrupt", "EIO", "wrong bytes"),
    new LocalError("ENOSPC", "full"),
    new TypeError("ours"),
    null,
  ]) {
    expect([String(error), passes(error)]).toEqual([String(error), false]);
  }
});

test("waits double up to half a minute, and are spread over their later half", async () => {
  const told: Waited[] = [];
  const retry = new Retry(10, (waited) => told.push(waited));
  for (let nth = 0; nth < 10; nth++) await waiting(retry.after(LOST));
  const full = [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
  for (const [nth, { waitMs, ...waited }] of told.entries()) {
    expect(waited).toEqual({ error: LOST, nth: nth + 1, most: 10 });
    expect(waitMs).toBeGreaterThanOrEqual(full[nth]! / 2);
    expect(waitMs).toBeLessThanOrEqual(full[nth]!);
  }
  expect(told.length).toBe(10);
  await expect(retry.after(LOST)).rejects.toBe(LOST);
  expect(told.length).toBe(10);
});

test("a wait lasts as long as was told", async () => {
  let waitMs = 0;
  let over = false;
  const retry = new Retry(1, (waited) => (waitMs = waited.waitMs));
  const waited = retry.after(LOST).then(() => (over = true));
  jest.advanceTimersByTime(Math.floor(waitMs) - 1);
  await Promise.resolve();
  expect([waitMs >= 125, over]).toEqual([true, false]);
  jest.advanceTimersByTime(2);
  await waited;
});

test("progress starts the count anew, and no try is none", async () => {
  const told: number[] = [];
  const retry = new Retry(2, ({ nth }) => told.push(nth));
  await waiting(retry.after(LOST));
  await waiting(retry.after(LOST));
  retry.progress();
  await waiting(retry.after(LOST));
  expect(told).toEqual([1, 2, 1]);
  await expect(new Retry(0, () => told.push(9)).after(LOST)).rejects.toBe(LOST);
  expect(told).toEqual([1, 2, 1]);
});

test("run gives the first result, or the error that trying did not help", async () => {
  let tries = 0;
  // The wait is over as soon as it is told.
  const skip = (): void => void queueMicrotask(() => jest.advanceTimersByTime(30_000));
  const retry = new Retry(3, skip);
  const request = (fails: number, error: Error) => async (): Promise<string> => {
    tries += 1;
    if (tries <= fails) throw error;
    return "here";
  };
  expect([await retry.run(request(3, LOST)), tries]).toEqual(["here", 4]);
  tries = 0;
  await expect(retry.run(request(9, LOST))).rejects.toBe(LOST);
  expect(tries).toBe(4);
  tries = 0;
  const refused = refusedError("ENOENT", "no such file");
  await expect(new Retry(3, skip).run(request(9, refused))).rejects.toBe(refused);
  expect(tries).toBe(1);
});
