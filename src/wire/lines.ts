/**
 * Bytes in, lines out, at any split. It holds one chunk and one unfinished line at most. A line
 * that is too long is a sticky state, not an exception: the owner reads it and hangs up.
 */
import { Unread } from "./unread.ts";
import { LINE_BYTES_MAX } from "./vocabulary.ts";
import type { ByteString } from "./bytes.ts";

const LF = 10;
const CR = "\r";

/** Cuts a stream of bytes into lines of at most `lineBytesMax` bytes. */
export class LineReader extends Unread {
  /** True once a line has passed the limit: nothing more is read. */
  overflowed = false;
  /** The line that next() gave last ended in CR LF, not in LF alone. */
  crlf = false;

  readonly #lineBytesMax: number;

  /** `lineBytesMax` counts a line's bytes without its LF. */
  constructor(lineBytesMax: number = LINE_BYTES_MAX) {
    super();
    this.#lineBytesMax = lineBytesMax;
  }

  /** The next line without LF and CR, or null when none is complete. */
  next(): ByteString | null {
    const chunk = this.chunk;
    if (chunk === null || this.overflowed) return null;
    const from = this.position;
    const end = chunk.indexOf(LF, from);
    const length = (end < 0 ? chunk.length : end) - from;
    if (length > this.#lineBytesMax) {
      this.overflowed = true;
      return null;
    }
    if (end < 0) {
      this.detach();
      return null;
    }
    this.advance(end + 1);
    const line = chunk.toString("latin1", from, end);
    this.crlf = line.endsWith(CR);
    return this.crlf ? line.slice(0, -1) : line;
  }

  /** The unfinished line so far, without taking it. */
  peek(): ByteString {
    return this.chunk === null
      ? ""
      : this.chunk.toString("latin1", this.position, this.chunk.length);
  }
}
