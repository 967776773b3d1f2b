/** Digests on the wire: how many a range has, and the sizes that both sides agree on. */
import { expect, test } from "bun:test";
import {
  CHUNK_BYTES_DEFAULT,
  digestCount,
  DIGESTS,
  DIGESTS_MAX,
  isAlgo,
  XXH3_CHUNK_BYTES_MAX,
} from "../../src/wire/digest.ts";

test.each([
  [0n, 4n, 1n],
  [1n, 4n, 1n],
  [3n, 4n, 1n],
  [4n, 4n, 1n],
  [5n, 4n, 2n],
  [8n, 4n, 2n],
  [9n, 1n, 9n],
  [9_007_199_254_740_993n, 2n, 4_503_599_627_370_497n],
])("%d bytes in chunks of %d have %d digests", (length, chunk, count) => {
  expect(digestCount(length, chunk)).toBe(count);
});

test("the sizes are the protocol's", () => {
  expect([CHUNK_BYTES_DEFAULT, XXH3_CHUNK_BYTES_MAX, DIGESTS_MAX]).toEqual([
    4_194_304, 16_777_216, 4096,
  ]);
  expect(DIGESTS).toMatchObject({ xxh3: 16, sha256: 64 });
  expect(["xxh3", "sha256", "md5", "constructor", ""].filter(isAlgo)).toEqual(["xxh3", "sha256"]);
});
