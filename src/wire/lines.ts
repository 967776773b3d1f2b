/**
 * Bytes in, lines out, at any split. It owns the bytes that have come and have not been read, never
 * more than one chunk and one unfinished line. A line that is too long is a sticky state, not an
 * exception: the owner reads it and hangs up.
 */
import { LINE_BYTES_MAX } from "./vocabulary.ts";
import type { ByteString } from "./bytes.ts";

const LF = 10;
const CR = "\r";

/** Cuts a stream of bytes into lines of at most `lineBytesMax` bytes. */
export class LineReader {
  /** True once a line has passed the limit: nothing more is read. */
  overflowed = false;
  /** The line that next() gave last ended in CR LF, not in LF alone. */
  crlf = false;

  #chunk: Buffer | null = null;
  #position = 0;
  readonly #lineBytesMax: number;

  /** `lineBytesMax` counts a line's bytes without its LF. */
  constructor(lineBytesMax: number = LINE_BYTES_MAX) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Bytes that have come and have not been read. */
  get buffered(): number {
    return this.#chunk === null ? 0 : this.#chunk.length - this.#position;
  }

  /** Takes over `chunk`: the caller does not touch it again. */
  push(chunk: Buffer): void {
    const rest = this.#chunk;
    if (rest === null) this.#chunk = chunk;
    else this.#chunk = Buffer.concat([rest.subarray(this.#position), chunk]);
    this.#position = 0;
  }

  /** The next line without LF and CR, or null when none is complete. */
  next(): ByteString | null {
    const chunk = this.#chunk;
    if (chunk === null || this.overflowed) return null;
    const from = this.#position;
    const end = chunk.indexOf(LF, from);
    const length = (end < 0 ? chunk.length : end) - from;
    if (length > this.#lineBytesMax) {
      this.overflowed = true;
      return null;
    }
    if (end < 0) {
      this.#keep(chunk, from);
      return null;
    }
    if (end + 1 === chunk.length) this.discard();
    else this.#position = end + 1;
    const line = chunk.toString("latin1", from, end);
    this.crlf = line.endsWith(CR);
    return this.crlf ? line.slice(0, -1) : line;
  }

  /** The unfinished line so far, without taking it. */
  peek(): ByteString {
    return this.#chunk === null
      ? ""
      : this.#chunk.toString("latin1", this.#position, this.#chunk.length);
  }

  /** Up to `count` raw bytes, or null when there are none: the body behind a reply's line. */
  take(count: number): Buffer | null {
    const chunk = this.#chunk;
    if (chunk === null || count <= 0) return null;
    const end = Math.min(chunk.length, this.#position + count);
    const bytes = chunk.subarray(this.#position, end);
    if (end === chunk.length) this.discard();
    else this.#position = end;
    return bytes;
  }

  /** Forgets what has not been read. */
  discard(): void {
    this.#chunk = null;
    this.#position = 0;
  }

  /** A short rest must not pin the chunk it came in (Bun's chunks have up to 512 KiB). */
  #keep(chunk: Buffer, from: number): void {
    if (from === 0) return;
    this.#chunk = Buffer.from(chunk.subarray(from));
    this.#position = 0;
  }
}
