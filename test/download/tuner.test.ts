/** How many connections, for lines that behave in one way or another. */
import { expect, test } from "bun:test";
import { Tuner } from "../../src/download/tuner.ts";

const PLENTY = 1e15;

/** The numbers of connections that a tuner asks for, on a line that brings `rateOf` of them. */
function course(
  most: number,
  rateOf: (connections: number) => number,
  measurements = 16,
): number[] {
  const tuner = new Tuner(most);
  const seen: number[] = [1];
  for (let nth = 0; nth < measurements; nth++) {
    const now = seen.at(-1)!;
    seen.push(tuner.next(now, rateOf(now), PLENTY));
  }
  return seen.filter((count, nth) => count !== seen[nth - 1]);
}

test("where each connection adds its share, there are as many as allowed, and they stay", () => {
  for (const [most, wanted] of [
    [1, [1]],
    [2, [1, 2]],
    [6, [1, 2, 4, 6]],
    [8, [1, 2, 4, 8]],
    [32, [1, 2, 4, 8, 16, 32]],
  ] as const) {
    expect(course(most, (count) => count * 1e6)).toEqual([...wanted]);
  }
});

test("where one fills the line, a second is tried once and goes again", () => {
  expect(course(8, () => 1e9)).toEqual([1, 2, 1]);
  // Just too little, and just enough.
  expect(course(8, (count) => (count === 1 ? 100 : 114))).toEqual([1, 2, 1]);
  expect(course(2, (count) => (count === 1 ? 100 : 115))).toEqual([1, 2]);
});

test("where four fill the line, what was added behind four goes again", () => {
  expect(course(32, (count) => Math.min(count, 4) * 1e6)).toEqual([1, 2, 4, 8, 4]);
  expect(course(6, (count) => Math.min(count, 4) * 1e6)).toEqual([1, 2, 4, 6, 4]);
});

test("new connections are judged at the second measurement, not at the first", () => {
  const tuner = new Tuner(8);
  const answers = [
    [1, 100],
    [2, 90],
    [2, 200],
    [4, 200],
    [4, 200],
    [2, 200],
  ].map(([count, rate]) => tuner.next(count!, rate!, PLENTY));
  expect(answers).toEqual([2, 2, 4, 4, 2, 2]);
});

test("a line that has become slower is tried again, at the second measurement, until that ends too", () => {
  const tuner = new Tuner(8);
  const asked = (...rates: number[]): number[] => {
    const seen = rates.map((rate) => (count = tuner.next(count, rate, PLENTY)));
    return seen;
  };
  let count = 1;
  expect(asked(100, 100, 100)).toEqual([2, 2, 1]);
  // As fast as it was, or faster: nothing is tried.
  expect(asked(76, 100, 200, 151)).toEqual([1, 1, 1, 1]);
  // One measurement may be an accident.
  expect(asked(149, 200, 149)).toEqual([1, 1, 1]);
  expect(asked(100, 190, 190, 190)).toEqual([2, 4, 4, 2]);
  // It never gets better: the trials end all the same.
  expect(asked(20, 20, 20, 20, 20, 20, 20)).toEqual([2, 4, 4, 2, 2, 2, 2]);
});

test("nothing is added while nothing comes, nor for less than a second's work", () => {
  const tuner = new Tuner(8);
  expect([tuner.next(1, 0, PLENTY), tuner.next(1, 100, 99), tuner.next(1, 100, 100)]).toEqual([
    1, 1, 2,
  ]);
});
