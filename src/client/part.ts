/**
 * One connection's share of a file: the ranges it was given, in the order they come. It knows how
 * fast it is and what is left of it, so that an idle connection can take work from a slow one.
 */
import type { RangeSink } from "../flow/rangesink.ts";
import type { Client } from "./connect.ts";
import type { Range } from "./plan.ts";

/** A range under way. */
export interface Unit {
  readonly range: Range;
  readonly sink: RangeSink;
  /** Settles when it is over. */
  readonly done: Promise<unknown>;
  /** Bytes that are this unit's: fewer than the range when another connection took its tail. */
  length: number;
}

/** Ranges asked for at once: the next is on its way while one arrives. */
export const UNITS_AHEAD = 2;

/** A connection's range: at least so much, so that requests cost nothing. */
const UNIT_BYTES_MIN = 4 * 1024 * 1024;

/** And at most so much, so that work can be shared. */
const UNIT_BYTES_MAX = 64 * 1024 * 1024;

/** What a connection gets before its speed is known. */
const UNIT_BYTES_FIRST = 16 * 1024 * 1024;

/** Milliseconds of a connection's work that one range is meant to be. */
const UNIT_MS = 1000;

/** One connection and its units. */
export class Part {
  readonly client: Client;
  readonly units: Unit[] = [];
  /** It takes no more work and ends when what it has is over. */
  retired = false;
  /** It was ended by us: what fails on it now is no failure. */
  dismissed = false;
  readonly #began = performance.now();
  #received = 0;

  constructor(client: Client) {
    this.client = client;
  }

  /** Ends it now: what is on its way is not wanted. */
  dismiss(): void {
    this.dismissed = true;
    this.client.close();
  }

  /** `count` bytes came. */
  receive(count: number): void {
    this.#received += count;
  }

  /** Bytes a millisecond since it began; 0 while nothing came. */
  get rate(): number {
    return this.#received / Math.max(1, performance.now() - this.#began);
  }

  /** Bytes that are still to come over it. */
  get owed(): number {
    return this.units.reduce(
      (sum, { length, sink }) => sum + Math.max(0, length - sink.written),
      0,
    );
  }

  /** How much it should be given next, when `left` bytes wait for `parts` connections. */
  portion(left: number, parts: number): number {
    const second = this.#received === 0 ? UNIT_BYTES_FIRST : this.rate * UNIT_MS;
    const share = left / (parts * UNITS_AHEAD);
    return Math.max(UNIT_BYTES_MIN, Math.min(UNIT_BYTES_MAX, second, share));
  }

  /**
   * Gives up the later half of what it owes, from a byte that is a multiple of `chunkBytes`: the
   * bytes it keeps of its last unit, or null when too little is left to share.
   */
  cut(chunkBytes: number): { readonly unit: Unit; readonly keeps: number } | null {
    const unit = this.units.at(-1);
    if (unit === undefined) return null;
    const { range, sink } = unit;
    const middle = range.offset + (sink.written + unit.length) / 2;
    const boundary = Math.ceil(middle / chunkBytes) * chunkBytes;
    const keeps = this.units.length > 1 && sink.written === 0 ? 0 : boundary - range.offset;
    return keeps < unit.length ? { unit, keeps } : null;
  }
}
