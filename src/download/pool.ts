/**
 * The connections that bring one file: how many there are, which range each has, and who takes work
 * from whom. It owns the parts and the clock by which their speed is looked at; it sees no byte and
 * judges nothing.
 *
 * Invariant: while something is missing, somebody works or is on the way to, or the download has
 * been told of the failure.
 */
import type { Origin } from "./origin.ts";
import { FileConnection, type Segment, SEGMENTS_AHEAD } from "./connection.ts";
import type { Plan, FileRange } from "./plan.ts";
import { passes, type Retry } from "./retry.ts";
import type { FileTally } from "./progress.ts";
import { Tuner } from "./tuner.ts";

/** How often the speed is looked at: at least, at most, and in round trips. Milliseconds. */
const LOOK_MS_MIN = 150;
const LOOK_MS_MAX = 2000;
const LOOK_TRIPS = 3;

/** A slow part's work is shared when it would take longer than this, and than as many trips. */
const SHARE_MS = 250;
const SHARE_TRIPS = 4;

/** A part that has brought nothing for so long is given up as soon as another one is idle. */
const STALLED_MS = 2000;

/** Whose file it is. */
export interface PoolOwner {
  readonly plan: Plan;
  /** Asks for `range` over the part's connection. */
  begin(part: FileConnection, range: FileRange): Segment;
  /** Trying again did not help: ClientError or LocalError. */
  failed(error: unknown): void;
}

/** The connections of one file. */
export class ConnectionPool {
  readonly #origin: Origin;
  readonly #of: PoolOwner;
  readonly #retry: Retry;
  readonly #own: FileTally;
  readonly #tuner: Tuner;
  readonly #parts = new Set<FileConnection>();
  #ended = false;
  /** Connections there should be, and those that are being opened. */
  #wanted = 1;
  #opening = 0;
  /** Parts without work wait for this; so many do. */
  #work = Promise.withResolvers<void>();
  #idle = 0;
  #timer: NodeJS.Timeout | null = null;
  #seen = 0;
  #seenMs = 0;

  constructor(origin: Origin, crewed: PoolOwner, retry: Retry, own: FileTally) {
    this.#origin = origin;
    this.#of = crewed;
    this.#retry = retry;
    this.#own = own;
    this.#tuner = new Tuner(origin.options.connections);
  }

  /** Begins with one connection, also when nothing is missing yet: a kept chunk may be bad. */
  start(): void {
    this.#seenMs = performance.now();
    this.#lookLater();
    this.#hire();
  }

  /** Something is missing again. */
  wake(): void {
    this.#work.resolve();
    this.#work = Promise.withResolvers<void>();
    this.#staff();
  }

  /** Nothing more is wanted: gives the connections back. */
  end(): void {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const part of this.#parts) this.#origin.giveBack(part.client);
    this.#parts.clear();
    this.#own.connections = 0;
    this.wake();
  }

  // --- internal: who works ---

  /** As many connections as there should be, as long as there is work that nobody has. */
  #staff(): void {
    while (!this.#ended && this.#of.plan.missing > 0 && this.#staffed < this.#wanted) this.#hire();
  }

  /** Parts that take work, and those to come. */
  get #staffed(): number {
    let count = this.#opening;
    for (const part of this.#parts) if (!part.retired) count += 1;
    return count;
  }

