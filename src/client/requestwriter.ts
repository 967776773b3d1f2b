/**
 * Sends the request lines of one connection: lines of the same turn of the event loop leave in one
 * write, and what the socket does not take is kept until it drains. It never waits and closes
 * nothing. Memory is bounded by the session, which has IN_FLIGHT_MAX requests in flight at most.
 */
import type { StreamSocket } from "../sys/socket.ts";
import { bufferOf, type ByteString } from "../wire/bytes.ts";

/** The sending half of a session. */
export class RequestWriter {
  readonly #socket: StreamSocket;
  /** Lines of this turn of the event loop. */
  #lines: ByteString = "";
  /** Bytes that the socket has not taken yet. */
  #unsent: Buffer | null = null;
  #stopped = false;
  readonly #flushLines = (): void => this.#flush();

  constructor(socket: StreamSocket) {
    this.#socket = socket;
  }

  /** Sends `lines`, each with its end, at the end of this turn. */
  send(lines: ByteString): void {
    if (this.#lines === "") queueMicrotask(this.#flushLines);
    this.#lines += lines;
  }

  /** The socket may have room again. */
  drain(): void {
    if (this.#unsent !== null) this.#flush();
  }

  /** The connection has ended: nothing more is sent. */
  stop(): void {
    this.#stopped = true;
    this.#unsent = null;
  }

  // --- internal ---

  #flush(): void {
    if (this.#stopped) return;
    const bytes = this.#takeUnsent();
    if (bytes === null) return;
    const taken = this.#socket.write(bytes, 0, bytes.length);
    // Below 0 the socket is dead. Bytes that came before may still be read; its `close` follows.
    this.#unsent = taken < 0 || taken === bytes.length ? null : bytes.subarray(taken);
  }

  #takeUnsent(): Buffer | null {
    const lines = this.#lines === "" ? null : bufferOf(this.#lines);
    this.#lines = "";
    if (this.#unsent === null || lines === null) return this.#unsent ?? lines;
    return Buffer.concat([this.#unsent, lines]);
  }
}
