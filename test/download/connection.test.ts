/** A connection that fetches a file: how much it is given next, and what it gives up. */
import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import type { WireClient } from "../../src/client/wireclient.ts";
import { FileConnection } from "../../src/download/connection.ts";
import { Plan, type Segment } from "../../src/download/plan.ts";

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

/** A connection that began at 0 and has asked for `segments`, and how often it was closed. */
function connectionOf(...segments: Segment[]) {
  let closed = 0;
  const connection = new FileConnection({ close: () => void closed++ } as WireClient);
  for (const segment of segments) connection.requests.push({ segment, done: Promise.resolve() });
  return { connection, closed: () => closed };
}

/** A segment of `length` bytes from `offset`, of which `written` have come. */
function segmentOf(offset: number, length: number, written = 0): Segment {
  const plan = new Plan(offset + length, MIB);
  if (offset > 0) plan.take(offset);
  const segment = plan.take(length)!;
  expect([segment.offset, segment.length]).toEqual([offset, length]);
  segment.arrive(written);
  return segment;
}

test("a segment is half a second's work, within bounds, and never more than a fair share", () => {
  const { connection } = connectionOf();
  const plenty = 1e15;
  // Nothing is known of it: little.
  expect(connection.segmentBytes(plenty, 1, 0.1)).toBe(MIB);
  connection.receive(40 * MIB);
  nowMs = 1000;
  expect(Math.round(connection.segmentBytes(plenty, 4, 0.1))).toBe(20 * MIB);
  expect(connection.segmentBytes(80 * MIB, 4, 0.1)).toBe(10 * MIB);
  expect(connection.segmentBytes(1, 4, 0.1)).toBe(MIB);
  // Alone it shares with nobody.
  expect(Math.round(connection.segmentBytes(1, 1, 0.1))).toBe(20 * MIB);
  // Two round trips' worth, however many share it.
  expect(Math.round(connection.segmentBytes(1, 4, 300))).toBe(24 * MIB);
  connection.receive(1e12);
  expect(connection.segmentBytes(plenty, 1, 0.1)).toBe(64 * MIB);
});

test("speed is that of late, and what is left is told by it", () => {
  const { connection } = connectionOf(segmentOf(0, 100 * MIB));
  expect([connection.rate, connection.remainingMs]).toEqual([0, 0]);
  nowMs = 300;
  // Of one that has brought nothing only its age is known.
  expect(connection.remainingMs).toBe(300);
  connection.receive(100_000);
  nowMs = 1000;
  expect(connection.rate).toBe(100);
  nowMs = 1400;
  connection.receive(100_000);
  expect(connection.rate).toBe(200_000 / 1400);
  nowMs = 2000;
  expect(connection.rate).toBe(100);
  nowMs = 3000;
  expect(connection.rate).toBe(0);
  expect(connection.remainingMs).toBe(Infinity);
  connection.receive(3_000_000);
  nowMs = 3100;
  expect(connection.rate).toBe(3_000_000 / 1100);
  expect(connection.remainingMs).toBe((100 * MIB * 1100) / 3_000_000);
  expect(connectionOf().connection.remainingMs).toBe(0);
});

test("what is owed is what has not come, of all segments and of no more than is their own", () => {
  const shortened = segmentOf(0, 10 * MIB, 3 * MIB);
  shortened.shorten(4 * MIB);
  shortened.arrive(2 * MIB);
  const { connection } = connectionOf(
    segmentOf(0, 8 * MIB, 3 * MIB),
    segmentOf(8 * MIB, 8 * MIB),
    shortened,
  );
  expect(connection.owed).toBe(13 * MIB);
  expect(connectionOf().connection.owed).toBe(0);
});

test("behind what is kept the rest of a segment goes, from a chunk's start on", () => {
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
    const segment = segmentOf(offset * MIB, length * MIB, written * MIB);
    const cuts = connectionOf(segment).connection.cuts(keep * MIB, CHUNK);
    const wanted = keeps === null ? [] : [{ segment, keeps: keeps * MIB }];
    expect([offset, length, written, keep, cuts]).toEqual([offset, length, written, keep, wanted]);
  }
});

test("of two segments the second goes first, and again what is still too much", () => {
  const first = segmentOf(0, 16 * MIB, MIB);
  const second = segmentOf(16 * MIB, 16 * MIB);
  const { connection } = connectionOf(first, second);
  expect(connection.cuts(40 * MIB, CHUNK)).toEqual([]);
  expect(connection.cuts(20 * MIB, CHUNK)).toEqual([{ segment: second, keeps: 8 * MIB }]);
  second.shorten(8 * MIB);
  expect(connection.cuts(15 * MIB, CHUNK)).toEqual([{ segment: second, keeps: 0 }]);
  second.shorten(0);
  expect(connection.cuts(15 * MIB, CHUNK)).toEqual([]);
  expect(connection.cuts(2 * MIB, CHUNK)).toEqual([{ segment: first, keeps: 4 * MIB }]);
  expect(connectionOf().connection.cuts(0, CHUNK)).toEqual([]);
});

test("a connection that is closed here says so", () => {
  const { connection, closed } = connectionOf();
  expect([connection.closed, closed()]).toEqual([false, 0]);
  connection.close();
  expect([connection.closed, closed()]).toEqual([true, 1]);
});
