/** Ranges of HTTP, against a table and against the bytes themselves. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { contentRange, rangeOf, unsatisfiedRange } from "../../../src/wire/http/range.ts";

test.each([
  ["bytes=0-0", 10n, 0n, 1n],
  ["bytes=0-9", 10n, 0n, 10n],
  ["bytes=0-10", 10n, 0n, 10n],
  ["bytes=9-", 10n, 9n, 1n],
  ["bytes=0-", 10n, 0n, 10n],
  ["bytes=2-5", 10n, 2n, 4n],
  ["bytes=-1", 10n, 9n, 1n],
  ["bytes=-10", 10n, 0n, 10n],
  ["bytes=-11", 10n, 0n, 10n],
  ["BYTES=1-2", 10n, 1n, 2n],
  ["bytes= 1-2\t", 10n, 1n, 2n],
  ["bytes=01-002", 10n, 1n, 2n],
  ["bytes=0-18446744073709551615", 10n, 0n, 10n],
  [`bytes=0-${"9".repeat(400)}`, 10n, 0n, 10n],
  [`bytes=${"0".repeat(400)}1-${"0".repeat(400)}2`, 10n, 1n, 2n],
  [`bytes=-${"9".repeat(400)}`, 10n, 0n, 10n],
  [`bytes=01${"0".repeat(18)}-`, 10n ** 18n + 7n, 10n ** 18n, 7n],
  ["bytes=0-9007199254740993", 9_223_372_036_854_775_807n, 0n, 9_007_199_254_740_994n],
  ["bytes=8796093022207-", 8_796_093_022_208n, 8_796_093_022_207n, 1n],
  ["bytes=9007199254740993-", 9_007_199_254_740_995n, 9_007_199_254_740_993n, 2n],
  ["bytes=-1", 9_223_372_036_854_775_807n, 9_223_372_036_854_775_806n, 1n],
])("%j of %p bytes starts at %p and has %p", (field, size, start, length) => {
  expect(rangeOf(field, size)).toEqual({ start, length });
});

test.each([
  ["bytes=10-", 10n],
  ["bytes=10-20", 10n],
  ["bytes=11-11", 10n],
  ["bytes=-0", 10n],
  ["bytes=-00", 10n],
  ["bytes=0-", 0n],
  ["bytes=0-0", 0n],
  ["bytes=-0", 0n],
  [`bytes=${"9".repeat(400)}-`, 10n],
])("%j of %p bytes can't be met", (field, size) => {
  expect(rangeOf(field, size)).toBe("unsatisfiable");
});

test.each([
  ["bytes=0-0,2-2", 10n],
  ["bytes=0-0, bytes=2-2", 10n],
  [`bytes=${"0-,".repeat(2000)}0-`, 10n],
  ["bytes=5-2", 10n],
  ["bytes=50-20", 10n],
  ["bytes=-5", 0n],
  ["bytes=", 10n],
  ["bytes=-", 10n],
  ["bytes=a-b", 10n],
  ["bytes=1e3-", 10n],
  ["bytes=0x1-", 10n],
  ["bytes=+1-2", 10n],
  ["bytes=1--2", 10n],
  ["bytes=1 - 2", 10n],
  ["bytes 0-1", 10n],
  ["bytes:0-1", 10n],
  ["bytes =0-1", 10n],
  ["items=0-1", 10n],
  ["0-1", 10n],
  ["", 10n],
  ["bytes=\xb2-", 10n],
])("%j of %p bytes is the whole file", (field, size) => {
  expect(rangeOf(field, size)).toBe("whole");
});

test("Content-Range names the first and the last byte", () => {
  expect(contentRange({ start: 0n, length: 1n }, 10n)).toBe("bytes 0-0/10");
  expect(contentRange({ start: 2n, length: 8n }, 10n)).toBe("bytes 2-9/10");
  const size = 9_223_372_036_854_775_807n;
  expect(contentRange({ start: size - 1n, length: 1n }, size)).toBe(
    "bytes 9223372036854775806-9223372036854775806/9223372036854775807",
  );
  expect(unsatisfiedRange(0n)).toBe("bytes */0");
  expect(unsatisfiedRange(size)).toBe("bytes */9223372036854775807");
});

test("a range is what a slice of the bytes is", () => {
  const number = fc.option(fc.nat({ max: 14 }), { nil: undefined });
  fc.assert(
    fc.property(fc.nat({ max: 12 }), number, number, (size, first, last) => {
      const bytes = Array.from({ length: size }, (_, index) => index);
      const range = rangeOf(`bytes=${first ?? ""}-${last ?? ""}`, BigInt(size));
      if (range === "whole") {
        const empty = first === undefined && (last === undefined || size === 0);
        expect(empty || last! < first!).toBe(true);
        return;
      }
      const want =
        first === undefined
          ? bytes.slice(Math.max(0, size - last!))
          : bytes.slice(first, last === undefined ? undefined : last + 1);
      if (range === "unsatisfiable") return expect(want).toEqual([]);
      const { start, length } = range;
      expect(bytes.slice(Number(start), Number(start + length))).toEqual(want);
      expect(length > 0n && start + length <= BigInt(size)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