  #hire(): void {
    this.#opening += 1;
    this.#open()
      .finally(() => (this.#opening -= 1))
      .then((part) => (part === null ? undefined : this.#serve(part)))
      .catch((error: unknown) => {
        if (!this.#ended) this.#of.failed(error);
      });
  }

  async #open(): Promise<FileConnection | null> {
    const client = await this.#retry.reach(() => this.#origin.take());
    if (this.#ended) {
      this.#origin.giveBack(client);
      return null;
    }
    const part = new FileConnection(client);
    this.#parts.add(part);
    this.#own.connections = this.#parts.size;
    return part;
  }

  async #serve(part: FileConnection): Promise<void> {
    try {
      await this.#feed(part);
      this.#leave(part);
    } catch (error) {
      // One to come while it waits: nobody takes its place before that.
      this.#opening += 1;
      this.#leave(part);
      const expected = part.dismissed || (part.retired && passes(error));
      const waited = this.#ended || expected ? Promise.resolve() : this.#retry.after(error);
      await waited.finally(() => (this.#opening -= 1));
    }
    this.#staff();
  }

  async #feed(part: FileConnection): Promise<void> {
    while (!this.#ended) {
      while (!part.retired && part.segments.length < SEGMENTS_AHEAD) {
        const range = this.#take(part);
        if (range === null) break;
        part.segments.push(this.#of.begin(part, range));
      }
      const [unit] = part.segments;
      if (unit !== undefined) {
        await unit.done;
        part.segments.shift();
      } else if (part.retired) {
        return;
      } else if (!this.#relieve(part)) {
        this.#idle += 1;
        await this.#work.promise;
        this.#idle -= 1;
      }
    }
  }

  #take(part: FileConnection): FileRange | null {
    const { plan } = this.#of;
    return plan.take(part.portion(plan.missing, this.#staffed, this.#origin.link.tripMs));
  }

  #leave(part: FileConnection): void {
    for (const { range, sink, length } of part.segments) {
      if (sink.written < length) this.#of.plan.giveBack({ ...range, length }, sink.written);
    }
    part.segments.length = 0;
    // At the end all have been given back: twice would lend one connection to two.
    if (!this.#parts.delete(part)) return;
    this.#own.connections = this.#parts.size;
    this.#origin.giveBack(part.client);
    this.wake();
  }

  // --- internal: sharing ---

  /** Takes work for `idle` from the part that would take longest; true when there is some now. */
  #relieve(idle: FileConnection): boolean {
    const worthMs = Math.max(SHARE_MS, this.#origin.link.tripMs * SHARE_TRIPS);
    const slow = [...this.#parts].filter(({ leftMs }) => leftMs > worthMs);
    slow.sort((one, other) => other.leftMs - one.leftMs);
    if (slow.some((part) => this.#share(part, idle))) return true;
    // Under --limit-rate a connection is silent because we don't read it.
    if (this.#origin.options.patience.throttle !== undefined) return false;
    // A chunk that is under way can't be shared. What is left of it is missing when that part has
    // gone, which wakes the idle ones; long before a stall would end it.
    const stalled = slow.find(({ rate, leftMs }) => rate === 0 && leftMs > STALLED_MS);
    stalled?.dismiss();
    return false;
  }

  /** Shared by speed, so that both end at once. */
  #share(slow: FileConnection, idle: FileConnection): boolean {
    const { plan } = this.#of;
    const together = Math.max(slow.rate + idle.rate, Number.MIN_VALUE);
    const cuts = slow.cut((slow.owed * slow.rate) / together, plan.chunkBytes);
    for (const { unit, keeps } of cuts) {
      plan.giveBack({ ...unit.range, length: unit.length }, keeps);
      unit.length = keeps;
      unit.sink.limit = keeps;
      // What the server sends behind it is not wanted: the connection ends there.
      slow.retired = true;
    }
    return cuts.length > 0;
  }

  // --- internal: speed ---

  #lookLater(): void {
    const everyMs = Math.min(LOOK_MS_MAX, this.#origin.link.tripMs * LOOK_TRIPS);
    this.#timer = setTimeout(() => this.#look(), Math.max(LOOK_MS_MIN, everyMs));
  }

  #look(): void {
    const now = performance.now();
    const { received, arrived } = this.#own;
    const rate = ((received - this.#seen) * 1000) / Math.max(1, now - this.#seenMs);
    this.#seen = received;
    this.#seenMs = now;
    this.#wanted = this.#tuner.next(this.#wanted, rate, this.#of.plan.size - arrived);
    this.#retireSlowest(this.#staffed - this.#wanted);
    this.#staff();
    // Who has become slow since may be helped now.
    if (this.#idle > 0) this.wake();
    this.#lookLater();
  }

  #retireSlowest(surplus: number): void {
    if (surplus <= 0) return;
    const working = [...this.#parts].filter(({ retired }) => !retired);
    working.sort((one, other) => one.rate - other.rate);
    // One stays, whatever is being opened.
    for (const part of working.slice(0, Math.min(surplus, working.length - 1))) part.retired = true;
  }
}
