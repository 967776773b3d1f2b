/**
 * Where bytes that arrive go. A sink takes them synchronously, chunk by chunk, with no promise and
 * no queue: a slow disk or a slow reader of stdout slows the receiving, and so the peer, by TCP
 * itself.
 *
 * It never knows who sends. Invariant: when write() returns, every byte of the chunk is out of our
 * hands; what can't be written is thrown as a LocalError at the very call that failed.
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
  /** `promised` bytes will come, or UNKNOWN_LENGTH. May throw LocalError: no room, refused. */
  begin(promised: number): void;
  /** Takes all of `chunk`, which stays the caller's. Throws LocalError. */
  write(chunk: Uint8Array): void;
  /** True where pull() may be used instead of write(). */
  readonly pulls?: boolean;
  /**
   * Takes up to `most` bytes straight from `socket`: how many, or one of MOVED (conduit.ts). Throws
   * LocalError.
   */
  pull?(socket: number, most: number): number;
  /**
   * Every promised byte has been written. Not called for an answer that broke off. Throws
   * LocalError.
   */
  end(): void;
}

/**
 * Bytes into a descriptor of ours: a file, a pipe, a terminal, blocking or not. It never closes it.
 */
export class FdSink implements Sink {
  written = 0;
  readonly #fd: number;
  readonly #label: string;

  /** `label` names the place in messages: "standard output", a file's printable name. */
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

/** Bytes into memory, never more than `bytesMax`. */
export class BytesSink implements Sink {
  written = 0;
  readonly #bytesMax: number;
  #bytes = new Uint8Array(0);

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What has come. A view of the sink's own memory. */
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
 * A small answer into memory, without a copy where it comes in one piece: then its bytes are those
 * of the chunk it came in, which they keep alive.
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

  /** All of it, once it is complete. */
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
