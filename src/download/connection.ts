/**
 * A connection that fetches a file, with the segments it has asked for, in the order in which they
 * come. It knows its speed and what it still owes, so that the pool can give work of a slow
 * connection to an idle one. It owns no byte: segments are the plan's.
 */
import type { FileClient } from "../client/fileclient.ts";
import type { Segment } from "./plan.ts";

/** A segment that was asked for. */
export interface SegmentRequest {
  readonly segment: Segment;
  /** Settles when its answer has ended. */
  readonly done: Promise<unknown>;
}

/** A segment of which `keeps` bytes should stay with the connection. */
export interface Cut {
  readonly segment: Segment;
  readonly keeps: number;
}

/** Segments asked for at once: the next one's request is under way while one arrives. */
const SEGMENTS_AHEAD = 2;

/**
 * Short segments, of chunks that are missing here and there, are asked for until so many bytes are
 * under way, or so many segments: each would take a round trip of its own otherwise.
 */
const AHEAD_BYTES = 1024 * 1024;
const SHORT_SEGMENTS_AHEAD = 32;

/** A segment has at least so many bytes, so that requests cost nothing. */
const SEGMENT_BYTES_MIN = 1024 * 1024;

/** And at most so many, so that work can be shared. */
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;

/** Milliseconds of a connection's work that one segment is meant to be. */
const SEGMENT_MS = 500;

/** Round trips that a segment must outlast: the next one's request is under way meanwhile. */
const SEGMENT_TRIPS = 2;

/** The speed is measured over the last one to two windows of this length. */
const WINDOW_MS = 500;

/**
 * So many times as fast another one must be to be given a chunk that is begun: what is under way is
 * lost.
 */
const OUTRUN = 4;

/** A point in time and what had come by then. */
interface Mark {
  readonly atMs: number;
  readonly received: number;
}

/** One connection and its requests. */
export class FileConnection {
  readonly client: FileClient;
  readonly requests: SegmentRequest[] = [];
  /** It takes no more segments and ends when it has what it was asked for. */
  draining = false;
  #closed = false;
  #received = 0;
  readonly #beganMs = performance.now();
  #older: Mark = { atMs: this.#beganMs, received: 0 };
  #newer = this.#older;

  constructor(client: FileClient) {
    this.client = client;
  }

  /** It was closed here: what fails on it now is no failure. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Closes it now: what is under way is not wanted. */
  close(): void {
    this.#closed = true;
    this.client.close();
  }

  /** Bytes that came. */
  get received(): number {
    return this.#received;
  }

  /** `count` bytes came. */
  receive(count: number): void {
    this.#received += count;
  }

  /** Bytes a millisecond, measured lately; 0 while nothing came. */
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
    return this.requests.reduce((sum, { segment }) => sum + segment.owed, 0);
  }

  /** Whether another segment should be asked for now. */
  get wantsSegment(): boolean {
    const { length } = this.requests;
    if (this.draining || length >= SHORT_SEGMENTS_AHEAD) return false;
    if (length < SEGMENTS_AHEAD) return true;
    // What was asked for, not what is owed: of long segments the last are for others to share.
    return this.requests.reduce((sum, { segment }) => sum + segment.length, 0) < AHEAD_BYTES;
  }

  /** Milliseconds until it has what it owes; 0 while it owes nothing. */
  get remainingMs(): number {
    const { owed } = this;
    if (owed === 0) return 0;
    // Of one that has brought nothing only its age is known.
    if (this.#received === 0) return performance.now() - this.#beganMs;
    return owed / Math.max(this.rate, Number.MIN_VALUE);
  }

  /** Whether `other`, which owes nothing, would have what this one owes long before it. */
  isOutrunBy(other: FileConnection): boolean {
    // Of all its time, in some of which it was idle: its rate is not less than that.
    const rate = rateSince(
      { atMs: other.#beganMs, received: 0 },
      performance.now(),
      other.received,
    );
    return this.remainingMs > (OUTRUN * this.owed) / Math.max(rate, Number.MIN_VALUE);
  }

  /**
   * Bytes that its next segment should have, when `missing` bytes wait for `connections` and a
   * round trip takes `tripMs`: few while its speed is not known.
   */
  segmentBytes(missing: number, connections: number, tripMs: number): number {
    const { rate } = this;
    const least = Math.max(SEGMENT_BYTES_MIN, rate * tripMs * SEGMENT_TRIPS);
    const share = connections > 1 ? missing / (connections * SEGMENTS_AHEAD) : Infinity;
    return Math.min(SEGMENT_BYTES_MAX, Math.max(least, Math.min(rate * SEGMENT_MS, share)));
  }

  /**
   * Where its segments should be cut so that it keeps about `keepBytes` >= 0 of what it owes;
   * whoever takes the rest begins at a multiple of `chunkBytes` in the file. Empty when too little
   * is left to share. It changes nothing.
   */
  cuts(keepBytes: number, chunkBytes: number): Cut[] {
    const cuts: Cut[] = [];
    let keep = keepBytes;
    for (const { segment } of this.requests) {
      const { offset, written, owed } = segment;
      const until = offset + written + Math.min(keep, owed);
      const aligned = Math.ceil(until / chunkBytes) * chunkBytes - offset;
      // A segment of which nothing has come goes whole: its first chunk is not begun.
      const keeps = keep <= 0 && written === 0 ? 0 : aligned;
      if (keeps < segment.length) cuts.push({ segment, keeps });
      keep -= owed;
    }
    return cuts;
  }
}

// --- internal ---

function rateSince({ atMs, received }: Mark, nowMs: number, now: number): number {
  return (now - received) / Math.max(1, nowMs - atMs);
}
