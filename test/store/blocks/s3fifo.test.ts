/** Which block gives way: sums that always hold, and a scan that leaves what is used alone. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { S3Fifo } from "../../../src/store/blocks/s3fifo.ts";
import { Random } from "../../fuzz/random.ts";

const SLOTS = 12;

test("whatever is done, its bytes and slots are those that stand in it, and what is held stays", () => {
  const operation = fc.tuple(
    fc.constantFrom("add", "use", "remove", "evict"),
    fc.nat(SLOTS - 1),
    fc.integer({ min: 1, max: 9 }),
    fc.array(fc.nat(SLOTS - 1), { maxLength: SLOTS }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const order = new S3Fifo(SLOTS);
      const model = new Map<number, number>();
      for (const [what, slot, bytes, held] of operations) {
        if (what === "add" && !model.has(slot)) {
          order.add(slot, bytes, slot * 7);
          model.set(slot, bytes);
        } else if (what === "use") order.use(slot);
        else if (what === "remove") {
          order.remove(slot);
          model.delete(slot);
        } else if (what === "evict") {
          const gone = order.evict((each) => held.includes(each));
          const free = [...model.keys()].filter((each) => !held.includes(each));
          expect(gone === -1).toBe(free.length === 0);
          if (gone >= 0) expect(free).toContain(gone);
          model.delete(gone);
        }
        expect(order.count).toBe(model.size);
        expect(order.bytes).toBe([...model.values()].reduce((sum, each) => sum + each, 0));
      }
    }),
  );
});

/** A cache of `slots` blocks in that order: tells whether `key` was there. */
function cacheOf(slots: number) {
  const order = new S3Fifo(slots);
  const slotOf = new Map<number, number>();
  const keyOf: number[] = [];
  return (key: number): boolean => {
    const slot = slotOf.get(key);
    if (slot !== undefined) {
      order.use(slot);
      return true;
    }
    const free = slotOf.size < slots ? slotOf.size : order.evict(() => false);
    const old = keyOf[free];
    if (old !== undefined) slotOf.delete(old);
    keyOf[free] = key;
    slotOf.set(key, free);
    order.add(free, 4, key);
    return false;
  };
}

test("a scan of ten times the cache leaves the hot set, also when it comes again", () => {
  const random = new Random(7);
  const ask = cacheOf(1000);
  const hot = (count: number): number => {
    let found = 0;
    for (let nth = 0; nth < count; nth++) if (ask(random.below(500))) found += 1;
    return found / count;
  };
  hot(20_000);
  expect(hot(2000)).toBe(1);
  for (let again = 0; again < 3; again++) {
    for (let nth = 0; nth < 10_000; nth++) {
      ask(1_000_000 + nth);
      // The hot set is asked for meanwhile, a tenth as often.
      if (nth % 10 === 0) ask(random.below(500));
    }
    expect(hot(500)).toBeGreaterThan(0.95);
  }
});

test("what nobody asks for any more makes place for what somebody does", () => {
  const ask = cacheOf(100);
  for (let again = 0; again < 10; again++) for (let key = 0; key < 80; key++) ask(key);
  let found = 0;
  for (let again = 0; again < 30; again++) {
    for (let key = 1000; key < 1080; key++) if (ask(key) && again > 20) found += 1;
  }
  expect(found).toBeGreaterThan(9 * 80 * 0.9);
});
