/** What each peer holds of one resource: its bounds, met exactly, and what was paid back. */
import { expect, test } from "bun:test";
import { Shares } from "../../src/guard/shares.ts";

test("a peer takes up to its own bound, all together up to the whole, and no unit more", () => {
  const shares = new Shares(5, 3);
  expect([shares.sum, shares.of("a"), shares.largest()]).toEqual([0, 0, ""]);
  expect([shares.take("a", 2), shares.take("a", 2), shares.take("a", 1)]).toEqual([
    true,
    false,
    true,
  ]);
  expect([shares.take("b", 3), shares.take("b", 2), shares.take("c", 1)]).toEqual([
    false,
    true,
    false,
  ]);
  expect([shares.sum, shares.of("a"), shares.of("b"), shares.of("c")]).toEqual([5, 3, 2, 0]);
});

test("only the whole refuses what still fits in a peer's own share", () => {
  const shares = new Shares(3, 3);
  shares.take("a", 2);
  expect([shares.fits("a", 1), shares.fits("a", 2)]).toEqual([true, false]);
  expect([shares.fits("b", 3), shares.take("b", 3)]).toEqual([true, false]);
});

test("the largest is who holds most now, and nobody once all is paid back", () => {
  const shares = new Shares(10, 10);
  shares.take("a", 2);
  shares.take("b", 3);
  shares.take("c", 3);
  expect(shares.largest()).toBe("b");
  shares.give("b", 2);
  expect([shares.largest(), shares.of("b"), shares.sum]).toEqual(["c", 1, 6]);
  for (const [peer, units] of [
    ["a", 2],
    ["b", 1],
    ["c", 3],
  ] as const) {
    shares.give(peer, units);
  }
  expect([shares.largest(), shares.of("b"), shares.sum]).toEqual(["", 0, 0]);
  expect([shares.take("d", 10), shares.sum]).toEqual([true, 10]);
});

test("who has paid all back is forgotten: memory is of those who hold something", () => {
  const shares = new Shares(10, 10);
  for (const peer of ["a", "b", "c"]) shares.take(peer, 2);
  shares.give("a", 2);
  shares.give("b", 1);
  expect([shares.peers, shares.of("a"), shares.of("b")]).toEqual([2, 0, 1]);
});
