/**
 * The receiving half of a connection: bytes that came and are not answered, whether more can come,
 * and what happens to bytes that nobody asked for. It cuts lines and decides nothing about them.
 * Bounded: one chunk and one unfinished line, then the socket is paused and the kernel's buffer
 * fills instead.
 */
import { BACKLOG_BYTES_MAX, JUNK_BYTES_MAX } from "../guard/limits.ts";
import { kernel } from "../sys/kernel.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { Refusal } from "../wire/errors.ts";
import { HeadReader } from "../wire/http/headreader.ts";
import { LineReader } from "../wire/lines.ts";
import type { ByteString } from "../wire/bytes.ts";
import { LINE_BYTES_MAX } from "../wire/vocabulary.ts";

const PEEKED = new Uint8Array(1);

/** What bytes behind the last request mean. */
export type Leftover =
  /** Thrown away. */
  | "junk"
  /** More bytes than a client sends by mistake: JUNK_BYTES_MAX. */
  | "flood"
  /** More of the path that 200 ms of silence had ended: another file was answered. */
  | "late";

/** Receives for one connection. */
export class Receiver {
  /** The peer's FIN has come. */
  fin = false;
  /** No request is read any more: what comes is thrown away. */
  last = false;
  /** The path was ended by silence, so that a later byte proves that it had not ended. */
  endedBySilence = false;
  readonly #socket: StreamSocket;
  readonly #reader = new LineReader();
  /** In place of `#reader` once requests are heads. */
  #heads: HeadReader | null = null;
  #paused = false;
  #junk = 0;

  constructor(socket: StreamSocket) {
    this.#socket = socket;
  }

  /** The socket is not read: whatever the peer does, its FIN included, is not seen. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Bytes of requests that are not answered. */
  get backlog(): number {
    return this.#heads === null ? this.#reader.buffered : this.#heads.buffered;
  }

  /** Whether something of the peer's waits for an answer, here or in the socket: a system call. */
  get unread(): boolean {
    return this.backlog > 0 || kernel.peek(this.#socket.fd, PEEKED, PEEKED.length) > 0;
  }

  /** Takes over `chunk`. */
  push(chunk: Buffer): void {
    (this.#heads ?? this.#reader).push(chunk);
  }

  /** From now on requests are heads; `line` is the first line of one, the last that was cut. */
  readHeads(line: ByteString): void {
    const heads = new HeadReader();
    heads.push(Buffer.from(`${line}${this.#reader.crlf ? "\r\n" : "\n"}`, "latin1"));
    const rest = this.#reader.take(this.#reader.buffered);
    if (rest !== null) heads.push(rest);
    this.#heads = heads;
  }

  /** Stops reading when more has come than can wait: for connections that can't be answered now. */
  holdBack(): void {
    if (this.backlog > BACKLOG_BYTES_MAX) this.#pause();
  }

  /**
   * The next line without LF and CR, or null; why there is none and never will be: E2BIG for a line
   * that is longer than any request. At the end of input what is left is a line too. Where requests
   * are heads, the next of them, or what is wrong with it.
   */
  next(): ByteString | Refusal | null {
    if (this.#heads !== null) return this.#heads.next();
    const line = this.#reader.next();
    if (this.#reader.overflowed) {
      return new Refusal("E2BIG", `more than ${LINE_BYTES_MAX} bytes without LF`);
    }
    const ended = this.fin || this.endedBySilence;
    if (line !== null || !ended || this.#reader.buffered === 0) return line;
    const rest = this.#reader.peek();
    this.#reader.discard();
    return rest.endsWith("\r") ? rest.slice(0, -1) : rest;
  }

  /** The unfinished line so far. */
  peek(): ByteString {
    return this.#reader.peek();
  }

  /** Nothing more is asked for: forgets what has not been read. */
  close(): void {
    this.last = true;
    this.#heads?.discard();
    this.#reader.discard();
  }

  /** Looks at bytes behind the last request. `sending`: the answer is still on its way. */
  discard(chunk: Buffer, sending: boolean): Leftover {
    if (this.endedBySilence) {
      // A LF that is late still belongs to the path.
      if (!/^(\r?\n|\r$)/.test(chunk.toString("latin1", 0, 2))) return "late";
      this.endedBySilence = chunk.length === 1 && chunk[0] !== 10;
    }
    this.#junk += chunk.length;
    if (this.#junk <= JUNK_BYTES_MAX) return "junk";
    if (!sending) return "flood";
    this.#pause();
    return "junk";
  }

  /** Reads on, from a clean count: while paused, the peer's FIN would not be seen. */
  resume(): void {
    this.#junk = 0;
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  // --- internal ---

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }
}
