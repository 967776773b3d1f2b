/**
 * The pool of connections that bring one file from one server: how many there are, which segment
 * each fetches, and when work moves from a slow one to an idle one. It owns the connections and the
 * timer by which their speed is measured; it sees no byte and compares nothing. The pools of all
 * sources of a file have one plan, and an idle connection helps the slowest of any of them.
 *
 * Invariant: while something is missing, a connection fetches or is being opened, or the download
 * has been told of the failure.
 */
import type { Origin } from "./origin.ts";
import { FileConnection } from "./connection.ts";
import type { Plan, Segment } from "./plan.ts";
import { passes, type Retry } from "./retry.ts";
import type { FileCounter } from "./progress.ts";
import { Tuner } from "./tuner.ts";

/** How often the speed is measured: at least, at most, and in round trips. Milliseconds. */
const MEASURE_MS_MIN = 150;
const MEASURE_MS_MAX = 2000;
const MEASURE_TRIPS = 3;

/** A slow connection's work is shared when it would take longer than this, and so many trips. */
const SHARE_MS = 250;
const SHARE_TRIPS = 4;

/**
 * A connection that has brought nothing for so long, or would go on for longer where one of another
 * server is far faster, is closed as soon as that other one is idle.
 */
const STALLED_MS = 2000;

/** Whose file it is. */
export interface PoolOwner {
  readonly plan: Plan;
  /** The pools of all sources of the file, this one among them. */
  readonly pools: readonly ConnectionPool[];
  /** Asks for `segment` over `connection`; settles when the answer has ended. */
  request(connection: FileConnection, segment: Segment): Promise<unknown>;
  /** Trying again did not help: ClientError or LocalError. */
  failed(error: unknown): void;
}

/** The connections of one file. */
export class ConnectionPool {
  readonly #origin: Origin;
  readonly #owner: PoolOwner;
  readonly #retry: Retry;
  readonly #file: FileCounter;
  readonly #tuner: Tuner;
  readonly #connections = new Set<FileConnection>();
  #ended = false;
  /** Connections there should be, and those that are being opened or wait for another try. */
  #wanted = 1;
  #opening = 0;
  /** Connections without a segment wait for this; so many do. */
  #work = Promise.withResolvers<void>();
  #idle = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Bytes that came over connections that are gone. */
  #before = 0;
  /** The last measurement: bytes received by then, and when. */
  #measured = 0;
  #measuredMs = 0;

  constructor(origin: Origin, owner: PoolOwner, retry: Retry, file: FileCounter) {
    this.#origin = origin;
    this.#owner = owner;
    this.#retry = retry;
    this.#file = file;
    this.#tuner = new Tuner(origin.options.connections);
  }

  /** Opens the first connection, also when nothing is missing yet: a kept chunk may be bad. */
  start(): void {
    this.#measuredMs = performance.now();
    this.#measureLater();
    this.#add();
  }

