/** What a reply says of a version, a range, a digest and a wait. */
import { expect, test } from "bun:test";
import { codeOfStatus } from "../../../src/wire/http/replystatus.ts";
import {
  hasValidator,
  parseContentRange,
  retryAfterMs,
  sha256Of,
  strongValidator,
} from "../../../src/wire/http/validator.ts";

const OLD = "Thu, 01 Jan 2015 00:00:00 GMT";
const MINUTE_LATER = "Thu, 01 Jan 2015 00:01:00 GMT";
const SECOND_SHORT = "Thu, 01 Jan 2015 00:00:59 GMT";

test.each([
  [{ etag: '"a"' }, '"a"'],
  [{ etag: '""' }, '""'],
  [{ etag: '"a"', "last-modified": OLD, date: MINUTE_LATER }, '"a"'],
  [{ etag: `"${"a".repeat(510)}"` }, `"${"a".repeat(510)}"`],
  [{ etag: `"${"a".repeat(511)}"` }, ""],
  [{ etag: 'W/"a"', "last-modified": OLD, date: MINUTE_LATER }, ""],
  [{ etag: "a", "last-modified": OLD, date: MINUTE_LATER }, ""],
  [{ etag: '"a", "b"' }, ""],
  [{ etag: '"a b"' }, ""],
  [{ "last-modified": OLD, date: MINUTE_LATER }, OLD],
  [{ "last-modified": OLD, date: SECOND_SHORT }, ""],
  [{ "last-modified": MINUTE_LATER, date: OLD }, ""],
  [{ "last-modified": OLD }, ""],
  [{ "last-modified": "yesterday", date: MINUTE_LATER }, ""],
  [{}, ""],
])("%j has the strong validator %j", (fields, validator) => {
  expect(strongValidator(new Map(Object.entries(fields)) as never)).toBe(validator);
});

test.each([
  [{ etag: '"a"' }, '"a"', true],
  [{ etag: 'W/"a"' }, '"a"', false],
  [{ etag: '"b"' }, '"a"', false],
  [{}, '"a"', false],
  [{ "last-modified": OLD }, OLD, true],
  [{ "last-modified": MINUTE_LATER }, OLD, false],
  [{ "last-modified": OLD, etag: '"a"' }, OLD, false],
])("%j is of the version %j: %p", (fields, validator, same) => {
  expect(hasValidator(new Map(Object.entries(fields)) as never, validator)).toBe(same);
});

test.each([
  ["bytes 0-0/1", { first: 0n, last: 0n, size: 1n }],
  ["BYTES 5-9/10", { first: 5n, last: 9n, size: 10n }],
  [
    "bytes 0-9223372036854775805/9223372036854775806",
    {
      first: 0n,
      last: 9_223_372_036_854_775_805n,
      size: 9_223_372_036_854_775_806n,
    },
  ],
  ["bytes 0-1/*", null],
  ["bytes */10", null],
  ["bytes 0-10/10", null],
  ["bytes 5-4/10", null],
  ["bytes 00-1/10", null],
  ["bytes 0-1/10, bytes 2-3/10", null],
  ["lines 0-1/10", null],
  ["bytes=0-1/10", null],
  ["", null],
] as const)("Content-Range %j is %p", (text, range) => {
  expect(parseContentRange(text)).toEqual(range);
});

test("the SHA-256 of a Repr-Digest", () => {
  const base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  const hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  expect(sha256Of(`sha-256=:${base64}:`)).toBe(hex);
  expect(sha256Of(`sha-512=:AAAA:,\tsha-256=:${base64}:`)).toBe(hex);
  for (const text of ["", `sha-256=${base64}`, "sha-256=::", "sha-256=:AAAA:", `md5=:${base64}:`]) {
    expect(sha256Of(text)).toBeNull();
  }
});

test("Retry-After is seconds or a date, and nothing else is a wait", () => {
  const now = Date.parse(OLD);
  const cases = [
    ["0", 0],
    ["2", 2000],
    [MINUTE_LATER, 60_000],
    ["-1", 0],
    ["1.5", 0],
    ["", 0],
  ] as const;
  for (const [text, ms] of cases) expect([text, retryAfterMs(text, now)]).toEqual([text, ms]);
  expect(retryAfterMs(OLD, now + 5000)).toBe(0);
  // A year of two digits is of this century, which has begun a second ago.
  expect(retryAfterMs("Saturday, 01-Jan-00 00:00:05 GMT", 946_684_801_000)).toBe(4000);
});

test("each status has its code", () => {
  const codes = Array.from({ length: 200 }, (_, nth) => [400 + nth, codeOfStatus(400 + nth)]);
  const own = codes.filter(([, code]) => code !== "EINVAL" && code !== "EBUSY");
  expect(own).toEqual([
    [401, "EACCES"],
    [402, "EACCES"],
    [403, "EACCES"],
    [404, "ENOENT"],
    [405, "ENOSYS"],
    [407, "EACCES"],
    [408, "ETIMEDOUT"],
    [410, "ENOENT"],
    [412, "ESTALE"],
    [416, "ERANGE"],
    [451, "EACCES"],
    [500, "EIO"],
    [501, "ENOSYS"],
    [505, "ENOSYS"],
  ]);
  expect([425, 429, 499, 502].map(codeOfStatus)).toEqual(["EBUSY", "EBUSY", "EINVAL", "EBUSY"]);
});

test("a status that no table has is told by its class", () => {
  expect([418, 499, 599, 520].map(codeOfStatus)).toEqual(["EINVAL", "EINVAL", "EBUSY", "EBUSY"]);
});
