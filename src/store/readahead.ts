/**
 * Brings pages of a file into memory off the loop. sendfile(2) waits for the disk where they are
 * missing, and with it every other connection; so a transfer looks first, and waits for this.
 *
 * It reads (fs.read on Bun's thread pool) into one window that all share, because nobody looks at
 * the bytes: what counts is that the kernel has them. Bounded: so many reads at once, and one for
 * each transfer that waits; it owns no file but keeps what it reads open.
 */
import fs from "node:fs";
import type { OpenFile } from "./store.ts";

/**
 * Bytes of one read: large enough that a disk streams, small enough to be given up soon. A transfer
 * asks for no more at a time: what came in lumps of 2 MiB left in lumps, and held others up.
 */
export const PIECE_BYTES = 524_288;

/** Reads at once: the pool has few threads, and others need them too. */
export const READS_MAX = 4;

/** What all reads go into; made by the first. */
let scratch: Buffer | null = null;

/** A range on its way into memory. */
export class PendingRead {
  readonly #file: OpenFile;
  readonly #end: bigint;
  readonly #done: () => void;
  readonly #queue: Set<PendingRead>;
  #at: bigint;
  #dropped = false;

  /**
   * Retains `file` until it is over; waits in `queue` until run(). `done` is told once, off this
   * call, unless it is dropped.
   */
  constructor(
    queue: Set<PendingRead>,
    file: OpenFile,
    offset: bigint,
    length: number,
    done: () => void,
  ) {
    file.retain();
    queue.add(this);
    this.#queue = queue;
    this.#file = file;
    this.#at = offset;
    this.#end = offset + BigInt(length);
    this.#done = done;
  }

  /** Nobody waits any more: no further read is made, and one that has not begun holds nothing. */
  drop(): void {
    this.#dropped = true;
    if (this.#queue.delete(this)) this.#file.release();
  }

  /** Reads on; `over` is told when no read is under way any more. */
  run(over: () => void): void {
    const left = this.#end - this.#at;
    if (this.#dropped || left <= 0n) {
      this.#finish(over);
      return;
    }
    scratch ??= Buffer.allocUnsafeSlow(PIECE_BYTES);
    const count = left < BigInt(PIECE_BYTES) ? Number(left) : PIECE_BYTES;
    fs.read(this.#file.fd, scratch, 0, count, this.#at, (error, got) => {
      // A disk that fails, or a file that was cut, is the transfer's to meet.
      if (error !== null || got === 0) this.#finish(over);
      else {
        this.#at += BigInt(got);
        this.run(over);
      }
    });
  }

  // --- internal ---

  #finish(over: () => void): void {
    this.#file.release();
    over();
    if (!this.#dropped) this.#done();
  }
}

/** All ranges on their way, the oldest first. */
export class Readahead {
  readonly #waiting = new Set<PendingRead>();
  #running = 0;

  /** Reads under way. */
  get running(): number {
    return this.#running;
  }

  /** Brings `length` > 0 bytes of `file` from `offset` into memory, then tells `done`. */
  warm(file: OpenFile, offset: bigint, length: number, done: () => void): PendingRead {
    const warming = new PendingRead(this.#waiting, file, offset, length, done);
    this.#next();
    return warming;
  }

  // --- internal ---

  #next(): void {
    while (this.#running < READS_MAX) {
      const [warming] = this.#waiting;
      if (warming === undefined) return;
      this.#waiting.delete(warming);
      this.#running += 1;
      warming.run(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }
}

/** The program's one: the pool of threads is one as well. */
export const readahead = new Readahead();
