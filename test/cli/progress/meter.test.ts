/** The meter: what it makes of counts and times, however they come. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  BELIEVABLE_MS,
  Meter,
  type Measurement,
  type Sample,
  SLOWDOWN,
  STALLED_MS,
} from "../../../src/cli/progress/meter.ts";

const TOTAL = 1e9;

/** A transfer that began with `kept` bytes and has received `received`. */
function sample(received: number, given: Partial<Sample> = {}): Sample {
  return { arrived: received, received, total: TOTAL, totalKnown: true, ...given };
}

/** Feeds `rate` bytes a ms in steps of `stepMs` until `untilMs`; the last measurement. */
function steady(meter: Meter, rate: number, stepMs: number, untilMs: number): Measurement {
  let measurement = meter.tick(0, sample(0));
  for (let ms = stepMs; ms <= untilMs; ms += stepMs)
    measurement = meter.tick(ms, sample(ms * rate));
  return measurement;
}

/** Milliseconds between ticks, as a busy loop would have them. */
const gaps = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 300 });

test("a constant rate is told exactly from the first bytes on, at any ticks", () => {
  fc.assert(
    fc.property(gaps, fc.double({ min: 0.01, max: 1e7, noNaN: true }), (steps, rate) => {
      const meter = new Meter(0);
      let ms = 0;
      for (const step of steps) {
        ms += step;
        const { speed, elapsedMs } = meter.tick(ms, sample(ms * rate));
        expect(speed / (rate * 1000)).toBeCloseTo(1, 6);
        expect(elapsedMs).toBe(ms);
      }
    }),
  );
});

test("for a constant rate the time left counts down to 0 and is right all along", () => {
  const seconds = fc.integer({ min: 10, max: 5000 });
  fc.assert(
    fc.property(gaps, seconds, fc.integer({ min: 0, max: TOTAL / 2 }), (steps, long, kept) => {
      const meter = new Meter(0);
      const rate = (TOTAL - kept) / (long * 1000);
      let shown = Infinity;
      for (let ms = 0, nth = 0; ms < long * 1000; nth++) {
        ms = Math.min(long * 1000, ms + (steps[nth % steps.length] ?? 1) * Math.ceil(long / 100));
        const received = ms === long * 1000 ? TOTAL - kept : ms * rate;
        const { etaMs } = meter.tick(ms, sample(received, { arrived: kept + received }));
        if (ms < BELIEVABLE_MS && ms < long * 1000) expect(etaMs).toBeNull();
        if (etaMs === null) continue;
        expect(etaMs).toBeLessThanOrEqual(shown);
        expect(Math.abs(etaMs - (long * 1000 - ms))).toBeLessThan(1);
        shown = etaMs;
      }
      expect(shown).toBe(0);
    }),
  );
});

test("noise never makes the time left rise", () => {
  const noise = fc.array(fc.double({ min: 0, max: 2, noNaN: true }), {
    minLength: 50,
    maxLength: 400,
  });
  fc.assert(
    fc.property(noise, (factors) => {
      const meter = new Meter(0);
      let shown = Infinity;
      let received = 0;
      // Each second brings as much as any other; within it, the lumps come as they like.
      for (let second = 0; second + 10 <= factors.length; second += 10) {
        const lumps = factors.slice(second, second + 10);
        const sum = lumps.reduce((all, lump) => all + lump, 0.001);
        lumps.forEach((lump, nth) => {
          received += ((lump + 0.0001) / sum) * 1e6;
          const { etaMs } = meter.tick((second + nth + 1) * 100, sample(received));
          if (etaMs === null) return;
          expect(etaMs).toBeLessThanOrEqual(shown);
          shown = etaMs;
        });
      }
    }),
  );
});

