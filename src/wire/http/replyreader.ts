/**
 * Bytes in, heads of replies and bytes of bodies out, at any split: what a client holds of a server
 * of HTTP. Never more than one chunk and one unfinished head.
 */
import type { ByteString } from "../bytes.ts";
import { Unread } from "../unread.ts";

/**
 * Longest head of a reply in bytes, the empty line included. Those of file servers have below 1
 * KiB; pages with cookies and policies have 8 to 16.
 */
export const REPLY_HEAD_BYTES_MAX = 65_536;

const HEAD_END = Buffer.from("\r\n\r\n");

/** Cuts a stream of bytes into heads, and hands out what lies between them. */
export class ReplyReader extends Unread {
  /** True once a head has passed the limit: nothing more is read. */
  overflowed = false;
  /** Bytes from the first on in which no head ends. */
  #scanned = 0;

  /** The next head without the CRLF CRLF behind it, or null when none is complete. */
  head(): ByteString | null {
    const chunk = this.chunk;
    if (chunk === null || this.overflowed) return null;
    const from = this.position;
    const end = chunk.indexOf(HEAD_END, from + Math.max(0, this.#scanned - 3));
    const length = (end < 0 ? chunk.length : end + HEAD_END.length) - from;
    if (length > REPLY_HEAD_BYTES_MAX) {
      this.overflowed = true;
      return null;
    }
    if (end < 0) {
      this.#scanned = length;
      this.detach();
      return null;
    }
    this.#scanned = 0;
    this.advance(end + HEAD_END.length);
    return chunk.toString("latin1", from, end);
  }

  override discard(): void {
    super.discard();
    this.#scanned = 0;
  }
}
