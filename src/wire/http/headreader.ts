/**
 * Bytes in, request heads out, at any split: the counterpart of LineReader for HTTP. It owns the
 * bytes that have come and have not been read, never more than one chunk and one unfinished head.
 * What it refuses is final. It judges nothing inside a head; parseHead() does.
 */
import type { ByteString } from "../bytes.ts";
import { Unread } from "../unread.ts";
import { bareLineEnd, HeadRefusal } from "./headrefusal.ts";

/**
 * Longest head in bytes, with its request line, the fields and the empty line behind them. Browsers
 * send 0.5 to 2 KiB, and it is what one connection can make the server hold; nginx has 1 KiB and
 * four times 8 KiB more.
 */
export const HEAD_BYTES_MAX = 8192;

const CR = 13;
const LF = 10;
const HEAD_END = Buffer.from("\r\n\r\n");

/** Cuts a stream of bytes into heads. */
export class HeadReader extends Unread {
  /** Bytes from the first on in which no head ends and each LF has its CR. */
  #scanned = 0;
  /** The first line of the head has ended. */
  #lineEnded = false;
  /** An empty line in front of the head was dropped. */
  #emptyLine = false;
  #refusal: HeadRefusal | null = null;

  /**
   * The next head without the CRLF CRLF behind it, null when none is complete, or a refusal: 400
   * for a bare LF as soon as it has come, 414 when the first line alone is longer than
   * HEAD_BYTES_MAX, 431 when the head is. After a refusal it gives the same one for ever.
   */
  next(): ByteString | HeadRefusal | null {
    if (this.#refusal !== null) return this.#refusal;
    this.#dropEmptyLine();
    const chunk = this.chunk;
    if (chunk === null) return null;
    const from = this.position;
    const end = chunk.indexOf(HEAD_END, from + Math.max(0, this.#scanned - 3));
    if (end < 0 || end + 4 - from > HEAD_BYTES_MAX) return this.#wait(chunk, from);
    const head = chunk.toString("latin1", from, end);
    this.#scanned = 0;
    this.#lineEnded = this.#emptyLine = false;
    this.advance(end + 4);
    return head;
  }

  override discard(): void {
    super.discard();
    this.#scanned = 0;
  }

  // --- internal ---

  /** One empty line may stand in front of a head (RFC 9112 2.2): old clients end a body with it. */
  #dropEmptyLine(): void {
    const chunk = this.chunk;
    if (chunk === null || this.#emptyLine || this.#scanned > 1) return;
    if (chunk[this.position] !== CR || chunk[this.position + 1] !== LF) return;
    this.#emptyLine = true;
    this.#scanned = 0;
    this.advance(this.position + 2);
  }

  /** Looks through what came of an unfinished head, once, for what makes waiting pointless. */
  #wait(chunk: Buffer, from: number): HeadRefusal | null {
    const until = Math.min(chunk.length, from + HEAD_BYTES_MAX);
    let at = chunk.indexOf(LF, from + this.#scanned);
    for (; at >= 0 && at < until; at = chunk.indexOf(LF, at + 1)) {
      if (chunk[at - 1] !== CR) return this.#refuse(bareLineEnd());
      this.#lineEnded = true;
    }
    this.#scanned = until - from;
    if (this.#scanned === HEAD_BYTES_MAX) {
      const most = `${HEAD_BYTES_MAX} bytes at most`;
      if (this.#lineEnded) return this.#refuse(new HeadRefusal(431, `head too long, ${most}`));
      return this.#refuse(new HeadRefusal(414, `request line too long, ${most}`));
    }
    this.detach();
    return null;
  }

  #refuse(refusal: HeadRefusal): HeadRefusal {
    this.discard();
    return (this.#refusal = refusal);
  }
}
