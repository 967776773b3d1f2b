/**
 * The pool of one file: how many connections it opens, and what becomes of the work of slow and of
 * silent ones. Connections and time are the test's.
 */
import { expect, test } from "bun:test";
import type { WireClient } from "../../src/client/wireclient.ts";
import { ConnectionPool } from "../../src/download/pool.ts";
import { incompleteError } from "../../src/client/error.ts";
import type { Origin } from "../../src/download/origin.ts";
import type { FileConnection } from "../../src/download/connection.ts";
import { Plan, type Segment } from "../../src/download/plan.ts";
import { Retry } from "../../src/download/retry.ts";
import { FileCounter, Progress } from "../../src/download/progress.ts";
import type { Order } from "../../src/download/order.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const CHUNK = 256 * KIB;
const STEP_MS = 10;

/** A connection as the pool sees it, with the speed that the test gives it. */
class Line {
  readonly client: WireClient;
  closed = false;
  lent = true;
  /** Bytes that it may bring and has not: they come by the KiB. */
  credit = 0;
  /** Which server it leads to. */
  readonly source: number;
  readonly requests: {
    segment: Segment;
    connection: FileConnection;
    fail: (error: unknown) => void;
    over: () => void;
  }[] = [];

  constructor(source: number) {
    this.source = source;
    const close = (): void => {
      this.closed = true;
      for (const { fail } of this.requests) fail(new Error("closed"));
    };
    this.client = { close } as WireClient;
  }
}

/**
 * A file of `size` bytes on `sources` servers; the n-th connection of all brings `speedOf(n)` bytes
 * a millisecond.
 */
class Stage implements Disposable {
  readonly loop = new SimulatedLoop();
  readonly plan: Plan;
  /** One for each server. */
  readonly pools: ConnectionPool[] = [];
  readonly lines: Line[] = [];
  readonly failures: unknown[] = [];
  waits = 0;
  readonly file: FileCounter;
  speedOf: (nth: number) => number;
  /** By byte of the file: by which connection it came, or nothing. */
  readonly brought = new Map<number, number>();

  constructor(
    size: number,
    connections: number,
    speedOf: (nth: number) => number,
    { retries = 0, sources = 1, tripMs = 50 } = {},
  ) {
    this.plan = new Plan(size, CHUNK);
    const order = { file: { entry: { size: BigInt(size) } } } as Order;
    this.file = new FileCounter(new Progress(), order);
    this.speedOf = speedOf;
    const take = async (source: number): Promise<WireClient> => {
      const line = new Line(source);
      this.lines.push(line);
      return line.client;
    };
    const giveBack = (client: WireClient): void => {
      const line = this.#lineOf(client);
      expect(line.lent).toBe(true);
      line.lent = false;
    };
    const options = { connections, connection: {} };
    const request = (by: FileConnection, segment: Segment) => this.#request(by, segment);
    const failed = (error: unknown): void => void this.failures.push(error);
    const owner = { plan: this.plan, pools: this.pools, request, failed };
    for (let source = 0; source < sources; source++) {
      const from = { options, control: { tripMs }, take: () => take(source), giveBack };
      const retry = new Retry(retries, () => (this.waits += 1));
      this.pools.push(new ConnectionPool(from as unknown as Origin, owner, retry, this.file));
    }
    for (const pool of this.pools) pool.start();
  }