test("the time left rises only for a slowdown as it is defined", () => {
  const tick = fc.record({
    ms: fc.integer({ min: 1, max: 1500 }),
    bytes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5e6 })),
  });
  fc.assert(
    fc.property(fc.array(tick, { minLength: 5, maxLength: 200 }), (ticks) => {
      const meter = new Meter(0);
      let before: Measurement | null = null;
      let ms = 0;
      let received = 0;
      let slowSince: number | null = null;
      for (const { ms: step, bytes } of ticks) {
        ms += step;
        received = Math.min(TOTAL, received + bytes);
        const now = meter.tick(ms, sample(received));
        const shown = before?.etaMs ?? null;
        before = now;
        if (shown === null || now.etaMs === null) {
          slowSince = null;
          continue;
        }
        const computed = ((TOTAL - received) / now.speed) * 1000;
        const slow = computed > shown * SLOWDOWN.factor && computed > shown + SLOWDOWN.moreMs;
        slowSince = slow ? (slowSince ?? ms) : null;
        if (now.etaMs <= shown) continue;
        expect(slowSince === null ? -1 : ms - slowSince).toBeGreaterThanOrEqual(SLOWDOWN.lastsMs);
        slowSince = null;
      }
    }),
  );
});

test("a real slowdown is told within some seconds", () => {
  const meter = new Meter(0);
  const before = steady(meter, 10_000, 100, 20_000);
  expect(before.etaMs).toBeCloseTo(80_000, 0);
  let measurement = before;
  for (let ms = 20_100; ms <= 40_000; ms += 100) {
    measurement = meter.tick(ms, sample(2e8 + (ms - 20_000) * 2500));
  }
  // 750 MB at 2.5 MB/s are 300 s.
  expect(measurement.speed).toBeCloseTo(2.5e6, -5);
  expect((measurement.etaMs ?? 0) / 1000).toBeGreaterThan(220);
  expect((measurement.etaMs ?? 0) / 1000).toBeLessThan(310);
});

test("a stall is told after its time, and what comes after it is a new beginning", () => {
  const meter = new Meter(0);
  steady(meter, 10_000, 100, 10_000);
  let last = Infinity;
  for (let ms = 10_100; ms < 10_000 + STALLED_MS; ms += 100) {
    const { speed, stalled } = meter.tick(ms, sample(1e8));
    expect(stalled).toBe(false);
    expect(speed).toBeLessThan(last);
    last = speed;
  }
  expect(last).toBeLessThan(2.5e6);
  const at = 10_000 + STALLED_MS;
  expect(meter.tick(at, sample(1e8))).toEqual({
    ...{ speed: 0, stalled: true, elapsedMs: at, etaMs: null },
  });
  const after = meter.tick(at + 100, sample(1e8 + 5e4));
  expect(after.stalled).toBe(false);
  expect(after.speed).toBeCloseTo(5e5, 0);
  expect(after.etaMs).toBeNull();
});

test("bytes of an earlier run, and of before it looked, are no speed", () => {
  const meter = new Meter(0, 5e8);
  expect(meter.tick(1000, sample(5e8, { arrived: 9e8 })).speed).toBe(0);
  expect(meter.tick(2000, sample(5e8 + 1000, { arrived: 9e8 + 1000 })).speed).toBeCloseTo(1000, 6);
});

test("no time left is told while the total may grow", () => {
  const meter = new Meter(0);
  steady(meter, 10_000, 100, 10_000);
  expect(meter.tick(10_100, sample(1.01e8, { totalKnown: false })).etaMs).toBeNull();
});

test("whatever it is fed, all it gives is finite and not negative", () => {
  const any = fc.record({
    ms: fc.oneof(fc.integer({ min: -5000, max: 100_000 }), fc.constant(0)),
    arrived: fc.maxSafeNat(),
    received: fc.maxSafeNat(),
    total: fc.maxSafeNat(),
    totalKnown: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 60 }), (feeds) => {
      const meter = new Meter(0);
      let ms = 0;
      for (const { ms: step, ...fed } of feeds) {
        ms += step;
        const { speed, elapsedMs, etaMs } = meter.tick(ms, fed);
        for (const value of [speed, elapsedMs, etaMs ?? 0]) {
          expect(Number.isFinite(value) && value >= 0).toBe(true);
        }
      }
    }),
  );
});
