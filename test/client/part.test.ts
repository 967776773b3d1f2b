/** One connection's share: what it is given next, and what it gives up. */
import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import type { Client } from "../../src/client/connect.ts";
import { Part, type Unit } from "../../src/client/part.ts";
import type { Staged } from "../../src/destination/staged.ts";
import { RangeSink } from "../../src/flow/rangesink.ts";

const MIB = 1024 * 1024;
const CHUNK = 4 * MIB;
let nowMs = 0;
beforeEach(() => {
  nowMs = 0;
  spyOn(performance, "now").mockImplementation(() => nowMs);
});
afterEach(() => {
  mock.restore();
});

/** A part that began at 0, and the times that its client was closed. */
function partOf(...units: Unit[]): { part: Part; closed: () => number } {
  let closed = 0;
  const part = new Part({ close: () => void closed++ } as Client);
  part.units.push(...units);
  return { part, closed: () => closed };
}

/** A range of `length` bytes from `offset`, of which `written` have come. */
function unitOf(offset: number, length: number, written = 0): Unit {
  const sink = new RangeSink({} as Staged, offset, null, () => {});
  sink.written = written;
  return { range: { offset, length }, sink, done: Promise.resolve(), length };
}

test("a range is a second's work, within bounds, and never more than a fair share", () => {
  const { part } = partOf();
  const plenty = 1e15;
  expect(part.portion(plenty, 1)).toBe(16 * MIB);
  part.receive(20 * MIB);
  nowMs = 1000;
  expect(Math.round(part.portion(plenty, 1))).toBe(20 * MIB);
  expect(part.portion(80 * MIB, 4)).toBe(10 * MIB);
  expect(part.portion(1, 4)).toBe(4 * MIB);
  nowMs = 100_000;
  expect(part.portion(plenty, 1)).toBe(4 * MIB);
  part.receive(1e12);
  expect(part.portion(plenty, 1)).toBe(64 * MIB);
});

test("what is owed is what has not come, of all ranges and of no more than is its own", () => {
  const shortened = unitOf(0, 10 * MIB, 5 * MIB);
  shortened.length = 4 * MIB;
  const { part } = partOf(unitOf(0, 8 * MIB, 3 * MIB), unitOf(8 * MIB, 8 * MIB), shortened);
  expect(part.owed).toBe(13 * MIB);
  expect(partOf().part.owed).toBe(0);
});

test("the later half of a range that has begun goes, from a chunk's start on", () => {
  for (const [offset, length, written, keeps] of [
    [0, 16, 0, 8],
    [0, 16, 3, 12],
    [4, 16, 7, 12],
    [4, 16, 9, null],
    [6, 10, 0, 6],
    [0, 8, 4, null],
    [0, 8, 0, 4],
    [0, 4, 0, null],
    [0, 4, 1, null],
    [4, 64, 63, null],
    [4, 64, 64, null],
  ] as const) {
    const unit = unitOf(offset * MIB, length * MIB, written * MIB);
    const cut = partOf(unit).part.cut(CHUNK);
    expect([offset, length, written, cut && cut.keeps / MIB]).toEqual([
      offset,
      length,
      written,
      // Where it ends is a chunk's start, behind all that has come.
      keeps,
    ]);
    if (cut === null) continue;
    expect((cut.keeps + unit.range.offset) % CHUNK).toBe(0);
    expect(cut.keeps).toBeGreaterThanOrEqual(unit.sink.written);
    expect(cut.unit).toBe(unit);
  }
});

test("of two ranges the second goes whole while it has not begun, once", () => {
  const second = unitOf(16 * MIB, 16 * MIB);
  const { part } = partOf(unitOf(0, 16 * MIB, MIB), second);
  expect(part.cut(CHUNK)).toEqual({ unit: second, keeps: 0 });
  second.length = 0;
  expect(part.cut(CHUNK)).toBeNull();
  expect(partOf().part.cut(CHUNK)).toBeNull();
});

test("a part that is dismissed closes its connection and says so", () => {
  const { part, closed } = partOf();
  expect([part.dismissed, closed()]).toEqual([false, 0]);
  part.dismiss();
  expect([part.dismissed, closed()]).toEqual([true, 1]);
});
