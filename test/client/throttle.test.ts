/** A rate that is kept, by a clock that the test sets. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Throttle } from "../../src/client/throttle.ts";

test("a tenth of a second's bytes come at once; more wait for as long as they take", () => {
  let now = 5000;
  const throttle = new Throttle(10_000, () => now);
  expect([throttle.spend(600), throttle.spend(400), throttle.spend(500)]).toEqual([0, 0, 50]);
  now += 50;
  expect([throttle.spend(0), throttle.spend(1)]).toEqual([0, 0.1]);
  // However long the pause, not more than a tenth of a second's is saved up.
  now += 3_600_000;
  expect([throttle.spend(1000), throttle.spend(10)]).toEqual([0, 1]);
});

test("all that is owed is waited for, however long, and no timer is given more than it takes", () => {
  let now = 0;
  const throttle = new Throttle(1000, () => now);
  expect(throttle.spend(5100)).toBe(5000);
  now += 2000;
  expect(throttle.spend(0)).toBe(3000);
  expect(throttle.spend(1e12)).toBe(2 ** 31 - 1);
});

test("sockets hold a quarter of a second's bytes, where the kernel would let in more", () => {
  const lumps = [1, 1000, 100_000, 524_284, 1e9].map((rate) => new Throttle(rate).lumpBytes);
  expect(lumps).toEqual([4096, 4096, 25_000, 131_071, null]);
});

test("whoever waits as told gets the rate, whatever the pieces", () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 50, maxLength: 200 });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 10_000, max: 1_000_000 }), (sizes, rate) => {
      let now = 0;
      let sent = 0;
      const throttle = new Throttle(rate, () => now);
      for (const size of sizes) {
        sent += size;
        for (let wait = throttle.spend(size); wait > 1e-6; wait = throttle.spend(0)) now += wait;
        // All that came, less one burst, is no more than the time allows.
        expect(sent - rate / 10).toBeLessThanOrEqual((now * rate) / 1000 + 1);
      }
      expect(now).toBeLessThanOrEqual(Math.max(0, (sent * 1000) / rate - 100) + 1);
    }),
  );
});
