/** The plan of a file against a list of what each byte is, under any course of events. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Plan, type FileRange } from "../../src/download/plan.ts";

const CHUNK = 4;

/** A taker as the model sees it: what it was given, and how much of that has come. */
interface Taker {
  readonly range: FileRange;
  came: number;
  /** Bytes that are its own: fewer when its tail was given back. */
  length: number;
}

/** The plan and, beside it, what is known of each byte. */
class Model {
  readonly plan: Plan;
  readonly size: number;
  /** By byte: the taker that fetches it. */
  readonly owner: (Taker | null)[];
  /** By byte: it is in place. */
  readonly there: boolean[];
  readonly takers: Taker[] = [];
  /** By chunk: whole and not compared, kept, good; null when bytes of it are still to come. */
  readonly chunks: ("whole" | "kept" | "good" | null)[];

  constructor(size: number) {
    this.plan = new Plan(size, CHUNK);
    this.size = size;
    this.owner = Array.from({ length: size }, () => null);
    this.there = Array.from({ length: size }, () => false);
    this.chunks = Array.from({ length: Math.ceil(size / CHUNK) }, () => null);
  }

  bytesOf(index: number): number[] {
    const first = index * CHUNK;
    return Array.from({ length: Math.min(CHUNK, this.size - first) }, (_, i) => first + i);
  }

  take(most: number): void {
    const range = this.plan.take(most);
    if (range === null) {
      expect(this.free()).toEqual([]);
      return;
    }
    expect(range.length).toBeGreaterThan(0);
    expect(range.length).toBeLessThanOrEqual(Math.max(CHUNK, most));
    // The first byte that nobody has, and nothing behind it that somebody has.
    expect(range.offset).toBe(this.free()[0]!);
    const taker = { range, came: 0, length: range.length };
    for (let at = range.offset; at < range.offset + range.length; at++) {
      expect([at, this.owner[at], this.there[at]]).toEqual([at, null, false]);
      this.owner[at] = taker;
    }
    this.takers.push(taker);
  }

  arrive(taker: Taker, count: number): void {
    const before = taker.came;
    const { offset } = taker.range;
    taker.came = Math.min(taker.length, before + count);
    for (let at = offset + before; at < offset + taker.came; at++) {
      this.there[at] = true;
      this.owner[at] = null;
    }
    const whole = this.chunks.flatMap((state, index) =>
      state === null && this.bytesOf(index).every((at) => this.there[at]) ? [index] : [],
    );
    expect(this.plan.arrive(taker.range, before, taker.came)).toEqual(whole);
    for (const index of whole) this.chunks[index] = "whole";
    if (taker.came === taker.length) this.forget(taker);
  }

  giveBack(taker: Taker): void {
    this.plan.giveBack({ ...taker.range, length: taker.length }, taker.came);
    this.release(taker, taker.came);
    this.forget(taker);
  }

  /** Its tail goes, from a chunk's start on. */
  cut(taker: Taker): void {
    const middle = taker.range.offset + (taker.came + taker.length) / 2;
    const keeps = Math.ceil(middle / CHUNK) * CHUNK - taker.range.offset;
    if (keeps >= taker.length) return;
    this.plan.giveBack({ ...taker.range, length: taker.length }, keeps);
    this.release(taker, keeps);
    taker.length = keeps;
  }

  judge(index: number, good: boolean): void {
    if ((this.chunks[index] ?? null) === null) return;
    if (good) this.plan.accept(index);
    else this.plan.refuse(index);
    this.chunks[index] = good ? "good" : null;
    if (!good) for (const at of this.bytesOf(index)) this.there[at] = false;
  }

  keep(index: number): void {
    const untouched = this.bytesOf(index).every((at) => this.owner[at] === null && !this.there[at]);
    if (index >= this.chunks.length || this.chunks[index] !== null || !untouched) return;
    this.plan.keep(index);
    this.chunks[index] = "kept";
    for (const at of this.bytesOf(index)) this.there[at] = true;
  }

  check(): void {
    const { plan } = this;
    expect(plan.missing).toBe(this.free().length);
    expect(plan.kept()).toEqual(this.of("kept"));
    expect(plan.unjudged()).toEqual(this.of("whole"));
    expect(plan.complete).toBe(this.of("good").length === this.chunks.length);
  }

  free(): number[] {
    return this.there.flatMap((there, at) => (!there && this.owner[at] === null ? [at] : []));
  }

  // --- internal ---

  private of(state: string): number[] {
    return this.chunks.flatMap((each, index) => (each === state ? [index] : []));
  }

