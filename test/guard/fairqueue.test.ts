/** The queue between peers, against a model of some lines. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { FairQueue, LONGEST_WAIT_EVERY } from "../../src/guard/fairqueue.ts";

const PEERS = ["a", "b", "c", "d"];

test("peers take turns, and each is served in its own order", () => {
  const queue = new FairQueue<string>();
  for (const item of ["a1", "a2", "a3", "b1", "c1", "c2"]) queue.add(item[0]!, item);
  const taken = Array.from({ length: 6 }, () => queue.take()?.item);
  expect(taken).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"]);
  expect([queue.take(), queue.size]).toEqual([undefined, 0]);
});

test("who comes anew waits for one turn of each other peer", () => {
  const queue = new FairQueue<number>();
  for (let nth = 0; nth < 100_000; nth++) queue.add("many", nth);
  queue.add("few", -1);
  expect([queue.take()?.item, queue.take()?.item]).toEqual([0, -1]);
});

test("a long line keeps its order to its end, and after clear() nothing waits", () => {
  const queue = new FairQueue<number>();
  for (let nth = 0; nth < 300; nth++) queue.add("one", nth);
  const taken = Array.from({ length: 200 }, () => queue.take()?.item);
  for (let nth = 300; nth < 400; nth++) queue.add("one", nth);
  while (queue.size > 0) taken.push(queue.take()?.item);
  expect(taken).toEqual(Array.from({ length: 400 }, (_, nth) => nth));
  queue.add("one", 1);
  queue.add("two", 2);
  expect([queue.peers, queue.size]).toEqual([2, 2]);
  queue.clear();
  expect([queue.peers, queue.size, queue.take()]).toEqual([0, 0, undefined]);
});

test("of two that weigh the same the one that came first goes first", () => {
  const queue = new FairQueue<{ nth: number }>(() => 7);
  for (const nth of [0, 1, 2]) queue.add("one", { nth });
  expect([queue.take()?.item.nth, queue.take()?.item.nth]).toEqual([0, 1]);
});

test("a peer that may not be served is passed over and keeps its turn", () => {
  const queue = new FairQueue<string>();
  for (const item of ["a1", "b1", "b2", "c1"]) queue.add(item[0]!, item);
  const notA = (peer: string): boolean => peer !== "a";
  expect([queue.take(notA)?.item, queue.take()?.item, queue.take()?.item]).toEqual([
    "b1",
    "a1",
    "c1",
  ]);
  queue.add("a", "a2");
  expect([queue.take(notA)?.item, queue.take(notA), queue.size]).toEqual(["b2", undefined, 1]);
});

test("nothing is lost, given twice or out of its peer's order; turns between peers are equal", () => {
  const step = fc.oneof(
    fc.record({ add: fc.constantFrom(...PEERS) }),
    fc.constant("take" as const),
    fc.constant("sift" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const queue = new FairQueue<{ nth: number; gone: boolean }>();
      const waiting = new Map<string, { nth: number; gone: boolean }[]>();
      /** How many turns others have had since a peer that waits had its last. */
      const turns = new Map<string, Map<string, number>>();
      let nth = 0;
      for (const one of steps) {
        if (one === "sift") {
          for (const line of waiting.values())
            for (const item of line) item.gone = item.nth % 3 === 0;
          for (const [peer, line] of waiting)
            waiting.set(
              peer,
              line.filter((item) => !item.gone),
            );
          queue.sift((item) => !item.gone);
        } else if (one === "take") {
          const place = queue.take();
          const left = [...waiting.values()].flat().length;
          if (place === undefined) {
            expect(left).toBe(0);
            continue;
          }
          expect(place.item).toBe(waiting.get(place.peer)!.shift()!);
          turns.delete(place.peer);
          for (const [peer, line] of waiting) {
            if (peer === place.peer || line.length === 0) continue;
            const seen = turns.get(peer) ?? new Map<string, number>();
            turns.set(peer, seen.set(place.peer, (seen.get(place.peer) ?? 0) + 1));
            expect(seen.get(place.peer)).toBeLessThanOrEqual(1);
          }
        } else {
          const item = { nth: nth++, gone: false };
          const line = waiting.get(one.add) ?? [];
          // Who did not wait begins anew.
          if (line.length === 0) turns.delete(one.add);
          waiting.set(one.add, [...line, item]);
          queue.add(one.add, item);
        }
        expect(queue.size).toBe([...waiting.values()].flat().length);
      }
    }),
  );
});

test("the lightest goes first, and the heaviest has its share of the turns", () => {
  const queue = new FairQueue<number>((weight) => weight);
  const weights = [5, 3, 9, 1, 1e9];
  for (const weight of weights) queue.add("one", weight);
  const order: number[] = [];
  for (let turn = 0; turn < 400; turn++) {
    const { peer, item } = queue.take()!;
    order.push(item);
    queue.add(peer, item);
  }
  expect(order.slice(0, LONGEST_WAIT_EVERY)).toEqual([1, 1, 1, 5]);
  const turns = order.filter((weight) => weight === 1e9).length;
  expect(turns).toBeGreaterThanOrEqual(400 / LONGEST_WAIT_EVERY / weights.length - 1);
});

test("peers take turns whatever the weights, and what comes last is found when it is lightest", () => {
  const queue = new FairQueue<number>((weight) => weight);
  for (let weight = 1000; weight < 1100; weight++) queue.add("heavy", weight);
  for (let weight = 1; weight <= 3; weight++) queue.add("light", weight);
  queue.add("heavy", 7);
  const places = [1, 2, 3, 4].map(() => queue.take());
  expect(places.map((place) => [place?.peer, place?.item])).toEqual([
    ["heavy", 7],
    ["light", 1],
    ["heavy", 1000],
    ["light", 2],
  ]);
  expect(queue.size).toBe(100);
});
