/**
 * QR codes against those of other encoders (uqr 0.1.3, which draws the same as qrencode but for its
 * choice of a mask), and the reading of one by a reader of the test's own.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { QR_BYTES_MAX, type QrCode, qrCode, qrLines } from "../../../src/cli/output/qrcode.ts";

const codeOf = (text: string): QrCode => qrCode(Buffer.from(text))!;
const drawing = (code: QrCode): string =>
  code.map((row) => row.map((dark) => (dark ? "#" : ".")).join("")).join("\n");

test("the code of an address, module for module", () => {
  const wanted = [
    ...["#######...###.#######", "#.....#.###.#.#.....#", "#.###.#...###.#.###.#"],
    ...["#.###.#.##..#.#.###.#", "#.###.#..#..#.#.###.#", "#.....#.#..#..#.....#"],
    ...["#######.#.#.#.#######", ".........#...........", "#####.###..#.#.#.#.#."],
    ...["###....#.#..#########", ".#.##.##.#..#.#...##.", "###.#..##..#.#..###.."],
    ...["#..#..#..#.#..#.##..#", "........#......####.#", "#######.##..##.#..##."],
    ...["#.....#..#####..####.", "#.###.#.##..###.##.##", "#.###.#.#.##...##.#.."],
    ...["#.###.#.#...####..#..", "#.....#.##.....##.#..", "#######.#....#####.#."],
  ];
  expect(drawing(codeOf("http://nas:1/"))).toBe(wanted.join("\n"));
});

test.each([
  ["x".repeat(17), 21, "6297c0fd9b1f5c76f0e989e1943f818e"],
  ["x".repeat(18), 25, "d9f03c0b0e2c7cadd47b32c130e2be82"],
  ["http://192.168.1.20:6464/", 25, "8c5bb958b4f77b6456e2aa50c9c72872"],
  ["http://[2001:db8::1234:5678]:6464/", 29, "2e0a6e0ccc2173b57299b65397ea10c5"],
  [
    "http://[2001:db8:1234:5678:9abc:def0:1234:5678]:65535/",
    33,
    "0e09d4515fc869f461334e7aefe5f08d",
  ],
  ["x".repeat(QR_BYTES_MAX), 37, "7302493313416f7760a946d561c9af2a"],
])("%s has %p modules a side, and the digest of another encoder's", (text, size, digest) => {
  const code = codeOf(text);
  expect(code.length).toBe(size);
  const sha256 = new Bun.CryptoHasher("sha256").update(drawing(code)).digest("hex");
  expect(sha256.slice(0, 32)).toBe(digest);
});

test("what does not fit has none", () => {
  expect(qrCode(Buffer.alloc(QR_BYTES_MAX + 1))).toBeNull();
});

test("drawn with half blocks and read back from them it is the same, with two light modules around", () => {
  const text = fc.uint8Array({ maxLength: QR_BYTES_MAX });
  fc.assert(
    fc.property(text, (bytes) => {
      const code = qrCode(bytes)!;
      const rows = qrLines(code).flatMap((line) => [
        [...line].map((it) => it === " " || it === "▄"),
        [...line].map((it) => it === " " || it === "▀"),
      ]);
      const inner = rows.slice(2, 2 + code.length).map((row) => row.slice(2, -2));
      expect(drawing(inner)).toBe(drawing(code));
      const around = [...rows.slice(0, 2), ...rows.slice(2 + code.length, 4 + code.length)];
      expect(around.flat().includes(true)).toBe(false);
    }),
    { numRuns: 20 },
  );
});
