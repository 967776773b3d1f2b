/** Where paths lie to those that are granted, and which names lead there. */
import { expect, test } from "bun:test";
import { namesTo, type Place, placeOf } from "../../src/guard/grantedpath.ts";

const GRANTED = ["a/b", "a/c/d", "e"];

test.each<[string, Place]>([
  [".", "above"],
  ["a", "above"],
  ["a/", "above"],
  ["a/c", "above"],
  ["a/b", "inside"],
  ["a/b/", "inside"],
  ["a/b/x/y", "inside"],
  ["a/bc", "outside"],
  ["a/c/dd", "outside"],
  ["a/x", "outside"],
  ["b", "outside"],
  ["e", "inside"],
  ["e/.", "inside"],
  ["", "above"],
])("%j is %s", (path, place) => {
  expect(placeOf(path, GRANTED)).toBe(place);
});

test("a grant of all has everything inside, one of nothing has nothing", () => {
  for (const path of [".", "a", "a/b"]) {
    expect([placeOf(path, [""]), placeOf(path, [])]).toEqual(["inside", "outside"]);
  }
});

test("names that lead to what is granted come sorted by bytes, each once", () => {
  const paths = ["b/x", "a/b", "a/c/d", "a/b/c", "B", "a/Z", "\xff", "ab/c"];
  expect(namesTo(".", paths)).toEqual(["B", "a", "ab", "b", "\xff"]);
  expect(namesTo("a", paths)).toEqual(["Z", "b", "c"]);
  expect(namesTo("a/", paths)).toEqual(["Z", "b", "c"]);
  expect(namesTo("a/c", paths)).toEqual(["d"]);
  expect(namesTo("x", paths)).toEqual([]);
  const many = Array.from({ length: 40 }, (_, nth) => `f/${String(((nth * 27) % 40) + 10)}/x`);
  expect(namesTo("f", many)).toEqual(Array.from({ length: 40 }, (_, nth) => String(nth + 10)));
  expect(namesTo(".", ["a\nb/c"])).toEqual(["a\nb"]);
});
