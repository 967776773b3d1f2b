/** Sorted names in blocks: every place between two names, and two lists that become one. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Merge, NameCursor, SortedNames } from "../../src/store/names.ts";

/** Names of any bytes but NUL and "/", few of them different, many a prefix of another. */
const name = fc
  .array(fc.constantFrom("a", "b", "\x01", "\x7f", "\x80", "\xc3", "\xff", ".", " "), {
    minLength: 1,
    maxLength: 5,
  })
  .map((bytes) => bytes.join(""));

const listed = (names: readonly string[]): string[] => [...new Set(names)].sort();

function all(cursor: NameCursor): string[] {
  const names: string[] = [];
  for (; cursor.next !== undefined; cursor.advance()) names.push(cursor.next);
  return names;
}

test("behind any name, there or not, come exactly the greater ones", () => {
  fc.assert(
    fc.property(fc.array(name, { maxLength: 1000, size: "max" }), name, (given, after) => {
      const names = listed(given);
      const sorted = SortedNames.of(names);
      expect(all(new NameCursor(sorted, ""))).toEqual(names);
      for (const place of [after, ...names.slice(0, 3), ...names.slice(250, 260), "\xff\xff"]) {
        expect(all(new NameCursor(sorted, place))).toEqual(names.filter((it) => it > place));
      }
      expect(sorted.bytes).toBe(names.reduce((bytes, { length }) => bytes + length + 1, 0));
    }),
    { numRuns: 50 },
  );
});

test("a name that comes twice is in it once", () => {
  const sorted = SortedNames.of(["a", "a", "b", "c", "c", "c"]);
  expect([all(new NameCursor(sorted, "")), sorted.bytes]).toEqual([["a", "b", "c"], 6]);
});

test("at a block's edge no name is lost and none comes twice", () => {
  const names = Array.from({ length: 1025 }, (_, nth) => String(nth).padStart(4, "0"));
  const sorted = SortedNames.of(names);
  expect(sorted.length).toBe(5);
  for (const [nth, after] of names.entries()) {
    expect(new NameCursor(sorted, after).next).toBe(names[nth + 1]);
    expect(new NameCursor(sorted, `${after.slice(0, -1)}\x00`).next).toBe(
      names.find((it) => it > `${after.slice(0, -1)}\x00`),
    );
  }
});

test("blocks are full but the last one, which is never empty", () => {
  const blocks = [0, 1, 255, 256, 257, 512].map((count) => {
    const sorted = SortedNames.of(Array.from({ length: count }, (_, nth) => `${1000 + nth}`));
    return Array.from({ length: sorted.length }, (_, nth) => sorted.block(nth).length);
  });
  expect(blocks).toEqual([[], [1], [255], [256], [256, 1], [256, 256]]);
});

test("two lists merge into one in steps of any size", () => {
  fc.assert(
    fc.property(
      fc.array(name, { maxLength: 600, size: "max" }),
      fc.array(name, { maxLength: 600, size: "max" }),
      fc.integer({ min: 1, max: 300 }),
      (left, right, count) => {
        const merge = new Merge(SortedNames.of(listed(left)), SortedNames.of(listed(right)));
        while (!merge.step(count));
        expect(all(new NameCursor(merge.merged, ""))).toEqual(listed([...left, ...right]));
      },
    ),
    { numRuns: 50 },
  );
});
