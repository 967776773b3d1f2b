/**
 * A range of a file as the place where one answer's bytes go: each at its own offset, so that many
 * ranges of one file may arrive at once, in any order.
 */
import type { Staged } from "../destination/staged.ts";
import { type SocketToFile, MOVED } from "./splice.ts";
import type { Sink } from "./sink.ts";

/** Takes bytes for `file` from `offset` on. */
export class RangeSink implements Sink {
  written = 0;
  /**
   * Bytes that go into the file: what comes behind them belongs to another connection by now and is
   * dropped, so that nothing is written over what was compared.
   */
  limit = Infinity;
  readonly #file: Staged;
  readonly #offset: number;
  readonly #conduit: SocketToFile | null;
  readonly #arrived: (count: number) => void;

  /**
   * `conduit` null: bytes come by write() alone. `arrived` is told of each piece behind the last
   * one, when it is in the file.
   */
  constructor(
    file: Staged,
    offset: number,
    conduit: SocketToFile | null,
    arrived: (count: number) => void,
  ) {
    this.#file = file;
    this.#offset = offset;
    this.#conduit = conduit;
    this.#arrived = arrived;
  }

  begin(_promised: number): void {}

  write(chunk: Uint8Array): void {
    const mine = chunk.subarray(0, Math.max(0, this.limit - this.written));
    this.#file.write(mine, BigInt(this.#offset + this.written));
    this.#advance(chunk.length);
  }

  /** True when bytes may be pulled. */
  get pulls(): boolean {
    return this.#conduit !== null;
  }

  pull(socket: number, most: number): number {
    if (this.#conduit === null) return MOVED.nothing;
    const room = Math.min(most, this.limit - this.written);
    // What is dropped comes by write().
    if (room <= 0) return MOVED.ended;
    const moved = this.#conduit.move(socket, this.#file, this.#offset + this.written, room);
    if (moved > 0) this.#advance(moved);
    return moved;
  }

  end(): void {}

  // --- internal ---

  #advance(count: number): void {
    this.written += count;
    this.#arrived(count);
  }
}
