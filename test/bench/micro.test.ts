/** The micro benchmarks' functions and their twins agree, and both sides do what is asked. */
import { expect, test } from "bun:test";
import { KERNEL } from "../../bench/micro/kernel.ts";
import { same } from "../../bench/micro/row.ts";
import { WIRE } from "../../bench/micro/wire.ts";

test.each([...WIRE, ...KERNEL].map((row) => [row.name, row] as const))("%s", (_, row) => {
  row.check();
  for (const work of [row.fast, row.naive]) {
    expect(work(1)).toBeGreaterThan(0);
    expect(Number.isFinite(work(5))).toBe(true);
  }
});

test("a difference is an error that shows both", () => {
  expect(() => same("it", { a: 1n }, { a: 2n })).toThrow('it: {"a":"1n"} is not {"a":"2n"}');
  same("it", { a: 1n }, { a: 1n });
});
