/** The plan of a file against a list of what each byte is, under any course of events. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Plan, type Segment } from "../../src/download/plan.ts";

const CHUNK = 4;

/** The plan and, beside it, what is known of each byte: as a list, with no arithmetic of chunks. */
class Model {
  readonly plan: Plan;
  readonly size: number;
  /** By byte: the segment that owes it. */
  readonly debtor: (Segment | null)[];
  /** By byte: it is in place. */
  readonly there: boolean[];
  /** Segments of which more may come. */
  readonly open: Segment[] = [];
  /** By chunk: whole and not compared, kept, good; null when bytes of it are still to come. */
  readonly chunks: ("whole" | "kept" | "good" | null)[];

  constructor(size: number) {
    this.plan = new Plan(size, CHUNK);
    this.size = size;
    this.debtor = Array.from({ length: size }, () => null);
    this.there = Array.from({ length: size }, () => false);
    this.chunks = Array.from({ length: Math.ceil(size / CHUNK) }, () => null);
  }

  bytesOf(index: number): number[] {
    const first = index * CHUNK;
    return Array.from({ length: Math.min(CHUNK, this.size - first) }, (_, i) => first + i);
  }

  take(most: number): void {
    const segment = this.plan.take(most);
    if (segment === null) {
      expect(this.free()).toEqual([]);
      return;
    }
    const { offset, length, requested, written } = segment;
    expect([requested, written, segment.owed]).toEqual([length, 0, length]);
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThanOrEqual(Math.max(CHUNK, most));
    // The first byte that nobody owes, and nothing behind it that somebody owes or has brought.
    expect(offset).toBe(this.free()[0]!);
    for (let at = offset; at < offset + length; at++) {
      expect([at, this.debtor[at], this.there[at]]).toEqual([at, null, false]);
      this.debtor[at] = segment;
    }
    this.open.push(segment);
  }

  /** `count` bytes come, some of them perhaps behind the segment's end: those are dropped. */
  arrive(segment: Segment, count: number): void {
    const { offset, length, requested, written } = segment;
    const after = Math.min(requested, written + count);
    for (let at = written; at < Math.min(after, length); at++) {
      expect(this.debtor[offset + at]).toBe(segment);
      this.debtor[offset + at] = null;
      this.there[offset + at] = true;
    }
    const whole = this.chunks.flatMap((state, index) =>
      state === null && this.bytesOf(index).every((at) => this.there[at]) ? [index] : [],
    );
    expect(segment.arrive(after - written)).toEqual(whole);
    expect(segment.written).toBe(after);
    for (const index of whole) this.chunks[index] = "whole";
    if (after === requested) this.close(segment);
  }

  release(segment: Segment): void {
    this.forgive(segment, segment.written);
    segment.release();
    expect(segment.owed).toBe(0);
    this.close(segment);
  }

  /** Its tail goes, from a chunk's start on; its connection may go on sending. */
  cut(segment: Segment): void {
    const { offset, length, written } = segment;
    const middle = offset + (written + length) / 2;
    const keeps = Math.ceil(middle / CHUNK) * CHUNK - offset;
    if (keeps >= length) return;
    this.forgive(segment, keeps);
    segment.shorten(keeps);
    expect([segment.length, segment.requested >= length]).toEqual([keeps, true]);
  }

  compare(index: number, good: boolean): void {
    if ((this.chunks[index] ?? null) === null) return;
    if (good) this.plan.accept(index);
    else this.plan.refuse(index);
    this.chunks[index] = good ? "good" : null;
    if (!good) for (const at of this.bytesOf(index)) this.there[at] = false;
  }

  keep(index: number): void {
    const untouched = this.bytesOf(index).every(
      (at) => this.debtor[at] === null && !this.there[at],
    );
    if (index >= this.chunks.length || this.chunks[index] !== null || !untouched) return;
    this.plan.keep(index);
    this.chunks[index] = "kept";
    for (const at of this.bytesOf(index)) this.there[at] = true;
  }

  check(): void {
    const { plan } = this;
    expect(plan.missing).toBe(this.free().length);
    expect(plan.kept()).toEqual(this.of("kept"));
    expect(plan.arrived()).toEqual(this.of("whole"));
    expect(plan.complete).toBe(this.of("good").length === this.chunks.length);
    this.checkOwners();
  }

