/**
 * The receiving half of a connection: bytes that came and are not answered, whether more can come,
 * and what happens to bytes that nobody asked for. It cuts lines and decides nothing about them.
 * Bounded: one chunk and one unfinished line, then the socket is paused and the kernel's buffer
 * fills instead.
 */
import { BACKLOG_BYTES_MAX, JUNK_BYTES_MAX } from "../guard/limits.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { LineReader } from "../wire/lines.ts";
import type { ByteString } from "../wire/bytes.ts";

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
    return this.#reader.buffered;
  }

  /** True when the line so far is longer than any request. */
  get overflowed(): boolean {
    return this.#reader.overflowed;
  }

  /** Takes over `chunk`. */
  push(chunk: Buffer): void {
    this.#reader.push(chunk);
  }

  /** Stops reading when more has come than can wait: for connections that can't be answered now. */
  holdBack(): void {
    if (this.#reader.buffered > BACKLOG_BYTES_MAX) this.#pause();
  }

  /** The next line without LF and CR, or null. At the end of input what is left is a line too. */
  next(): ByteString | null {
    const line = this.#reader.next();
    const ended = this.fin || this.endedBySilence;
    if (line !== null || !ended || this.overflowed || this.#reader.buffered === 0) return line;
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
