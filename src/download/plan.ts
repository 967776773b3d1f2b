/**
 * The plan of one file: what is left to fetch, chunk by chunk. The plan is pure: it knows no
 * connection and no disk. It hands out segments, is told of arrivals through them, and takes back
 * what does not come or what another connection is to fetch.
 *
 * The plan owns every byte of the file. A connection only refers to a segment of it:
 *
 *   file      | good | arrived |         taken          |    missing    |  taken   | kept |
 *   segment                    offset       written     length    requested
 *                              |== in place ==|-- owed --|~~ taken back ~~|
 *
 * `written` grows as bytes come. `length` falls when the plan takes the tail back: from then on the
 * tail is missing and may be handed out anew, and what its first connection still sends of it is
 * dropped, because the sink writes nothing behind `length`.
 *
 * Invariant: each chunk is in exactly one state, and each byte is owed by one segment at most.
 */
import { CHUNK_BYTES_DEFAULT } from "../wire/digest.ts";

/** What is known of a chunk. */
const CHUNK = {
  /** Wanted; the bytes of `#filled` at its start are in place. */
  missing: 0,
  /** A segment owes the rest of it. */
  taken: 1,
  /** Every byte is in place, none compared. */
  arrived: 2,
  /** An earlier run may have brought it: it is compared before it is believed. */
  kept: 3,
  /** Compared, or believed on request. */
  good: 4,
} as const;

/** Bytes of the file, from `offset` on. */
export interface FileRange {
  readonly offset: number;
  readonly length: number;
}

/** What a segment reports to its plan. */
interface SegmentOwner {
  /** Bytes `before` to `after` of `segment` are in place: the chunks that are whole by that. */
  arrived(segment: Segment, before: number, after: number): readonly number[];
  /** What `segment` owes from its byte `from` on is missing again. */
  returned(segment: Segment, from: number): void;
}

/** Bytes that one connection fetches, in order. Plan.take() makes it. */
export class Segment implements FileRange {
  readonly offset: number;
  /** Bytes that are asked of the server. */
  readonly requested: number;
  #length: number;
  #written = 0;
  readonly #owner: SegmentOwner;

  /** For the plan. */
  constructor(owner: SegmentOwner, { offset, length }: FileRange) {
    this.#owner = owner;
    this.offset = offset;
    this.requested = length;
    this.#length = length;
  }

  /** Bytes that are the segment's: fewer than `requested` when its tail was taken back. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that came; more than `length` when the server sent some of what was taken back. */
  get written(): number {
    return this.#written;
  }

