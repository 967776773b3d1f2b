/** Bytes, rates, times and counts in words. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  clockText,
  countText,
  durationText,
  percentOf,
  RATE_CHARS_MAX,
  rateText,
  shareText,
  sizeText,
} from "../../../src/cli/output/amount.ts";
import { MIB } from "../progress/numbers.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [39 * MIB, "39.0 MiB"],
  [99.96 * MIB, "100 MiB"],
  [1023.4 * MIB, "1023 MiB"],
  [1023.6 * MIB, "1.0 GiB"],
  [2 ** 53 - 1, "8.0 PiB"],
  [-5, "0 B"],
  [NaN, "0 B"],
])("%d bytes are %s", (bytes, text) => expect(sizeText(bytes)).toBe(text));

test.each([
  [0, "0:00"],
  [7999, "0:07"],
  [83_000, "1:23"],
  [7_384_000, "2:03:04"],
  [359_999_000, "99:59:59"],
  [443_000_000, "5d 03h"],
  [Infinity, "0:00"],
])("%d ms left are %s", (ms, text) => expect(clockText(ms)).toBe(text));

test.each([
  [0, "0.0 s"],
  [390, "0.4 s"],
  [9949, "9.9 s"],
  [9950, "10 s"],
  [59_499, "59 s"],
  [59_500, "1:00"],
  [7_384_000, "2:03:04"],
])("%d ms spent are %s", (ms, text) => expect(durationText(ms)).toBe(text));

test("a share is told in the whole's unit and keeps its width", () => {
  expect(shareText(1.2 * 1024 * MIB, 2048 * MIB, false)).toBe("1.2/2.0 GiB");
  expect(shareText(1, 240 * MIB, false)).toBe("0.0/240 MiB");
  expect(shareText(0, 2048 * MIB, true)).toBe("0.0/2.0+ GiB");
  expect(shareText(0, 0, false)).toBe("0/0 B");
});

test("counts stand in groups, per cent are rounded down", () => {
  expect([0, 999, 1000, 1234567].map(countText)).toEqual(["0", "999", "1,000", "1,234,567"]);
  expect(percentOf(9999, 10_000)).toBe(99);
  expect(percentOf(0, 0)).toBe(100);
  expect(percentOf(3, 2)).toBe(100);
});

test("a rate is never wider than it says", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1024 ** 5, noNaN: true }), (bytes) => {
      expect(rateText(bytes).length).toBeLessThanOrEqual(RATE_CHARS_MAX);
    }),
  );
});
