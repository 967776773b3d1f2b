/**
 * One connection's share of a file: the ranges it was given, in the order they come. It knows how
 * fast it is and what is left of it, so that an idle connection can take work from a slow one.
 */
import type { RangeSink } from "../receive/rangesink.ts";
import type { WireClient } from "../client/wireclient.ts";
import type { FileRange } from "./plan.ts";

/** A range under way. */
export interface Segment {
  readonly range: FileRange;
  readonly sink: RangeSink;
  /** Settles when it is over. */
  readonly done: Promise<unknown>;
  /** Bytes that are this unit's: fewer than the range when another connection took its tail. */
  length: number;
}

/** The tail of a unit that is given up: the unit keeps so many bytes. */
export interface Cut {
  readonly unit: Segment;
  readonly keeps: number;
}

/** Ranges asked for at once: the next is on its way while one arrives. */
export const SEGMENTS_AHEAD = 2;

/** A connection's range: at least so much, so that requests cost nothing. */
const SEGMENT_BYTES_MIN = 1024 * 1024;

/** And at most so much, so that work can be shared. */
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;

/** Milliseconds of a connection's work that one range is meant to be. */
const SEGMENT_MS = 500;

/** Round trips that a range must outlast: the next one's request is on its way meanwhile. */
const SEGMENT_TRIPS = 2;

/** Speed is what came since the last but one look, and looks are so far apart at least. */
const WINDOW_MS = 500;

/** A point in time and what had come by then. */
interface Mark {
  readonly atMs: number;
  readonly received: number;
}

/** One connection and its units. */
export class FileConnection {
  readonly client: WireClient;
  readonly segments: Segment[] = [];
  /** It takes no more work and ends when what it has is over. */
  retired = false;
  /** It was ended by us: what fails on it now is no failure. */
  dismissed = false;
  #received = 0;
  readonly #beganMs = performance.now();
  #older: Mark = { atMs: this.#beganMs, received: 0 };
  #newer = this.#older;

  constructor(client: WireClient) {
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

  /** Bytes a millisecond of late; 0 while nothing came. */
  get rate(): number {
    const atMs = performance.now();
    if (atMs - this.#newer.atMs >= WINDOW_MS) {
      this.#older = this.#newer;
      this.#newer = { atMs, received: this.#received };
    }
    return rateSince(this.#older, atMs, this.#received);
  }

  /** Bytes that are still to come over it. */
  get owed(): number {
    return this.segments.reduce((sum, unit) => sum + owedOf(unit), 0);
  }

  /** Milliseconds until it has what it owes; 0 while it owes nothing. */
  get leftMs(): number {
    const { owed } = this;
    if (owed === 0) return 0;
    // Of one that has brought nothing only its age is known.
    if (this.#received === 0) return performance.now() - this.#beganMs;
    return owed / Math.max(this.rate, Number.MIN_VALUE);
  }

  /**
   * Bytes that it should be given next, when `left` wait for `parts` connections and a round trip
   * takes `tripMs`: little while its speed is not known.
   */
  portion(left: number, parts: number, tripMs: number): number {
    const { rate } = this;
    const least = Math.max(SEGMENT_BYTES_MIN, rate * tripMs * SEGMENT_TRIPS);
    const share = parts > 1 ? left / (parts * SEGMENTS_AHEAD) : Infinity;
    return Math.min(SEGMENT_BYTES_MAX, Math.max(least, Math.min(rate * SEGMENT_MS, share)));
  }

  /**
   * Gives up the later part of what it owes and keeps about `keepBytes` >= 0 of it; whoever takes
   * the rest begins at a multiple of `chunkBytes` in the file. Empty when too little is left to
   * share. It only says so: shortening the units is the caller's.
   */
  cut(keepBytes: number, chunkBytes: number): Cut[] {
    const cuts: Cut[] = [];
    let keep = keepBytes;
    for (const unit of this.segments) {
      const owed = owedOf(unit);
      const { offset } = unit.range;
      const until = offset + unit.sink.written + Math.min(keep, owed);
      const keeps = Math.ceil(until / chunkBytes) * chunkBytes - offset;
      // A unit whose turn has not come goes whole: its first chunk is not begun.
      const kept = keep <= 0 && unit.sink.written === 0 ? 0 : keeps;
      if (kept < unit.length) cuts.push({ unit, keeps: kept });
      keep -= owed;
    }
    return cuts;
  }
}

// --- internal ---

function owedOf({ length, sink }: Segment): number {
  return Math.max(0, length - sink.written);
}

function rateSince({ atMs, received }: Mark, nowMs: number, now: number): number {
  return (now - received) / Math.max(1, nowMs - atMs);
}