  /** Bytes that are still to come. */
  get owed(): number {
    return Math.max(0, this.#length - this.#written);
  }

  /**
   * `count` more bytes came, and those of them within `length` are in the file: the chunks that
   * became whole by that.
   */
  arrive(count: number): readonly number[] {
    const before = this.#written;
    this.#written += count;
    const after = Math.min(this.#written, this.#length);
    return after > before ? this.#owner.arrived(this, before, after) : NO_CHUNKS;
  }

  /**
   * Leaves the segment its first `keeps` bytes, and at least those that came: the plan takes the
   * rest back. While more is to come `keeps` must end at a chunk's end, since the chunk's rest
   * would have two takers.
   */
  shorten(keeps: number): void {
    const length = Math.max(keeps, this.#written);
    if (length >= this.#length) return;
    this.#owner.returned(this, length);
    this.#length = length;
  }

  /** Nothing more comes: the plan takes back what did not. */
  release(): void {
    this.shorten(this.#written);
  }
}

/** The plan of one file of `size` bytes. */
export class Plan {
  readonly size: number;
  readonly chunkBytes: number;
  /** How many chunks: the last may be short. */
  readonly count: number;
  readonly #states: Uint8Array;
  /** Bytes in place at the start of missing and taken chunks, where there are any. */
  readonly #filled = new Map<number, number>();
  /** No chunk below it is missing. */
  #lowest = 0;
  #good = 0;
  #missing: number;
  readonly #segments: SegmentOwner = {
    arrived: (segment, before, after) => this.#arrived(segment, before, after),
    returned: (segment, from) => this.#returned(segment, from),
  };

  constructor(size: number, chunkBytes: number = CHUNK_BYTES_DEFAULT) {
    this.size = size;
    this.chunkBytes = chunkBytes;
    this.count = Math.ceil(size / chunkBytes);
    this.#states = new Uint8Array(this.count);
    this.#missing = size;
  }

  /** True when every chunk is good. */
  get complete(): boolean {
    return this.#good === this.count;
  }

  /** Where chunk `index` lies. */
  rangeOf(index: number): FileRange {
    const offset = index * this.chunkBytes;
    return { offset, length: Math.min(this.chunkBytes, this.size - offset) };
  }

  /** The chunk that holds byte `offset`. */
  chunkOf(offset: number): number {
    return Math.floor(offset / this.chunkBytes);
  }

  /** The chunks that `range`, which is not empty, touches. */
  chunksOf({ offset, length }: FileRange): number[] {
    const first = this.chunkOf(offset);
    const count = this.chunkOf(offset + length - 1) - first + 1;
    return Array.from({ length: count }, (_, nth) => first + nth);
  }

  /** An earlier run may have brought this chunk: it is not taken until refuse() says it is bad. */
  keep(index: number): void {
    if (this.#states[index] !== CHUNK.missing) return;
    this.#states[index] = CHUNK.kept;
    this.#missing -= this.#absent(index);
  }

  /** Chunks that are kept and not compared. */
  kept(): number[] {
    return this.#in(CHUNK.kept);
  }

  /** Chunks that have arrived and are not compared. */
  arrived(): number[] {
    return this.#in(CHUNK.arrived);
  }

  /** Bytes that are neither in place nor owed by a segment. */
  get missing(): number {
    return this.#missing;
  }

  /**
   * A segment of the first missing bytes, at most about `most` of them and at least one chunk's.
   * Null when nothing is missing.
   */
  take(most: number): Segment | null {
    const first = this.#firstMissing();
    if (first < 0) return null;
    const offset = first * this.chunkBytes + (this.#filled.get(first) ?? 0);
    let end = first;
    // A chunk that is partly in place starts a segment of its own: segments are contiguous.
    do this.#states[end++] = CHUNK.taken;
    while (
      this.#states[end] === CHUNK.missing &&
      !this.#filled.has(end) &&
      this.#endOf(end) - offset <= most
    );
    this.#lowest = end;
    const length = this.#endOf(end - 1) - offset;
    this.#missing -= length;
    return new Segment(this.#segments, { offset, length });
  }

  /** The chunk is what it should be. */
  accept(index: number): void {
    if (this.#states[index] === CHUNK.good) return;
    this.#states[index] = CHUNK.good;
    this.#good += 1;
  }

  /** The whole chunk is not what it should be: all of it is missing again. */
  refuse(index: number): void {
    if (this.#states[index] === CHUNK.good) this.#good -= 1;
    if (this.#states[index] === CHUNK.missing) this.#missing += this.#filled.get(index) ?? 0;
    this.#filled.delete(index);
    this.#miss(index);
  }

  // --- internal: segments ---

  #arrived({ offset }: Segment, before: number, after: number): readonly number[] {
    let whole: number[] | null = null;
    const end = offset + after;
    for (let index = this.chunkOf(offset + before); index < this.count; index++) {
      if (this.#endOf(index) > end) break;
      this.#states[index] = CHUNK.arrived;
      this.#filled.delete(index);
      whole ??= [];
      whole.push(index);
    }
    return whole ?? NO_CHUNKS;
  }

  #returned({ offset, length }: Segment, from: number): void {
    const at = offset + from;
    const last = this.chunkOf(offset + length - 1);
    for (let index = this.chunkOf(at); index <= last; index++) {
      const filled = at - index * this.chunkBytes;
      if (filled > 0) this.#filled.set(index, filled);
      this.#miss(index);
    }
  }

  // --- internal: chunks ---

  #miss(index: number): void {
    if (this.#states[index] !== CHUNK.missing) this.#missing += this.#absent(index);
    this.#states[index] = CHUNK.missing;
    this.#lowest = Math.min(this.#lowest, index);
  }

  /** Bytes of a chunk that are not in place while it is missing. */
  #absent(index: number): number {
    return this.rangeOf(index).length - (this.#filled.get(index) ?? 0);
  }

  #endOf(index: number): number {
    return Math.min(this.size, (index + 1) * this.chunkBytes);
  }

  #firstMissing(): number {
    const found = this.#states.indexOf(CHUNK.missing, this.#lowest);
    this.#lowest = found < 0 ? this.count : found;
    return found;
  }

  #in(state: number): number[] {
    const found: number[] = [];
    for (let index = this.#states.indexOf(state); index >= 0;) {
      found.push(index);
      index = this.#states.indexOf(state, index + 1);
    }
    return found;
  }
}

// --- internal ---

/** One for all: most arrivals complete no chunk. */
const NO_CHUNKS: readonly number[] = [];
