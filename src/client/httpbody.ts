/**
 * The body of one reply on its way into a sink: counted, or in chunks. It owns neither the sink nor
 * the bytes that have come, and knows no socket.
 */
import type { Sink } from "../receive/sink.ts";
import { ChunkedBody } from "../wire/http/chunked.ts";
import type { ReplyReader } from "../wire/http/replyreader.ts";

/** One body. */
export class HttpBody {
  /** Null: it is read only to be dropped. */
  readonly sink: Sink | null;
  /** Bytes that are still to come of a counted body; 0 while there are chunks. */
  left: number;
  /** Bytes of it that were dropped. */
  dropped = 0;
  readonly #chunks: ChunkedBody | null;

  /** `length` bytes > 0, or null: in chunks. */
  constructor(sink: Sink | null, length: number | null) {
    this.sink = sink;
    this.left = length ?? 0;
    this.#chunks = length === null ? new ChunkedBody() : null;
  }

  /** True when its last byte has been taken. */
  get done(): boolean {
    return this.#chunks === null ? this.left === 0 : this.#chunks.done;
  }

  /** How it breaks the grammar, or null. */
  get broken(): string | null {
    return this.#chunks?.broken ?? null;
  }

  /** Takes what has come of it. What the sink throws is thrown on. */
  readOn(replies: ReplyReader): void {
    const bytes = replies.take(this.#chunks === null ? this.left : Infinity);
    if (bytes === null) return;
    if (this.#chunks === null) {
      this.left -= bytes.length;
      this.#take(bytes);
      return;
    }
    const read = this.#chunks.read(bytes, (content) => this.#take(content));
    if (read < bytes.length) replies.push(bytes.subarray(read));
  }

  // --- internal ---

  #take(content: Buffer): void {
    if (this.sink === null) this.dropped += content.length;
    else this.sink.write(content);
  }
}
