/** What peers owe, and how it is paid. */
import { expect, test } from "bun:test";
import { Debts, DEBTORS_MAX } from "../../src/guard/debts.ts";

test("a debt grows by what is charged, up to a bound, and is paid at a rate", () => {
  const debts = new Debts();
  debts.charge("a", 1000);
  debts.charge("b", 10);
  debts.charge("a", 500, 1200);
  expect([debts.of("a"), debts.of("b"), debts.of("c")]).toEqual([1200, 10, 0]);
  debts.charge("a", 100, 50);
  expect(debts.of("a")).toBe(1200);
  debts.pay(0.5, (peer) => (peer === "a" ? 400 : 100));
  expect([debts.of("a"), debts.of("b"), [...debts.peers]]).toEqual([1000, 0, ["a"]]);
  debts.charge("a", -2000);
  expect([...debts.peers]).toEqual([]);
});

test("beyond the bound of debtors the oldest debt is forgiven", () => {
  const debts = new Debts();
  expect(DEBTORS_MAX).toBe(65_536);
  for (let nth = 0; nth <= DEBTORS_MAX; nth++) debts.charge(`${nth}`, 5);
  expect([debts.of("0"), debts.of("1"), [...debts.peers].length]).toEqual([0, 5, DEBTORS_MAX]);
});