  free(): number[] {
    return this.there.flatMap((there, at) => (!there && this.debtor[at] === null ? [at] : []));
  }

  // --- internal ---

  /** By the segments alone: no byte is owed twice or when in place, and all others are missing. */
  private checkOwners(): void {
    const owed = Array.from({ length: this.size }, () => 0);
    for (const segment of this.open) {
      const from = segment.offset + segment.written;
      for (let at = from; at < from + segment.owed; at++) owed[at]! += 1;
    }
    expect(owed).toEqual(this.debtor.map((segment) => (segment === null ? 0 : 1)));
    expect(owed.some((count, at) => count > 0 && this.there[at])).toBe(false);
    const placed = this.there.filter(Boolean).length;
    expect(placed + owed.filter((count) => count > 0).length + this.plan.missing).toBe(this.size);
  }

  private of(state: string): number[] {
    return this.chunks.flatMap((each, index) => (each === state ? [index] : []));
  }

  private forgive({ offset, length }: Segment, from: number): void {
    for (let at = offset + from; at < offset + length; at++) this.debtor[at] = null;
  }

  private close(segment: Segment): void {
    this.open.splice(this.open.indexOf(segment), 1);
  }
}

const step = fc.tuple(
  fc.constantFrom("take", "arrive", "release", "cut", "accept", "refuse", "keep"),
  fc.nat({ max: 40 }),
  fc.nat({ max: 40 }),
);

