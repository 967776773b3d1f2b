/** One connection's share: what it is given next, and what it gives up. */
import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import type { WireClient } from "../../src/client/wireclient.ts";
import { FileConnection, type Segment } from "../../src/download/connection.ts";
import type { Staged } from "../../src/destination/staged.ts";
import { RangeSink } from "../../src/receive/rangesink.ts";

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
function partOf(...units: Segment[]): { part: FileConnection; closed: () => number } {
  let closed = 0;
  const part = new FileConnection({ close: () => void closed++ } as WireClient);
  part.segments.push(...units);
  return { part, closed: () => closed };
}

/** A range of `length` bytes from `offset`, of which `written` have come. */
function unitOf(offset: number, length: number, written = 0): Segment {
  const sink = new RangeSink({} as Staged, offset, null, () => {});
  sink.written = written;
  return { range: { offset, length }, sink, done: Promise.resolve(), length };
}

test("a range is half a second's work, within bounds, and never more than a fair share", () => {
  const { part } = partOf();
  const plenty = 1e15;
  // Nothing is known of it: little.
  expect(part.portion(plenty, 1, 0.1)).toBe(MIB);
  part.receive(40 * MIB);
  nowMs = 1000;
  expect(Math.round(part.portion(plenty, 4, 0.1))).toBe(20 * MIB);
  expect(part.portion(80 * MIB, 4, 0.1)).toBe(10 * MIB);
  expect(part.portion(1, 4, 0.1)).toBe(MIB);
  // Alone it shares with nobody.
  expect(Math.round(part.portion(1, 1, 0.1))).toBe(20 * MIB);
  // Two round trips' worth, however many share it.
  expect(Math.round(part.portion(1, 4, 300))).toBe(24 * MIB);
  part.receive(1e12);
  expect(part.portion(plenty, 1, 0.1)).toBe(64 * MIB);
});

test("speed is that of late, and what is left is told by it", () => {
  const { part } = partOf(unitOf(0, 100 * MIB));
  expect([part.rate, part.leftMs]).toEqual([0, 0]);
  nowMs = 300;
  // Of one that has brought nothing only its age is known.
  expect(part.leftMs).toBe(300);
  part.receive(100_000);
  nowMs = 1000;
  expect(part.rate).toBe(100);
  nowMs = 1400;
  part.receive(100_000);
  expect(part.rate).toBe(200_000 / 1400);
  nowMs = 2000;
  expect(part.rate).toBe(100);
  nowMs = 3000;
  expect(part.rate).toBe(0);
  expect(part.leftMs).toBe(Infinity);
  part.receive(3_000_000);
  nowMs = 3100;
  expect(part.rate).toBe(3_000_000 / 1100);
  expect(part.leftMs).toBe((100 * MIB * 1100) / 3_000_000);
  expect(partOf().part.leftMs).toBe(0);
});

test("what is owed is what has not come, of all ranges and of no more than is its own", () => {
  const shortened = unitOf(0, 10 * MIB, 5 * MIB);
  shortened.length = 4 * MIB;
  const { part } = partOf(unitOf(0, 8 * MIB, 3 * MIB), unitOf(8 * MIB, 8 * MIB), shortened);
  expect(part.owed).toBe(13 * MIB);
  expect(partOf().part.owed).toBe(0);
});

test("behind what is kept the rest of a range goes, from a chunk's start on", () => {
  for (const [offset, length, written, keep, keeps] of [
    [0, 16, 0, 8, 8],
    [0, 16, 0, 7, 8],
    [0, 16, 0, 0, 0],
    [0, 16, 4, 0, 4],
    [0, 16, 3, 0, 4],
    [0, 16, 3, 6, 12],
    [4, 16, 7, 3, 12],
    [4, 16, 9, 5, null],
    [6, 10, 0, 5, 6],
    [6, 10, 0, 0, 0],
    [0, 8, 4, 2, null],
    [0, 8, 8, 0, null],
    [0, 4, 1, 1, null],
    [0, 64, 1, 1e6, null],
    [0, 64, 1, Infinity, null],
  ] as const) {
    const unit = unitOf(offset * MIB, length * MIB, written * MIB);
    const cuts = partOf(unit).part.cut(keep * MIB, CHUNK);
    const wanted = keeps === null ? [] : [{ unit, keeps: keeps * MIB }];
    expect([offset, length, written, keep, cuts]).toEqual([offset, length, written, keep, wanted]);
  }
});

test("of two ranges the second goes first, and again what is still too much", () => {
  const first = unitOf(0, 16 * MIB, MIB);
  const second = unitOf(16 * MIB, 16 * MIB);
  const { part } = partOf(first, second);
  expect(part.cut(40 * MIB, CHUNK)).toEqual([]);
  expect(part.cut(20 * MIB, CHUNK)).toEqual([{ unit: second, keeps: 8 * MIB }]);
  second.length = 8 * MIB;
  expect(part.cut(15 * MIB, CHUNK)).toEqual([{ unit: second, keeps: 0 }]);
  second.length = 0;
  expect(part.cut(15 * MIB, CHUNK)).toEqual([]);
  expect(part.cut(2 * MIB, CHUNK)).toEqual([{ unit: first, keeps: 4 * MIB }]);
  expect(partOf().part.cut(0, CHUNK)).toEqual([]);
});

test("a part that is dismissed closes its connection and says so", () => {
  const { part, closed } = partOf();
  expect([part.dismissed, closed()]).toEqual([false, 0]);
  part.dismiss();
  expect([part.dismissed, closed()]).toEqual([true, 1]);
});