  /** Bytes that have come over its connections. */
  get received(): number {
    let sum = this.#before;
    for (const { received } of this.#connections) sum += received;
    return sum;
  }

  /** Something is missing again. */
  notify(): void {
    this.#work.resolve();
    this.#work = Promise.withResolvers<void>();
    this.#addWanted();
  }

  /** Nothing of this server is wanted any more: what its connections owe is missing again. */
  drop(): void {
    for (const { requests } of this.#connections) {
      for (const { segment } of requests) segment.release();
    }
    this.end();
  }

  /** Nothing more is wanted: gives the connections back. */
  end(): void {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const connection of this.#connections) this.#let(connection);
    this.notify();
  }

  // --- internal: connections ---

  /** Opens connections up to the number wanted, as long as something is missing. */
  #addWanted(): void {
    while (!this.#ended && this.#owner.plan.missing > 0 && this.#active < this.#wanted) this.#add();
  }

  /** Connections that take segments, and those that are being opened. */
  get #active(): number {
    let count = this.#opening;
    for (const { draining } of this.#connections) if (!draining) count += 1;
    return count;
  }

  #add(): void {
    this.#opening += 1;
    this.#open()
      .finally(() => (this.#opening -= 1))
      .then((connection) => (connection === null ? undefined : this.#use(connection)))
      .catch((error: unknown) => {
        if (!this.#ended) this.#owner.failed(error);
      });
  }

  async #open(): Promise<FileConnection | null> {
    const client = await this.#retry.reach(() => this.#origin.take());
    if (this.#ended) {
      this.#origin.giveBack(client);
      return null;
    }
    const connection = new FileConnection(client);
    this.#connections.add(connection);
    this.#file.connections += 1;
    return connection;
  }

  async #use(connection: FileConnection): Promise<void> {
    try {
      await this.#fetch(connection);
      this.#remove(connection);
    } catch (error) {
      // The next connection counts while the wait lasts: none is opened in its place before.
      this.#opening += 1;
      this.#remove(connection);
      const expected = connection.closed || (connection.draining && passes(error));
      const waited = this.#ended || expected ? Promise.resolve() : this.#retry.after(error);
      await waited.finally(() => (this.#opening -= 1));
    }
    this.#addWanted();
  }

  async #fetch(connection: FileConnection): Promise<void> {
    while (!this.#ended) {
      while (connection.wantsSegment) {
        const segment = this.#take(connection);
        if (segment === null) break;
        const done = this.#owner.request(connection, segment);
        connection.requests.push({ segment, done });
      }
      const [request] = connection.requests;
      if (request !== undefined) {
        await request.done;
        connection.requests.shift();
      } else if (connection.draining) {
        return;
      } else if (!this.#shareWith(connection)) {
        this.#idle += 1;
        await this.#work.promise;
        this.#idle -= 1;
      }
    }
  }

  #take(connection: FileConnection): Segment | null {
    const { plan } = this.#owner;
    const { tripMs } = this.#origin.control;
    const active = this.#owner.pools.reduce((sum, pool) => sum + pool.#active, 0);
    return plan.take(connection.segmentBytes(plan.missing, active, tripMs));
  }

  #remove(connection: FileConnection): void {
    for (const { segment } of connection.requests) segment.release();
    connection.requests.length = 0;
    // end() has given all connections back: twice would lend one connection to two users.
    if (!this.#connections.has(connection)) return;
    this.#let(connection);
    for (const pool of this.#owner.pools) pool.notify();
  }

  #let(connection: FileConnection): void {
    this.#connections.delete(connection);
    this.#before += connection.received;
    this.#file.connections -= 1;
    this.#origin.giveBack(connection.client);
  }

  // --- internal: sharing ---

  /** Moves work of the slowest connection to `idle`; true when something is missing now. */
  #shareWith(idle: FileConnection): boolean {
    const worthMs = Math.max(SHARE_MS, this.#origin.control.tripMs * SHARE_TRIPS);
    const all = this.#owner.pools.flatMap((pool) => [...pool.#connections]);
    const slow = all.filter(({ remainingMs }) => remainingMs > worthMs);
    slow.sort((one, other) => other.remainingMs - one.remainingMs);
    if (slow.some((connection) => this.#share(connection, idle))) return true;
    // Under a rate limit a connection is silent because it is not read.
    if (this.#origin.options.connection.throttle !== undefined) return false;
    // A chunk that is begun can't be shared. When its connection is closed the rest of it is
    // missing, which notifies the idle ones: long before the stall timeout would end it.
    const late = slow.filter(({ remainingMs }) => remainingMs > STALLED_MS);
    late.find((connection) => this.#holdsUp(connection, idle))?.close();
    return false;
  }

  /** Whether `slow`, which has a chunk begun, is to leave the rest of it to `idle`. */
  #holdsUp(slow: FileConnection, idle: FileConnection): boolean {
    // Of one server all connections are slow at times; another server may be so for good.
    return slow.rate === 0 || (!this.#connections.has(slow) && slow.isOutrunBy(idle));
  }

  /** Shares by speed, so that both end at once. */
  #share(slow: FileConnection, idle: FileConnection): boolean {
    const together = Math.max(slow.rate + idle.rate, Number.MIN_VALUE);
    const keepBytes = (slow.owed * slow.rate) / together;
    const cuts = slow.cuts(keepBytes, this.#owner.plan.chunkBytes);
    for (const { segment, keeps } of cuts) segment.shorten(keeps);
    // The server sends the rest of the segment all the same: the connection ends before it.
    if (cuts.length > 0) slow.draining = true;
    return cuts.length > 0;
  }

  // --- internal: speed ---

  #measureLater(): void {
    const everyMs = Math.min(MEASURE_MS_MAX, this.#origin.control.tripMs * MEASURE_TRIPS);
    this.#timer = setTimeout(() => this.#measure(), Math.max(MEASURE_MS_MIN, everyMs));
  }

  #measure(): void {
    const now = performance.now();
    const { received } = this;
    const { arrived } = this.#file;
    const rate = ((received - this.#measured) * 1000) / Math.max(1, now - this.#measuredMs);
    this.#measured = received;
    this.#measuredMs = now;
    this.#wanted = this.#tuner.next(this.#wanted, rate, this.#owner.plan.size - arrived);
    this.#drainSlowest(this.#active - this.#wanted);
    this.#addWanted();
    // A connection that has become slow since may be helped now.
    if (this.#idle > 0) this.notify();
    this.#measureLater();
  }

  #drainSlowest(surplus: number): void {
    if (surplus <= 0) return;
    const fetching = [...this.#connections].filter(({ draining }) => !draining);
    fetching.sort((one, other) => one.rate - other.rate);
    // One stays, whatever is being opened.
    const most = Math.min(surplus, fetching.length - 1);
    for (const connection of fetching.slice(0, most)) connection.draining = true;
  }
}