  private release(taker: Taker, from: number): void {
    const { offset } = taker.range;
    for (let at = offset + from; at < offset + taker.length; at++) this.owner[at] = null;
  }

  private forget(taker: Taker): void {
    this.takers.splice(this.takers.indexOf(taker), 1);
  }
}

const step = fc.tuple(
  fc.constantFrom("take", "arrive", "giveBack", "cut", "accept", "refuse", "keep"),
  fc.nat({ max: 40 }),
  fc.nat({ max: 40 }),
);

test("in any course each byte has one taker at most, and none is lost", () => {
  fc.assert(
    fc.property(fc.nat({ max: 45 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
      const model = new Model(size);
      for (const [what, which, much] of steps) {
        const taker = model.takers[which % Math.max(1, model.takers.length)];
        const index = which % Math.max(1, model.chunks.length);
        if (what === "take") model.take(much);
        else if (what === "accept" || what === "refuse") model.judge(index, what === "accept");
        else if (what === "keep") model.keep(index);
        else if (taker === undefined) continue;
        else if (what === "arrive") model.arrive(taker, much);
        else model[what](taker);
        model.check();
      }
      // From any state there is an end with every byte in place.
      for (const taker of [...model.takers]) model.arrive(taker, size);
      for (const index of model.plan.kept()) model.judge(index, false);
      while (model.free().length > 0) {
        model.take(7);
        for (const taker of [...model.takers]) model.arrive(taker, size);
      }
      for (const index of model.plan.unjudged()) model.judge(index, true);
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
  expect(huge.take(2 ** 26)).toEqual({ offset: 0, length: 2 ** 26 });
  expect(huge.rangeOf(2 ** 22)).toEqual({ offset: 2 ** 44, length: 1 });
});

test("what the first taker still writes behind its cut harms nobody", () => {
  const plan = new Plan(16, CHUNK);
  const first = plan.take(16)!;
  expect(plan.arrive(first, 0, 5)).toEqual([0]);
  plan.giveBack(first, 8);
  expect(plan.missing).toBe(8);
  // Behind the cut while nobody has it: it is not believed.
  expect(plan.arrive(first, 5, 12)).toEqual([1]);
  expect(plan.missing).toBe(8);
  const second = plan.take(16)!;
  expect(second).toEqual({ offset: 8, length: 8 });
  // Into what the second has: part of a chunk is nothing, and nothing is handed out twice.
  expect(plan.arrive(first, 12, 14)).toEqual([]);
  expect(plan.take(16)).toBeNull();
  plan.giveBack({ ...first, length: 8 }, 8);
  expect(plan.missing).toBe(0);
  expect(plan.arrive(second, 0, 8)).toEqual([2, 3]);
  // Once: what is told again of a chunk that is there makes no second one.
  expect([plan.arrive(second, 0, 8), plan.arrive(first, 0, 16)]).toEqual([[], []]);
  expect(plan.unjudged()).toEqual([0, 1, 2, 3]);
});

test("what the first taker completes behind its cut is not handed out again", () => {
  const plan = new Plan(12, CHUNK);
  const first = plan.take(12)!;
  plan.giveBack(first, 4);
  const second = plan.take(12)!;
  plan.arrive(second, 0, 1);
  expect(plan.arrive(first, 0, 8)).toEqual([0, 1]);
  // The second ends in the middle of what is whole by now.
  plan.giveBack(second, 2);
  expect([plan.missing, plan.unjudged()]).toEqual([4, [0, 1]]);
  expect(plan.take(12)).toEqual({ offset: 8, length: 4 });
  // The third has what is left, whoever writes there meanwhile.
  plan.giveBack({ ...first, length: 4 }, 4);
  expect(plan.take(12)).toBeNull();
});

test("a chunk that is partly there starts a range of its own, at its first missing byte", () => {
  const plan = new Plan(16, CHUNK);
  const first = plan.take(16)!;
  plan.arrive(first, 0, 6);
  plan.giveBack(first, 6);
  expect([plan.missing, plan.take(2)]).toEqual([10, { offset: 6, length: 2 }]);
  expect([plan.take(100), plan.take(100)]).toEqual([{ offset: 8, length: 8 }, null]);
  plan.refuse(0);
  // A partly filled chunk behind a whole one is not part of its range.
  plan.giveBack({ offset: 6, length: 2 }, 1);
  expect(plan.take(100)).toEqual({ offset: 0, length: 4 });
  expect(plan.take(100)).toEqual({ offset: 7, length: 1 });
});
