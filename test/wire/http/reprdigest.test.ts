/** Want-Repr-Digest: what is a wish for sha-256, and what is no dictionary of RFC 9651. */
import { expect, test } from "bun:test";
import { reprDigestField, wantsSha256 } from "../../../src/wire/http/reprdigest.ts";

test.each([
  ["sha-256=1"],
  ["sha-256=10"],
  ["sha-512=3, sha-256=10, unixsum=0"],
  ["sha-512=10,sha-256=3"],
  ["sha-256=5;q=1;r"],
  ["sha-256=0, sha-256=2"],
  ['a="x\\"\\\\, y", b=:AQ==:, c=?1, d=@-5, e=1.5, f=tok/en:x, g=%"a%c3%a9", sha-256=1'],
  ["a=(), b=( 1 2.5  tok;x=1 );y, sha-256=1"],
  ["a, b;c, sha-256=7"],
  ["a=1\t,\t sha-256=2"],
])("%s wants it", (value) => {
  expect(wantsSha256(value)).toBe(true);
});

test.each([
  ["sha-256=0"],
  ["sha-256=-1"],
  ["sha-256=11"],
  ["sha-256=1, sha-256=0"],
  ["sha-256"],
  ["sha-256=1.0"],
  ['sha-256="1"'],
  ["sha-256=?1"],
  ["sha-256=(1)"],
  ["sha-512=10"],
  ["SHA-256=1"],
  ["sha-256=1,"],
  ["sha-256=1,,a=1"],
  [",sha-256=1"],
  ["sha-256 =1"],
  ["sha-256= 1"],
  ["sha-256=1 a=1"],
  ["sha-256=1;"],
  ["sha-256=1; "],
  ["sha-256=1 ;a"],
  ["sha-256=1111111111111111"],
  ["sha-256=1, a=(1"],
  ["sha-256=1, a=(1,2)"],
  ['sha-256=1, a="x'],
  ['sha-256=1, a="\\x"'],
  ["sha-256=1, a=:*:"],
  ["sha-256=1, a=?2"],
  ["sha-256=1, a=1.2345"],
  ['sha-256=1, a=%"%C3"'],
  ["sha-256=1, A=1"],
  ["sha-256=1, \xe9=1"],
  [""],
])("%s does not", (value) => {
  expect(wantsSha256(value)).toBe(false);
});

test("a head full of wishes is read in no time", () => {
  for (const value of ["a;".repeat(4000), `a=(${"1 ".repeat(4000)}`, `a="${"\\\\".repeat(4000)}`]) {
    expect(wantsSha256(`sha-256=1, ${value}`)).toBe(false);
  }
});

test("the digest is in base64 between colons", () => {
  const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  expect(reprDigestField(empty)).toBe(
    "Repr-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\n",
  );
});
