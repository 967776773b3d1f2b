/**
 * NonBlockingOutput: stderr for a person or a program that follows, written without ever waiting. A
 * terminal stopped by Ctrl-S, or a pipe that nobody reads, takes nothing, and the transfer goes on.
 *
 * It owns a bounded buffer. What does not fit is dropped by whole pieces, so that no line and no
 * escape sequence is cut. TextOutput (text.ts) and ContentOutput (content.ts) are stdout, and wait.
 */
import { kernel } from "../../sys/kernel.ts";
import { waitWritable } from "../../sys/poll.ts";
import { reopenNonBlocking, writeNow } from "../../sys/terminal.ts";

/** Most bytes in the buffer: some thousand messages. */
export const PENDING_BYTES_MAX = 262_144;

/** One descriptor. */
export class NonBlockingOutput implements Disposable {
  readonly #fd: number;
  /** The descriptor was opened here and is to be closed here. */
  readonly #own: boolean;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #dropped = 0;

  /** `fd` stays the caller's. */
  constructor(fd: number) {
    const anew = reopenNonBlocking(fd);
    this.#own = anew >= 0;
    this.#fd = this.#own ? anew : fd;
  }

  /** True when everything pushed has been written. */
  get idle(): boolean {
    return this.#pending.length === 0;
  }

  /** Pieces dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes `piece` now or later; false when it was dropped. */
  push(piece: string): boolean {
    const bytes = Buffer.from(piece);
    if (this.#pendingBytes + bytes.length > PENDING_BYTES_MAX) this.flush();
    if (this.#pendingBytes + bytes.length > PENDING_BYTES_MAX) {
      this.#dropped += 1;
      return false;
    }
    if (bytes.length > 0) this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.flush();
    return true;
  }

  /** Writes as much as the descriptor takes without waiting. */
  flush(): void {
    for (let bytes = this.#pending[0]; bytes !== undefined; bytes = this.#pending[0]) {
      const taken = writeNow(this.#fd, bytes);
      if (taken === 0) return;
      if (taken < 0) return this.#dropAll();
      this.#took(bytes, taken);
    }
  }

  /** Waits for a slow reader until `endMs` of performance.now() at the latest: for the end. */
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
    this.#pendingBytes -= taken;
    if (taken < bytes.length) this.#pending[0] = bytes.subarray(taken);
    else this.#pending.shift();
  }

  /** The descriptor will never take it: terminal gone, pipe without a reader, disk full. */
  #dropAll(): void {
    this.#dropped += this.#pending.length;
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
