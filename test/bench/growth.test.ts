/** The simulation of several servers with caches: its parts, and what it must come to. */
import { describe, expect, test } from "bun:test";
import { seeded } from "../../bench/download/link.ts";
import { ObjectCache } from "../../bench/growth/cache.ts";
import { run } from "../../bench/growth/fleet.ts";
import { byHash, leastBusy, type Route } from "../../bench/growth/route.ts";
import { zipf } from "../../bench/growth/zipf.ts";

const OBJECTS = 2_000;
const REQUESTS = { warm: 20_000, count: 20_000 };

function simulate(servers: number, route: Route, seed = 1) {
  const held = Array.from({ length: servers }, () => new ObjectCache(OBJECTS / 20));
  const draw = zipf(OBJECTS, 0.9, seeded(seed));
  return run({ servers: held, route, underWay: 32 }, draw, REQUESTS);
}

describe("zipf", () => {
  test("the first is asked for twice as often as the second with an exponent of 1", () => {
    const counts = [0, 0, 0];
    const draw = zipf(3, 1, seeded(7));
    for (let nth = 0; nth < 60_000; nth++) counts[draw()]! += 1;
    const [first = 0, second = 0, third = 0] = counts;
    expect(first / second).toBeWithin(1.9, 2.1);
    expect(first / third).toBeWithin(2.85, 3.15);
  });

  test("an exponent of 0 wants all alike, and nothing else is drawn", () => {
    const counts = new Map<number, number>();
    const draw = zipf(4, 0, seeded(7));
    for (let nth = 0; nth < 40_000; nth++) {
      const object = draw();
      counts.set(object, (counts.get(object) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([0, 1, 2, 3]);
    for (const count of counts.values()) expect(count).toBeWithin(9_500, 10_500);
  });
});

describe("routes", () => {
  test("leastconn takes the least busy one, and of several each in turn", () => {
    const route = leastBusy();
    expect(route(0, [3, 1, 2])).toBe(1);
    const chosen = [0, 0, 0, 0].map(() => route(0, [5, 5, 5]));
    expect(new Set(chosen).size).toBe(3);
  });

  test("a file has one server by its hash; one server more moves its part alone", () => {
    const [of4, of5] = [byHash(4), byHash(5)];
    let moved = 0;
    for (let object = 0; object < 10_000; object++) {
      const before = of4(object, [9, 0, 0, 0]);
      expect(of4(object, [0, 0, 0, 9])).toBe(before);
      const after = of5(object, [0, 0, 0, 0, 0]);
      if (after === before) continue;
      expect(after).toBe(4);
      moved += 1;
    }
    expect(moved).toBeWithin(1_600, 2_400);
  });

  test("with a factor a server of so many times the mean is passed over", () => {
    const route = byHash(2, 1.25);
    const object = Array.from({ length: 99 }, (_, n) => n).find((n) => route(n, [0, 0]) === 0) ?? 0;
    // 16 with the one that comes are 8 for each, and 1.25 times that is 10.
    expect(route(object, [9, 6])).toBe(0);
    expect(route(object, [10, 5])).toBe(1);
  });
});

describe("a fleet", () => {
  test("the same seed gives the same, another one something else", () => {
    expect(simulate(3, leastBusy(), 5)).toEqual(simulate(3, leastBusy(), 5));
    expect(simulate(3, leastBusy(), 5)).not.toEqual(simulate(3, leastBusy(), 6));
  });

  test("by connections four caches hit like one; by hash they hit like one four times as large", () => {
    const one = simulate(1, leastBusy());
    const four = simulate(4, leastBusy());
    const hashed = simulate(4, byHash(4));
    const large = new ObjectCache(OBJECTS / 5);
    const draw = zipf(OBJECTS, 0.9, seeded(1));
    const whole = run({ servers: [large], route: leastBusy(), underWay: 32 }, draw, REQUESTS);
    expect(Math.abs(four.hitRatio - one.hitRatio)).toBeLessThan(0.03);
    expect(Math.abs(hashed.hitRatio - whole.hitRatio)).toBeLessThan(0.03);
    expect(hashed.hitRatio).toBeGreaterThan(four.hitRatio + 0.05);
  });

  test("a bound on the busiest costs hits and evens the work", () => {
    const free = simulate(8, byHash(8));
    const bound = simulate(8, byHash(8, 1.25));
    expect(bound.busiest).toBeLessThan(free.busiest);
    expect(bound.busiest).toBeLessThan(1.25);
    expect(bound.hitRatio).toBeLessThan(free.hitRatio);
  });
});