test("in any course each byte is owed by one segment at most, and none is lost", () => {
  fc.assert(
    fc.property(fc.nat({ max: 45 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
      const model = new Model(size);
      for (const [what, which, much] of steps) {
        const segment = model.open[which % Math.max(1, model.open.length)];
        const index = which % Math.max(1, model.chunks.length);
        if (what === "take") model.take(much);
        else if (what === "accept" || what === "refuse") model.compare(index, what === "accept");
        else if (what === "keep") model.keep(index);
        else if (segment === undefined) continue;
        else if (what === "arrive") model.arrive(segment, much);
        else model[what](segment);
        model.check();
      }
      // From any state there is an end with every byte in place.
      for (const segment of [...model.open]) model.arrive(segment, size);
      for (const index of model.plan.kept()) model.compare(index, false);
      while (model.free().length > 0) {
        model.take(7);
        for (const segment of [...model.open]) model.arrive(segment, size);
      }
      for (const index of model.plan.arrived()) model.compare(index, true);
      model.check();
      expect([model.plan.complete, model.plan.take(1)]).toEqual([true, null]);
    }),
    { numRuns: 300 },
  );
});

test("chunks cover files of every size, and an empty one is complete", () => {
  const ranges = [0, 1, 3, 4, 5, 8, 9].map((size) => {
    const plan = new Plan(size, CHUNK);
    return Array.from({ length: plan.count }, (_, index) => plan.rangeOf(index).length);
  });
  expect(ranges).toEqual([[], [1], [3], [4], [4, 1], [4, 4], [4, 4, 1]]);
  expect([new Plan(0, CHUNK).complete, new Plan(0, CHUNK).take(9)]).toEqual([true, null]);
  const huge = new Plan(2 ** 44 + 1);
  expect([huge.count, huge.missing]).toEqual([2 ** 22 + 1, 2 ** 44 + 1]);
  expect(huge.take(2 ** 26)).toMatchObject({ offset: 0, length: 2 ** 26 });
  expect(huge.rangeOf(2 ** 22)).toEqual({ offset: 2 ** 44, length: 1 });
});

test("what still comes behind a segment's end harms nobody", () => {
  const plan = new Plan(16, CHUNK);
  const first = plan.take(16)!;
  expect(first.arrive(5)).toEqual([0]);
  first.shorten(8);
  expect([plan.missing, first.length, first.requested, first.owed]).toEqual([8, 8, 16, 3]);
  // Behind its end while nobody owes that: only what is its own counts.
  expect(first.arrive(7)).toEqual([1]);
  expect([plan.missing, first.written, first.owed]).toEqual([8, 12, 0]);
  const second = plan.take(16)!;
  expect(second).toMatchObject({ offset: 8, length: 8 });
  // Into what the second owes: nothing becomes whole by it, and nothing is handed out twice.
  expect([first.arrive(2), plan.take(16)]).toEqual([[], null]);
  first.release();
  first.shorten(0);
  expect([plan.missing, first.length]).toEqual([0, 8]);
  expect(second.arrive(8)).toEqual([2, 3]);
  expect([second.arrive(8), first.arrive(2)]).toEqual([[], []]);
  expect(plan.arrived()).toEqual([0, 1, 2, 3]);
});

test("a segment is never shortened below what came, nor lengthened", () => {
  const plan = new Plan(12, CHUNK);
  const segment = plan.take(12)!;
  segment.arrive(5);
  segment.shorten(12);
  segment.shorten(99);
  expect([segment.length, plan.missing]).toEqual([12, 0]);
  segment.shorten(2);
  expect([segment.length, segment.owed, plan.missing]).toEqual([5, 0, 7]);
  segment.shorten(8);
  expect([segment.length, plan.take(1)]).toMatchObject([5, { offset: 5, length: 3 }]);
  // What it has given back is another's now, however often it is told to give it back.
  segment.release();
  expect([plan.missing, segment.length]).toEqual([4, 5]);
});

test("a segment that is taken back whole leaves its bytes to the next", () => {
  const plan = new Plan(12, CHUNK);
  const first = plan.take(12)!;
  first.shorten(0);
  expect([first.owed, plan.missing]).toEqual([0, 12]);
  const second = plan.take(12)!;
  expect([first.arrive(4), second.arrive(6)]).toEqual([[], [0]]);
  second.release();
  expect([plan.missing, plan.arrived()]).toEqual([6, [0]]);
  expect(plan.take(12)).toMatchObject({ offset: 6, length: 6 });
  first.release();
  expect(plan.take(12)).toBeNull();
});

test("a chunk that is partly there starts a segment of its own, at its first missing byte", () => {
  const plan = new Plan(16, CHUNK);
  const first = plan.take(16)!;
  first.arrive(6);
  first.release();
  expect(plan.missing).toBe(10);
  const second = plan.take(2)!;
  expect(second).toMatchObject({ offset: 6, length: 2 });
  expect(plan.take(100)).toMatchObject({ offset: 8, length: 8 });
  expect(plan.take(100)).toBeNull();
  plan.refuse(0);
  // A partly filled chunk behind a whole one is not part of its segment.
  second.arrive(1);
  second.release();
  expect(plan.take(100)).toMatchObject({ offset: 0, length: 4 });
  expect(plan.take(100)).toMatchObject({ offset: 7, length: 1 });
});

test.each<[offset: number, length: number, chunks: number[]]>([
  [0, 1, [0]],
  [0, 4, [0]],
  [0, 5, [0, 1]],
  [3, 1, [0]],
  [3, 2, [0, 1]],
  [4, 4, [1]],
  [2, 8, [0, 1, 2]],
])("the range at %d of %d bytes touches the chunks %j", (offset, length, chunks) => {
  expect(new Plan(12, CHUNK).chunksOf({ offset, length })).toEqual(chunks);
});

test("a chunk that is refused while it is partly in place is missing as a whole", () => {
  const plan = new Plan(8, CHUNK);
  const segment = plan.take(8)!;
  segment.arrive(2);
  segment.release();
  expect(plan.missing).toBe(6);
  plan.refuse(0);
  expect(plan.missing).toBe(8);
  expect(plan.take(4)).toMatchObject({ offset: 0, length: 4 });
});

test("a chunk that was never begun and is refused is missing once", () => {
  const plan = new Plan(8, CHUNK);
  plan.refuse(1);
  expect(plan.missing).toBe(8);
});

test("more than a whole file is not its last chunk again", () => {
  const plan = new Plan(6, CHUNK);
  const segment = plan.take(6)!;
  expect(segment.arrive(6)).toEqual([0, 1]);
  plan.accept(1);
  expect([segment.arrive(1), plan.arrived()]).toEqual([[], [0]]);
});

test("a chunk given back whole is no segment of its own", () => {
  const plan = new Plan(16, CHUNK);
  const segment = plan.take(16)!;
  expect(segment.arrive(4)).toEqual([0]);
  segment.release();
  plan.refuse(0);
  expect(plan.take(16)).toMatchObject({ offset: 0, length: 16 });
});
