/**
 * What is left to fetch of one file, chunk by chunk. Pure: it knows no connection and no disk; it
 * is told what was taken, what arrived and what turned out bad, and says what to take next.
 *
 * Invariant: each chunk is in exactly one state, and a byte is handed out to one taker at a time,
 * until the taker gives it back or all of its chunk has arrived.
 */
import { CHUNK_BYTES_DEFAULT } from "../wire/digest.ts";

/** What is known of a chunk. */
const CHUNK = {
  /** Wanted; the bytes of `#filled` at its start are there. */
  missing: 0,
  /** Somebody fetches the rest of it. */
  taken: 1,
  /** Every byte is there, none compared. */
  arrived: 2,
  /** An earlier run may have brought it: to be compared before it is believed. */
  kept: 3,
  /** Compared, or believed on request. */
  good: 4,
} as const;

/** Bytes of the file, from `offset` on. */
export interface FileRange {
  readonly offset: number;
  readonly length: number;
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

  /** An earlier run may have brought this chunk: it is not taken until somebody says it is bad. */
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
  unjudged(): number[] {
    return this.#in(CHUNK.arrived);
  }

  /** Bytes that nobody has taken. */
  get missing(): number {
    return this.#missing;
  }

  /**
   * The first missing bytes, at most about `most` and at least one chunk's: taken from now on. Null
   * when nothing is missing.
   */
  take(most: number): FileRange | null {
    const first = this.#firstMissing();
    if (first < 0) return null;
    const offset = first * this.chunkBytes + (this.#filled.get(first) ?? 0);
    let end = first;
    // A chunk that is partly there starts a range of its own: ranges are contiguous.
    do this.#states[end++] = CHUNK.taken;
    while (
      this.#states[end] === CHUNK.missing &&
      !this.#filled.has(end) &&
      this.#endOf(end) - offset <= most
    );
    this.#lowest = end;
    const length = this.#endOf(end - 1) - offset;
    this.#missing -= length;
    return { offset, length };
  }

  /**
   * Of `range`, which was taken, the first `before` bytes were in place, and now `after` are: gives
   * the chunks that have become whole by that.
   */
  arrive(range: FileRange, before: number, after: number): number[] {
    const whole: number[] = [];
    const end = range.offset + after;
    let index = this.chunkOf(range.offset + before);
    for (; index < this.count && this.#endOf(index) <= end; index++) {
      if (this.#states[index] !== CHUNK.taken) continue;
      this.#states[index] = CHUNK.arrived;
      this.#filled.delete(index);
      whole.push(index);
    }
    return whole;
  }

  /**
   * Of `range`, which was taken, only the first `arrived` bytes came: the rest is missing again.
   */
  giveBack(range: FileRange, arrived: number): void {
    const at = range.offset + arrived;
    const last = this.chunkOf(range.offset + range.length - 1);
    for (let index = this.chunkOf(at); index <= last; index++) {
      if (this.#states[index] !== CHUNK.taken) continue;
      const filled = at - index * this.chunkBytes;
      if (filled > 0) this.#filled.set(index, filled);
      this.#miss(index);
    }
  }

  /** The chunk is what it should be. */
  accept(index: number): void {
    if (this.#states[index] === CHUNK.good) return;
    this.#states[index] = CHUNK.good;
    this.#good += 1;
  }

  /** The chunk is not what it should be: all of it is missing again. */
  refuse(index: number): void {
    if (this.#states[index] === CHUNK.good) this.#good -= 1;
    if (this.#states[index] === CHUNK.missing) this.#missing += this.#filled.get(index) ?? 0;
    this.#filled.delete(index);
    this.#miss(index);
  }

  // --- internal ---

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
