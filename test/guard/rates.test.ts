/** How rates are shared out: by tables, and by properties for any crowd. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { levelOf, type Rates, type Sending, sharesOf } from "../../src/guard/rates.ts";

const one = (peer: string, token: string | null = null, tokenRate = 0): Sending => ({
  ...{ peer, token, tokenRate },
});
const NONE: Rates = { connection: 0, address: 0, total: 0 };

describe("shares", () => {
  const cases: [string, Sending[], Partial<Rates>, number[]][] = [
    ["nobody", [], { total: 9 }, []],
    ["no bound", [one("a")], {}, [Infinity]],
    ["of a connection", [one("a"), one("a")], { connection: 5 }, [5, 5]],
    ["of an address", [one("a"), one("a"), one("b")], { address: 6 }, [3, 3, 6]],
    ["of both", [one("a"), one("b")], { address: 6, connection: 4 }, [4, 4]],
    ["of all, by address", [one("a"), one("a"), one("a"), one("b")], { total: 12 }, [2, 2, 2, 6]],
    [
      "of all, what one can't use",
      [one("a"), one("b"), one("b")],
      { total: 30, connection: 10 },
      [10, 10, 10],
    ],
    [
      "of all, less than all want",
      [one("a"), one("b"), one("b")],
      { total: 24, connection: 10 },
      [10, 7, 7],
    ],
    ["of a token", [one("a", "t", 8), one("b", "t", 8), one("b")], {}, [4, 4, Infinity]],
    ["of two tokens", [one("a", "t", 8), one("a", "u", 4)], { connection: 6 }, [6, 4]],
    [
      "of a token, beside others of its address",
      [one("a", "t", 2), one("a")],
      { total: 10 },
      [2, 8],
    ],
  ];
  test.each(cases)("%s", (_what, all, rates, shares) => {
    expect(sharesOf(all, { ...NONE, ...rates })).toEqual(shares);
  });
});

test("none has more than any of its bounds, and all bounds are used up where they are wanted", () => {
  const sending = fc.record({
    peer: fc.constantFrom("a", "b", "c", "d"),
    token: fc.constantFrom(null, "t", "u"),
    tokenRate: fc.constant(1000),
  });
  const rate = fc.constantFrom(0, 100, 1000, 5000);
  fc.assert(
    fc.property(
      fc.array(sending, { minLength: 1, maxLength: 40 }),
      fc.record({ connection: rate, address: rate, total: rate }),
      (all, rates) => {
        const shares = sharesOf(all, rates);
        const sum = (of: (one: Sending) => boolean): number =>
          shares.reduce((so, share, nth) => so + (of(all[nth]!) ? share : 0), 0);
        const within = (value: number, most: number): boolean =>
          most === 0 || value <= most * 1.000001;
        expect(shares.every((share) => within(share, rates.connection) && share > 0)).toBe(true);
        expect(
          within(
            sum(() => true),
            rates.total,
          ),
        ).toBe(true);
        for (const peer of ["a", "b", "c", "d"]) {
          expect(
            within(
              sum((it) => it.peer === peer),
              rates.address,
            ),
          ).toBe(true);
        }
        for (const token of ["t", "u"])
          expect(
            within(
              sum((it) => it.token === token),
              1000,
            ),
          ).toBe(true);
        // Nobody else can be given more: all of the total, or each at a bound of its own.
        if (rates.total > 0 && sum(() => true) < rates.total * 0.999999) {
          const free = sharesOf(all, { ...rates, total: 0 });
          shares.forEach((share, nth) => expect(share).toBeCloseTo(free[nth]!, 6));
        }
      },
    ),
  );
});

test("an address that opens more connections gets no more", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (few, many) => {
      const all = [
        ...Array.from({ length: few }, () => one("a")),
        ...Array.from({ length: many }, () => one("b")),
      ];
      const shares = sharesOf(all, { ...NONE, total: 1000 });
      const a = shares.slice(0, few).reduce((sum, it) => sum + it, 0);
      expect(a).toBeCloseTo(500, 6);
    }),
  );
});

test("a level gives all that there is, or all that is wanted", () => {
  expect(levelOf([1, 5, 9], 9)).toBe(4);
  expect(levelOf([1, 5, 9], 15)).toBe(Infinity);
  expect(levelOf([Infinity, Infinity], 9)).toBe(4.5);
  expect(levelOf([], 9)).toBe(Infinity);
});
