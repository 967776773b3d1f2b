/** What processes tell each other of themselves, and how it is put together. */
import { expect, test } from "bun:test";
import { merged, most, sum } from "../../src/observe/tally.ts";
import { Told } from "../../src/observe/told.ts";

test("the last whole text is read, also while the next one is written", () => {
  const memory = new ArrayBuffer(Told.bytes(64) + 64);
  const [writer, reader] = [new Told(memory, 64, 64), new Told(memory, 64, 64)];
  expect(reader.read()).toBeNull();
  expect(writer.tell('{"n":1}')).toBe(true);
  expect(reader.read()).toEqual({ n: 1 });
  expect(writer.tell('{"n":2}')).toBe(true);
  expect(reader.read()).toEqual({ n: 2 });
  // A writer that is killed in the middle has written to the other place, and not counted on.
  new Uint8Array(memory, 64 + 16 + 64, 64).fill(120);
  expect(reader.read()).toEqual({ n: 2 });
});

test("what is too long is not told, and what was told before stays", () => {
  const told = new Told(new ArrayBuffer(Told.bytes(16)), 0, 16);
  expect(told.tell("[1]")).toBe(true);
  expect(told.tell(`["${"x".repeat(20)}"]`)).toBe(false);
  expect(told.read()).toEqual([1]);
});

test("numbers are added by name; whatever else another one told counts as nothing", () => {
  const own = { a: 1, list: [1, 2], deep: { b: 3 } };
  expect(merged(own, { a: 2, list: [10, 20, 30], deep: { b: 4, c: 9 }, more: 1 }, sum)).toEqual({
    ...{ a: 3, list: [11, 22], deep: { b: 7 } },
  });
  expect(merged(own, { a: "2", list: "xy", deep: [5] }, sum)).toEqual(own);
  expect(merged(own, { a: -5, deep: { b: Infinity } }, sum)).toEqual(own);
  for (const nothing of [null, undefined, 7, "text"]) {
    expect(merged(own, nothing, sum)).toEqual(own);
  }
  expect(merged({ lag: 2 }, { lag: 5 }, most)).toEqual({ lag: 5 });
});
