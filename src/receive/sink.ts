/**
 * Sinks: they take the bytes of an answer as they arrive, synchronously, without a promise or a
 * queue. A slow disk or a slow reader of stdout therefore slows down the reading of the socket, and
 * TCP's flow control slows down the peer.
 *
 * A sink knows no peer and no protocol. Invariant: when write() returns every byte of the chunk has
 * been written; a failure is thrown as a LocalError by the call that failed.
 */
import { LocalError, localError } from "../destination/error.ts";
import { writeFully } from "../sys/shortcount.ts";

/** `promised` of begin() when the peer does not say how much comes. */
export const UNKNOWN_LENGTH = -1;

/**
 * Takes the bytes of one answer: begin() once, write() any number of times, end() once if all came.
 */
export interface Sink {
  /** Bytes taken so far. */
  readonly written: number;
  /** `promised` bytes will come, or UNKNOWN_LENGTH. Throws LocalError when there is no room. */
  begin(promised: number): void;
  /** Takes all of `chunk`, and keeps no reference to it. Throws LocalError. */
  write(chunk: Uint8Array): void;
  /** True when pull() may be used instead of write(). */
  readonly pulls?: boolean;
  /**
   * Takes up to `most` bytes straight from the descriptor `socket`: their count, or one of MOVED
   * (splice.ts). Throws LocalError.
   */
  pull?(socket: number, most: number): number;
  /**
   * Every promised byte has been written. Not called for an answer that was cut off. Throws
   * LocalError.
   */
  end(): void;
}

/**
 * Into an open descriptor: a file, a pipe, a terminal, blocking or not. It does not close it.
 */
export class FdSink implements Sink {
  written = 0;
  readonly #fd: number;
  readonly #label: string;

  /** `label` names the descriptor in messages: "standard output", a file's printable name. */
  constructor(fd: number, label: string) {
    this.#fd = fd;
    this.#label = label;
  }

  begin(_promised: number): void {}

  write(chunk: Uint8Array): void {
    const failed = writeFully(this.#fd, chunk);
    if (failed < 0) throw localError(failed, `writing ${this.#label}`);
    this.written += chunk.length;
  }

  end(): void {}
}

/** Into memory, at most `bytesMax` bytes; more are a LocalError (E2BIG). */
export class BytesSink implements Sink {
  written = 0;
  readonly #bytesMax: number;
  #bytes = new Uint8Array(0);

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The bytes so far: a view of the sink's memory. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.written);
  }

  begin(promised: number): void {
    this.#check(promised);
    if (promised > 0) this.#bytes = new Uint8Array(promised);
  }

  write(chunk: Uint8Array): void {
    const needed = this.written + chunk.length;
    this.#check(needed);
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, needed * 2)));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.written);
    this.written = needed;
  }

  end(): void {}

  // --- internal ---

  #check(count: number): void {
    if (count <= this.#bytesMax) return;
    throw new LocalError(
      "E2BIG",
      `more than the ${this.#bytesMax} bytes that may be held in memory`,
    );
  }
}

/**
 * A small answer into memory. An answer that comes in one chunk is not copied: `bytes` is then the
 * chunk itself, whose memory it keeps alive.
 */
export class WholeSink implements Sink {
  written = 0;
  #bytes: Uint8Array = NO_BYTES;
  #promised = 0;
  readonly #bytesMax: number;

  /** Throws LocalError at begin() for more than `bytesMax`. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The answer, once it is complete. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  begin(promised: number): void {
    if (promised < 0 || promised > this.#bytesMax) {
      throw new LocalError("E2BIG", `more than the ${this.#bytesMax} bytes that were expected`);
    }
    this.#promised = promised;
  }

  write(chunk: Uint8Array): void {
    if (this.written === 0 && chunk.length === this.#promised) {
      this.#bytes = chunk;
    } else {
      if (this.written === 0) this.#bytes = new Uint8Array(this.#promised);
      this.#bytes.set(chunk, this.written);
    }
    this.written += chunk.length;
  }

  end(): void {}
}

const NO_BYTES = new Uint8Array(0);
