/** Numbers on the wire: the grammar's own and no other, and never rounded. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { NUMBER_MAX, parseCount, parseNumber } from "../../src/wire/number.ts";

test.each([
  ["0", 0n],
  ["7", 7n],
  ["10", 10n],
  ["4294967296", 4_294_967_296n],
  ["9007199254740991", 9_007_199_254_740_991n],
  ["9007199254740992", 9_007_199_254_740_992n],
  ["9007199254740993", 9_007_199_254_740_993n],
  ["9999999999999999", 9_999_999_999_999_999n],
])("%s is a number, exactly", (text, value) => {
  expect(parseNumber(text)).toBe(value);
});

test.each([
  ["nothing", ""],
  ["an exponent", "1e3"],
  ["hex", "0x1"],
  ["a plus", "+1"],
  ["a minus", "-1"],
  ["a leading zero", "01"],
  ["two zeros", "00"],
  ["a space before", " 1"],
  ["a space behind", "1 "],
  ["a line end behind", "1\n"],
  ["a point", "1.0"],
  ["an underscore", "1_0"],
  ["a bigint's n", "1n"],
  ["octal", "0o7"],
  ["full-width digits", "\uff11\uff12"],
  ["full-width digits as bytes", Buffer.from("\uff11\uff12").toString("latin1")],
  ["Arabic-Indic digits", "\u0661"],
  ["a superscript", "\xb2"],
  ["the character before 0", "/"],
  ["the character behind 9", ":"],
  ["17 digits", "1".repeat(17)],
  ["2^64-1", "18446744073709551615"],
  ["400 digits", "9".repeat(400)],
  ["Infinity", "Infinity"],
  ["NaN", "NaN"],
])("%s is no number", (_, text) => {
  expect(parseNumber(text)).toBe(-1n);
  expect(parseCount(text)).toBe(-1);
});

test("a reply's number may have 19 digits and no more", () => {
  expect(parseNumber("9223372036854775807", 19)).toBe(9_223_372_036_854_775_807n);
  expect(parseNumber("10000000000000000000", 19)).toBe(-1n);
});

test("a count is refused where a double would round it", () => {
  expect(parseCount("9007199254740991")).toBe(Number.MAX_SAFE_INTEGER);
  expect(parseCount("9007199254740992")).toBe(-1);
  expect(parseCount("9007199254740993")).toBe(-1);
  expect(parseCount("1000000000000000000", 19)).toBe(-1);
});

test("exactly the strings of the grammar are numbers, and stand for themselves", () => {
  const grammar = /^(?:0|[1-9][0-9]{0,15})$/;
  const near = fc.stringMatching(/^[0-9+\-ex. _]{0,18}$/);
  const digits = fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String);
  fc.assert(
    fc.property(fc.oneof(near, digits, fc.string()), (text) => {
      const value = parseNumber(text);
      expect(value >= 0n).toBe(grammar.test(text));
      if (value >= 0n) expect(value.toString()).toBe(text);
    }),
    { numRuns: 5000 },
  );
});

test("the largest number has sixteen nines, and the next one is none", () => {
  expect([NUMBER_MAX, parseNumber(`${NUMBER_MAX}`)]).toEqual([
    9_999_999_999_999_999n,
    9_999_999_999_999_999n,
  ]);
  expect(parseNumber(`${NUMBER_MAX + 1n}`)).toBe(-1n);
});
