/**
 * A chunked body (RFC 9112 7.1), read strictly and at any split: only CRLF ends a line, sizes are
 * hex digits alone, extensions and trailers are skipped up to a bound. It holds no byte of the
 * content; of a line it holds what came, up to LINE_BYTES_MAX.
 */
import type { ByteString } from "../bytes.ts";

/** Longest line of a size with its extensions, or of a trailer. */
const LINE_BYTES_MAX = 4096;

/** All extensions of a body together: one in each chunk may cost more than the content does. */
const EXTENSION_BYTES_MAX = 65_536;

/** Most trailers, and so many lines are at most a quarter of a megabyte. */
const TRAILERS_MAX = 64;

/** 13 hex digits are below 2^52, so that the count is exact. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,13})([ \t]*;[\t -~\x80-\xff]*)?$/;

const TRAILER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*$/;

const CR = 13;
const LF = 10;

type State = "size" | "data" | "data-end" | "trailer" | "done";

/** One body. */
export class ChunkedBody {
  /** How the body breaks the grammar; nothing is read any more. */
  broken: string | null = null;
  #state: State = "size";
  /** Bytes of the chunk that are still to come. */
  #left = 0;
  /** What came of a line. */
  #line: ByteString = "";
  #extensions = 0;
  #trailers = 0;

  /** True when the last line has come: what follows is another reply's. */
  get done(): boolean {
    return this.#state === "done";
  }

  /**
   * Reads `bytes` and hands each piece of content to `take`: how many bytes were read, fewer than
   * all only when the body is done or broken.
   */
  read(bytes: Buffer, take: (content: Buffer) => void): number {
    let at = 0;
    while (at < bytes.length && this.broken === null && this.#state !== "done") {
      at = this.#state === "data" ? this.#data(bytes, at, take) : this.#lineIn(bytes, at);
    }
    return at;
  }

  // --- internal ---

  #data(bytes: Buffer, at: number, take: (content: Buffer) => void): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    if (this.#left === 0) this.#state = "data-end";
    take(bytes.subarray(at, end));
    return end;
  }

  #lineIn(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(LF, at);
    const end = found < 0 ? bytes.length : found;
    if (this.#line.length + end - at > LINE_BYTES_MAX) {
      this.broken = `a line of a chunked body is longer than ${LINE_BYTES_MAX} bytes`;
      return at;
    }
    this.#line += bytes.toString("latin1", at, end);
    if (found < 0) return end;
    if (this.#line.charCodeAt(this.#line.length - 1) !== CR) {
      this.broken = "a bare line end in a chunked body";
      return at;
    }
    const line = this.#line.slice(0, -1);
    this.#line = "";
    this.#lineEnds(line);
    return found + 1;
  }

  #lineEnds(line: ByteString): void {
    if (this.#state === "size") this.#size(line);
    else if (this.#state === "trailer") this.#trailer(line);
    else if (line === "") this.#state = "size";
    else this.broken = "a chunk is longer than its size says";
  }

  #size(line: ByteString): void {
    const [, digits, extension = ""] = SIZE_LINE.exec(line) ?? [];
    this.#extensions += extension.length;
    if (digits === undefined) {
      this.broken = "the size of a chunk is no number";
      return;
    }
    if (this.#extensions > EXTENSION_BYTES_MAX) this.broken = "too many chunk extensions";
    this.#left = Number.parseInt(digits, 16);
    this.#state = this.#left === 0 ? "trailer" : "data";
  }

  #trailer(line: ByteString): void {
    if (line === "") this.#state = "done";
    else if (!TRAILER_LINE.test(line)) this.broken = "a trailer is no field";
    else if (++this.#trailers > TRAILERS_MAX) this.broken = `more than ${TRAILERS_MAX} trailers`;
  }
}
