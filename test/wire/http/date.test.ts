/** Dates of HTTP: one form out, three in. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { httpDate, parseHttpDate, secondOf } from "../../../src/wire/http/date.ts";

const NOW = 1_795_698_962n; // 2026-11-26

test.each([
  [784_111_777n, "Sun, 06 Nov 1994 08:49:37 GMT"],
  [0n, "Thu, 01 Jan 1970 00:00:00 GMT"],
  [-1n, "Wed, 31 Dec 1969 23:59:59 GMT"],
  [951_782_400n, "Tue, 29 Feb 2000 00:00:00 GMT"],
  [253_402_300_799n, "Fri, 31 Dec 9999 23:59:59 GMT"],
  [-62_167_219_200n, "Sat, 01 Jan 0000 00:00:00 GMT"],
])("%p is %s, and back", (seconds, text) => {
  expect(httpDate(seconds)).toBe(text);
  expect(parseHttpDate(text, NOW)).toBe(seconds);
});

test("a time that the form can't hold has no date", () => {
  for (const seconds of [253_402_300_800n, -62_167_219_201n, 9_223_372_036n * 10n ** 9n]) {
    expect(httpDate(seconds)).toBeNull();
  }
});

test.each([
  ["Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777n],
  ["Sun Nov  6 08:49:37 1994", 784_111_777n],
  ["Sun Nov 06 08:49:37 1994", 784_111_777n],
  ["Wed Nov 16 08:49:37 1994", 784_975_777n],
  ["Saturday, 01-Jan-00 00:00:00 GMT", 946_684_800n],
  ["Wednesday, 26-Nov-76 00:00:00 GMT", 3_373_574_400n],
  ["Friday, 26-Nov-77 00:00:00 GMT", 249_350_400n],
  ["Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800n],
])("%s is %p", (text, seconds) => {
  expect(parseHttpDate(text, NOW)).toBe(seconds);
});

test.each([
  [""],
  ["0"],
  ["784111777"],
  ["1994-11-06T08:49:37Z"],
  ["Sun, 06 Nov 1994 08:49:37"],
  ["Sun, 06 Nov 1994 08:49:37 UTC"],
  ["Sun, 06 Nov 1994 08:49:37 +0000"],
  ["sun, 06 nov 1994 08:49:37 gmt"],
  ["Sun, 6 Nov 1994 08:49:37 GMT"],
  ["Sun, 06  Nov 1994 08:49:37 GMT"],
  ["Sun, 00 Nov 1994 08:49:37 GMT"],
  ["Wed, 31 Nov 1994 08:49:37 GMT"],
  ["Mon, 29 Feb 1900 00:00:00 GMT"],
  ["Sun, 06 Nov 1994 24:00:00 GMT"],
  ["Sun, 06 Nov 1994 08:60:00 GMT"],
  ["Sun, 06 Nov 1994 08:49:61 GMT"],
  ["Son, 06 Nov 1994 08:49:37 GMT"],
  ["Sun, 06 Nox 1994 08:49:37 GMT"],
  ["Sun, 06 Nov 94 08:49:37 GMT"],
  ["Sunday, 06-Nov-1994 08:49:37 GMT"],
  ["Sun Nov 6 08:49:37 1994"],
  ["Sun Nov  6 08:49:37 1994 GMT"],
  [" Sun, 06 Nov 1994 08:49:37 GMT"],
  ["Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT"],
])("%j is no date", (text) => {
  expect(parseHttpDate(text, NOW)).toBeNull();
});

test("a year of two digits is of the century that it is now, up to its last second", () => {
  const text = "Saturday, 26-Nov-50 00:00:00 GMT";
  expect(parseHttpDate(text, 4_102_444_799n)).toBe(2_553_033_600n);
  expect(parseHttpDate(text, 4_102_444_800n)).toBe(5_708_707_200n);
});

test("a time lies in its second, before 1970 too", () => {
  for (const [nanoseconds, second] of [
    [0n, 0n],
    [999_999_999n, 0n],
    [1_000_000_000n, 1n],
    [-1n, -1n],
    [-1_000_000_000n, -1n],
    [-1_000_000_001n, -2n],
    [9_223_372_036_854_775_807n, 9_223_372_036n],
  ] as const) {
    expect([nanoseconds, secondOf(nanoseconds)]).toEqual([nanoseconds, second]);
  }
});

test("any date comes back", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -62_167_219_200n, max: 253_402_300_799n }), (seconds) => {
      const text = httpDate(seconds) ?? "";
      expect(text).toHaveLength(29);
      expect(parseHttpDate(text, NOW)).toBe(seconds);
    }),
    { numRuns: 1000 },
  );
});
