/** Digests of bytes in memory. */
import { expect, test } from "bun:test";
import { digestLines } from "../../src/digest/digest.ts";

/** Vectors of the reference implementation: XXH3 with 64 bits and seed 0, and FIPS 180. */
test("the digests are the standard's, all digits written", () => {
  const of = (text: string, chunk: number): string => digestLines("xxh3", Buffer.from(text), chunk);
  expect(of("", 1)).toBe("2d06800538d394c2\n");
  expect(of("abcabc", 3)).toBe("78af5f94892f3950\n78af5f94892f3950\n");
  expect(of("abca", 3)).toBe("78af5f94892f3950\ne6c632b61e964e1f\n");
  expect(digestLines("sha256", Buffer.from("abc"), 4)).toBe(
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
  );
  // One in sixteen begins with a zero.
  const lines = digestLines("xxh3", Buffer.alloc(1000, "0123456789abcdefg"), 3).split("\n");
  expect(lines.slice(0, -1).every((line) => /^[0-9a-f]{16}$/.test(line))).toBe(true);
  const all = Array.from({ length: 256 }, (_, byte) => digestLines("xxh3", Buffer.of(byte), 1));
  expect(all.some((line) => line.startsWith("0"))).toBe(true);
  expect(all.every((line) => line.length === 17)).toBe(true);
});
