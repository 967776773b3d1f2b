/**
 * A descriptor for people to look at, written without ever waiting: a terminal that Ctrl-S stopped
 * or a pipe that nobody reads takes nothing, and the transfer goes on. What is pushed waits within
 * a bound; what is beyond it is dropped by the whole piece, so that no line and no escape sequence
 * is ever cut.
 */
import { kernel } from "../../sys/kernel.ts";
import { waitWritable } from "../../sys/poll.ts";
import { reopenTerminal, writeNow } from "../../sys/terminal.ts";

/** Bytes that wait at most: some thousand messages. */
export const WAITING_BYTES_MAX = 262_144;

/** One descriptor. */
export class NonBlockingOutput implements Disposable {
  readonly #fd: number;
  /** The descriptor is ours and to be closed. */
  readonly #own: boolean;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #dropped = 0;

  /** `fd` stays the caller's. */
  constructor(fd: number) {
    const anew = reopenTerminal(fd);
    this.#own = anew >= 0;
    this.#fd = this.#own ? anew : fd;
  }

  /** True when all that was pushed is out: only then a picture is worth drawing. */
  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  /** Pieces lost so far because nobody took them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes `piece` now or when there is room; false when it was dropped. */
  push(piece: string): boolean {
    const bytes = Buffer.from(piece);
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) this.flush();
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) {
      this.#dropped += 1;
      return false;
    }
    if (bytes.length > 0) this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.flush();
    return true;
  }

  /** Writes what is taken without waiting. */
  flush(): void {
    for (let bytes = this.#waiting[0]; bytes !== undefined; bytes = this.#waiting[0]) {
      const taken = writeNow(this.#fd, bytes);
      if (taken === 0) return;
      if (taken < 0) return this.#lose();
      this.#took(bytes, taken);
    }
  }

  /** At the end: gives a slow reader the time until `endMs`, which performance.now() will say. */
  drain(endMs: number): void {
    while (!this.idle) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0 || !waitWritable(this.#fd, Math.ceil(leftMs))) return;
      this.flush();
    }
  }

  [Symbol.dispose](): void {
    if (this.#own) kernel.close(this.#fd);
  }

  // --- internal ---

  #took(bytes: Buffer, taken: number): void {
    this.#waitingBytes -= taken;
    if (taken < bytes.length) this.#waiting[0] = bytes.subarray(taken);
    else this.#waiting.shift();
  }

  /** Nobody will ever take it: the terminal is gone, the pipe has no reader, the disk is full. */
  #lose(): void {
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
