/** Whose turn it is among connections of one peer, and of several. */
import { expect, test } from "bun:test";
import { ROUND_MS, SHARED_ROUND_MS, type Turn, Turns } from "../../src/send/turns.ts";
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
  expect(Math.abs(one.steps - steps(many))).toBeLessThanOrEqual(1);
  const least = Math.trunc(one.steps / many.length);
  expect(least).toBeGreaterThan(100);
  expect(many.every(({ steps: each }) => each === least || each === least + 1)).toBe(true);
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
      loop.now += 1;
      tick();
      order.push(nth);
    };
    turns.add({ queued: false, peer: "only", turn });
  }
  loop.turn();
  // Two milliseconds are over.
  expect(order).toEqual([0, 1]);
  loop.turn();
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

test("the time of a round's last step does not make the next one late", () => {
  using loop = new SimulatedLoop();
  tick();
  const turns = new Turns((error) => expect.unreachable(String(error)));
  const turn = (): void => void (loop.now += 100);
  turns.add({ queued: false, peer: "only", turn });
  new Endless(turns, "only");
  loop.turn();
  expect(isLateAfter(ROUND_MS, loop, turns)).toBe(false);
  expect(isLateAfter(1, loop, turns)).toBe(true);
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

test("where several peers wait a round ends sooner, and not before each has had a step", () => {
  using loop = new SimulatedLoop();
  const turns = new Turns((error) => expect.unreachable(String(error)));
  const order: string[] = [];
  for (const peer of ["many", "many", "many", "many", "one", "two"]) {
    const turn = (): void => {
      loop.now += SHARED_ROUND_MS * 0.6;
      tick();
      order.push(peer);
    };
    turns.add({ queued: false, peer, turn });
  }
  loop.turn();
  expect(order).toEqual(["many", "one", "two"]);
  loop.turn();
  // The only peer that is left has the time of a whole round.
  expect(order.slice(3)).toEqual(["many", "many", "many"]);
});

test("short steps of several peers are done in one round, however many they are", () => {
  using loop = new SimulatedLoop();
  const turns = new Turns((error) => expect.unreachable(String(error)));
  let done = 0;
  for (let nth = 0; nth < 50; nth++) {
    turns.add({ queued: false, peer: String(nth % 2), turn: () => void (done += 1) });
  }
  loop.turn();
  expect([done, loop.immediates]).toEqual([50, 0]);
});
