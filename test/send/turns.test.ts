/** Whose turn it is among connections of one peer, and of several. */
import { expect, test } from "bun:test";
import { ROUND_MS, type Turn, Turns } from "../../src/send/turns.ts";
import { tick } from "../../src/sys/clock.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";

/** A connection that always has more to send. */
class Endless implements Turn {
  queued = false;
  steps = 0;
  readonly peer: string;
  readonly #turns: Turns;

  constructor(turns: Turns, peer: string) {
    this.#turns = turns;
    this.peer = peer;
    turns.add(this);
  }

  turn(): void {
    this.steps += 1;
    this.#turns.add(this);
  }
}

/** Whether a round is late when `ms` more have passed. */
function isLateAfter(ms: number, loop: SimulatedLoop, turns: Turns): boolean {
  loop.now += ms;
  tick();
  return turns.late;
}

const steps = (all: readonly Endless[]): number => all.reduce((sum, one) => sum + one.steps, 0);

test("connections of one peer have a step each in a round", () => {
  using loop = new SimulatedLoop();
  const turns = new Turns((error) => expect.unreachable(String(error)));
  const all = Array.from({ length: 5 }, () => new Endless(turns, "only"));
  for (let round = 0; round < 7; round++) loop.turn();
  expect(all.map((one) => one.steps)).toEqual([7, 7, 7, 7, 7]);
});

test("a hundred connections of one peer get as much as one of another, and equal parts of it", () => {
  using loop = new SimulatedLoop();
  const turns = new Turns((error) => expect.unreachable(String(error)));
  const many = Array.from({ length: 100 }, () => new Endless(turns, "many"));
  const one = new Endless(turns, "one");
  for (let round = 0; round < 300; round++) loop.turn();
  expect([one.steps, steps(many)]).toEqual([300, 300]);
  expect(many.every(({ steps: each }) => each === 3)).toBe(true);
});

test("a turn that throws costs the others nothing", () => {
  using loop = new SimulatedLoop();
  const errors: unknown[] = [];
  const turns = new Turns((error) => errors.push(error));
  const broken: Turn = {
    ...{ queued: false, peer: "broken" },
    turn: () => {
      throw new Error("broken");
    },
  };
  turns.add(broken);
  const good = new Endless(turns, "good");
  loop.turn();
  loop.turn();
  expect([errors.length, good.steps > 0, broken.queued]).toEqual([1, true, false]);
});

test("a round ends when its time is over, and the next goes on where it ended", () => {
  using loop = new SimulatedLoop();
  const turns = new Turns((error) => expect.unreachable(String(error)));
  const order: number[] = [];
  for (let nth = 0; nth < 5; nth++) {
    const turn = (): void => {
      tick();
      loop.now += ROUND_MS * 0.6;
      order.push(nth);
    };
    turns.add({ queued: false, peer: "only", turn });
  }
  loop.turn();
  expect(order).toEqual([0, 1, 2]);
  loop.turn();
  expect([order, loop.immediates]).toEqual([[0, 1, 2, 3, 4], 0]);
});

test("a round that is due and was kept waiting is late; where none is due nothing is", () => {
  using loop = new SimulatedLoop();
  tick();
  const turns = new Turns((error) => expect.unreachable(String(error)));
  const lateAfter = (ms: number): boolean => isLateAfter(ms, loop, turns);
  expect(lateAfter(100)).toBe(false);
  new Endless(turns, "only");
  expect([lateAfter(ROUND_MS), lateAfter(1)]).toEqual([false, true]);
  loop.turn();
  expect([turns.late, lateAfter(ROUND_MS + 1)]).toEqual([false, true]);
});

test("what long work is watched for is late after a round's time, but never in a round", () => {
  using loop = new SimulatedLoop();
  tick();
  const turns = new Turns((error) => expect.unreachable(String(error)));
  const lateAfter = (ms: number): boolean => isLateAfter(ms, loop, turns);
  turns.watch();
  expect([lateAfter(ROUND_MS), lateAfter(1), loop.immediates]).toEqual([false, true, 1]);
  loop.turn();
  expect([lateAfter(100), loop.immediates]).toEqual([false, 0]);
  const seen: boolean[] = [];
  const turn = (): void => {
    turns.watch();
    seen.push(lateAfter(ROUND_MS + 1));
  };
  turns.add({ queued: false, peer: "only", turn });
  loop.turn();
  expect([seen, turns.late, loop.immediates]).toEqual([[false], false, 0]);
});
