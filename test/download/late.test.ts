/** Who is waited for where several are asked, and for how long. */
import { expect, jest, spyOn, test } from "bun:test";
import { LATE_MS, Patience, withoutLate } from "../../src/download/late.ts";

test("answers that come when nobody is waited for any more begin no wait", async () => {
  const asked = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
  asked[0]?.resolve(1);
  const all = asked.map(({ promise }) => promise);
  expect(await withoutLate(all, () => true, 1)).toEqual([1, undefined, undefined, undefined]);
  using began = spyOn(globalThis, "setTimeout");
  for (const { resolve } of asked) resolve(2);
  await Promise.all(all);
  await new Promise(setImmediate);
  expect(began).not.toHaveBeenCalled();
});

test("enough answers shorten the wait, and few of them do not draw it out", async () => {
  jest.useFakeTimers();
  try {
    const patience = new Patience(10 * LATE_MS);
    let over = false;
    void patience.over.then(() => (over = true));
    const after = async (ms: number): Promise<boolean> => {
      jest.advanceTimersByTime(ms);
      await Promise.resolve();
      return over;
    };
    expect(await after(100 * LATE_MS)).toBe(false);
    patience.answered(false);
    expect(await after(6 * LATE_MS)).toBe(false);
    patience.answered(false);
    patience.answered(true);
    expect(await after(LATE_MS - 1)).toBe(false);
    patience.answered(true);
    expect(await after(1)).toBe(true);
  } finally {
    jest.useRealTimers();
  }
});