  /** Lets `ms` pass, in steps, until the file is complete: the milliseconds it took. */
  async run(ms: number): Promise<number> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      if (this.plan.complete) return passed;
      await settled();
      for (const [nth, line] of this.lines.entries()) this.#bring(line, nth);
      await settled();
      this.loop.pass(STEP_MS);
    }
    return ms;
  }

  get working(): number {
    return this.#working().length;
  }

  /** What connection `nth` gets of a server that gives `most` bytes a millisecond to all of its. */
  shareOf(most: number, nth: number): number {
    const { source } = this.lines[nth]!;
    return most / this.#working().filter((line) => line.source === source).length;
  }

  [Symbol.dispose](): void {
    for (const pool of this.pools) pool.end();
    this.loop[Symbol.dispose]();
  }

  // --- internal ---

  /** Connections that bring something or could. */
  #working(): Line[] {
    return this.lines.filter(({ lent, closed }) => lent && !closed);
  }

  #lineOf(client: FileConnection["client"]): Line {
    return this.lines.find((line) => line.client === client)!;
  }

  #request(connection: FileConnection, segment: Segment): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    const request = { segment, connection, fail: reject, over: resolve };
    this.#lineOf(connection.client).requests.push(request);
    return promise;
  }

  /** What comes over a line in a step, as a download takes it. */
  #bring(line: Line, nth: number): void {
    line.credit += this.speedOf(nth) * STEP_MS;
    let room = Math.floor(line.credit / KIB) * KIB;
    line.credit -= room;
    while (room > 0 && line.requests.length > 0 && !line.closed) {
      const { segment, connection, over } = line.requests[0]!;
      const { written: before, owed } = segment;
      const count = Math.min(room, segment.requested - before);
      room -= count;
      const whole = segment.arrive(count);
      connection.receive(count);
      this.file.receive(count);
      this.file.place(owed - segment.owed);
      for (let at = before; at < Math.min(segment.written, segment.length); at += KIB) {
        expect(this.brought.has(segment.offset + at)).toBe(false);
        this.brought.set(segment.offset + at, nth);
      }
      for (const index of whole) this.plan.accept(index);
      if (segment.owed === 0 && segment.length < segment.requested) connection.close();
      else if (segment.written === segment.requested) {
        line.requests.shift();
        over();
      }
    }
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

test("where each connection adds its speed there are as many as may be, and they end together", async () => {
  using stage = new Stage(64 * MIB, 8, () => 1024);
  // Alone it would take 64 s, by eight from the start 8 s.
  const took = await stage.run(64_000);
  expect(stage.lines.length).toBe(8);
  expect(took).toBeGreaterThan(8000);
  expect(took).toBeLessThan(11_000);
  expect([stage.brought.size, stage.failures]).toEqual([64 * KIB, []]);
});

test("where one fills the line, the others go again", async () => {
  using stage = new Stage(64 * MIB, 8, () => 8192 / Math.max(1, stage.working));
  await stage.run(2000);
  expect([stage.lines.length, stage.working]).toEqual([2, 1]);
  expect(await stage.run(20_000)).toBeLessThan(9000);
});

test("the work of a slow one is shared again and again: nobody waits for it at the end", async () => {
  // The third brings a fiftieth of what the others do.
  using stage = new Stage(32 * MIB, 4, (nth) => (nth === 2 ? 20 * KIB : MIB) / 1000);
  const took = await stage.run(200_000);
  expect(took).toBeLessThan(16_000);
  expect(new Set(stage.brought.values())).toContain(2);
  expect([stage.brought.size, stage.failures]).toEqual([32 * KIB, []]);
});

test("one that falls silent is given up when another is idle, long before a stall would end it", async () => {
  using stage = new Stage(32 * MIB, 4, () => MIB / 1000);
  await stage.run(4000);
  expect(stage.working).toBe(4);
  // It stops in the middle of a chunk.
  stage.speedOf = (nth) => (nth === 1 ? 0 : MIB / 1000);
  const took = await stage.run(60_000);
  expect(took).toBeLessThan(12_000);
  expect(stage.lines[1]?.closed).toBe(true);
  expect([stage.brought.size, stage.failures]).toEqual([32 * KIB, []]);
});

test("a connection that ends is replaced, and what it owed comes once", async () => {
  using stage = new Stage(16 * MIB, 1, () => MIB / 1000);
  await stage.run(3050);
  const [first] = stage.lines;
  // As when the pool drains it, and then its end: somebody must take the work.
  first!.requests[0]!.connection.draining = true;
  await stage.run(30_000);
  expect(stage.plan.complete).toBe(true);
  expect(stage.lines.length).toBe(2);
  expect([stage.brought.size, stage.failures]).toEqual([16 * KIB, []]);
});

