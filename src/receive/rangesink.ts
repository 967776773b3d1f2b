/**
 * A range sink: the place in a file where one answer's bytes go, each at its own offset, so that
 * many ranges of one file may arrive at once, in any order. The range has another owner, who may
 * shorten it at any time.
 *
 * Invariant: nothing is written behind the range's end.
 */
import type { Staged } from "../destination/staged.ts";
import { type SocketToFile, MOVED } from "./splice.ts";
import type { Sink } from "./sink.ts";

/** The bytes of a file that a sink fills. */
export interface SinkRange {
  readonly offset: number;
  /**
   * Bytes that go into the file. What comes behind them is dropped: it belongs to another
   * connection by now, and may be compared already.
   */
  readonly length: number;
  /** Bytes that came: the sink tells of each piece, and this is the only count of them. */
  readonly written: number;
}

/** Takes bytes for a range of a file. */
export class RangeSink implements Sink {
  readonly #file: Staged;
  readonly #range: SinkRange;
  readonly #way: SocketToFile | null;
  readonly #arrived: (count: number) => void;

  /**
   * `way` null: bytes come by write() alone. `arrived` is called for each piece when it is in the
   * file, and adds its bytes to `range.written`.
   */
  constructor(
    file: Staged,
    range: SinkRange,
    way: SocketToFile | null,
    arrived: (count: number) => void,
  ) {
    this.#file = file;
    this.#range = range;
    this.#way = way;
    this.#arrived = arrived;
  }

  get written(): number {
    return this.#range.written;
  }

  begin(_promised: number): void {}

  write(chunk: Uint8Array): void {
    const { offset, written } = this.#range;
    this.#file.write(chunk.subarray(0, this.#room), BigInt(offset + written));
    this.#arrived(chunk.length);
  }

  /** True when bytes may be pulled. */
  get pulls(): boolean {
    return this.#way !== null;
  }

  pull(socket: number, most: number): number {
    if (this.#way === null) return MOVED.nothing;
    const room = Math.min(most, this.#room);
    // What is dropped comes by write().
    if (room <= 0) return MOVED.ended;
    const { offset, written } = this.#range;
    const moved = this.#way.move(socket, this.#file, offset + written, room);
    if (moved > 0) this.#arrived(moved);
    return moved;
  }

  end(): void {}

  // --- internal ---

  get #room(): number {
    return Math.max(0, this.#range.length - this.#range.written);
  }
}