test("all connections that are lost at once are one loss, and all come back", async () => {
  using stage = new Stage(64 * MIB, 8, () => MIB / 1000, { retries: 1 });
  await stage.run(4000);
  expect(stage.working).toBe(8);
  for (const line of stage.lines) {
    line.closed = true;
    for (const { fail } of line.requests) fail(incompleteError("lost", false));
  }
  // The pause is at least 125 ms, and nobody comes back before.
  await stage.run(120);
  expect(stage.lines.length).toBe(8);
  expect(await stage.run(60_000)).toBeLessThan(12_000);
  expect([stage.waits, stage.failures]).toEqual([1, []]);
  expect([stage.brought.size, stage.lines.length]).toEqual([64 * KIB, 16]);
});

test("what is refused after all were idle is taken again", async () => {
  using stage = new Stage(2 * MIB, 2, () => MIB / 1000);
  await stage.run(30_000);
  expect(stage.plan.complete).toBe(true);
  stage.plan.refuse(3);
  for (let at = 3 * CHUNK; at < 4 * CHUNK; at += KIB) stage.brought.delete(at);
  stage.pools[0]?.notify();
  await stage.run(5000);
  expect(stage.plan.complete).toBe(true);
});

test("at the end each connection is given back once", async () => {
  using stage = new Stage(64 * MIB, 4, () => 100);
  await stage.run(2000);
  expect(stage.working).toBeGreaterThan(1);
  stage.pools[0]?.end();
  await settled();
  expect(stage.lines.map(({ lent }) => lent)).toEqual(stage.lines.map(() => false));
  expect(stage.failures).toEqual([]);
});

/** Bytes a millisecond of which a chunk takes as long as one of 4 MiB at 100 MB/s. */
const BOUND = 6400;

/** Milliseconds for 128 MiB from servers of `bounds` bytes a millisecond each. */
async function tookFrom(...bounds: readonly number[]): Promise<number> {
  const speedOf = (nth: number): number => stage.shareOf(bounds[stage.lines[nth]!.source]!, nth);
  using stage = new Stage(128 * MIB, 4, speedOf, { sources: bounds.length, tripMs: 1 });
  const took = await stage.run(100_000);
  expect([stage.brought.size, stage.failures]).toEqual([128 * KIB, []]);
  // From each as much as it can give, of equal and of unequal ones.
  const sum = bounds.reduce((all, bound) => all + bound, 0);
  for (const [source, bound] of bounds.entries()) {
    const received = stage.pools[source]!.received / (128 * MIB);
    expect(Math.abs(received - bound / sum)).toBeLessThan(0.05);
  }
  return took;
}

test("servers add up: two of 100 MB/s give more than 190, and a slow third holds nobody up", async () => {
  const one = await tookFrom(BOUND);
  expect(one / (await tookFrom(BOUND, BOUND))).toBeGreaterThan(1.9);
  expect(one / (await tookFrom(BOUND, BOUND, BOUND / 10))).toBeGreaterThan(1.95);
});

test("of a server that is dropped what it owed comes from the other, and once", async () => {
  using stage = new Stage(32 * MIB, 2, () => MIB / 1000, { sources: 2 });
  await stage.run(4000);
  const lost = stage.pools[1]!;
  const before = lost.received;
  expect(before).toBeGreaterThan(0);
  const { missing } = stage.plan;
  lost.drop();
  expect(stage.plan.missing).toBeGreaterThan(missing);
  for (const pool of stage.pools) pool.notify();
  expect(await stage.run(60_000)).toBeLessThan(20_000);
  expect([stage.plan.complete, lost.received, stage.brought.size]).toEqual([
    true,
    before,
    32 * KIB,
  ]);
});
