/**
 * The bare dialect from the client's side: the path, our FIN, then everything up to the server's
 * FIN. It works against a server that knows no more than accept, one recv, sendall, close.
 *
 * FIN is complete and RST is failed; an answer that is one line `ERROR ENOENT: ...` is an error.
 * Only bytes that can still become such a line are held back, so nothing else is delayed or copied.
 */
import { LocalError } from "../destination/error.ts";
import { type Sink, UNKNOWN_LENGTH } from "../receive/sink.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { dialectOf } from "../wire/dialect.ts";
import { printable } from "../wire/printable.ts";
import { parsePlainError } from "../wire/reply.ts";
import { LINE_BYTES_MAX, REPLY_LINE_BYTES_MAX } from "../wire/vocabulary.ts";
import type { ServerAddress } from "./address.ts";
import { dial, type SocketOwner } from "./dial.ts";
import {
  ClientError,
  incompleteError,
  localFailure,
  refusedError,
  stalledError,
  usageError,
} from "./error.ts";
import type { Patience } from "./wireclient.ts";
import { StallTimer } from "./stall.ts";
import { about, readable } from "./message.ts";
import { bufferOf, type ByteString, byteStringOf } from "../wire/bytes.ts";

/**
 * Fetches `path`, its bytes taken literally, into `sink` on a connection of its own; resolves to
 * the bytes written. Rejects with ClientError: 5 when it ended in RST, the errno's status for an
 * ERROR line, 7 and 10 for the connection, 2 for a path that this dialect can't carry (LF, NUL,
 * over 8,192 bytes).
 */
export async function readPlain(
  server: ServerAddress,
  path: ByteString,
  sink: Sink,
  { connectTimeoutMs, stallTimeoutMs }: Patience,
): Promise<number> {
  const request = plainRequest(path);
  const question = { server, request, stallTimeoutMs };
  const reading = await dial(
    server,
    connectTimeoutMs,
    (socket) => new PlainReading(socket, sink, question),
  );
  return reading.done.promise;
}

/**
 * The bytes that ask for `path`. A name that reads as another dialect's first line goes as `./READ
 * x`.
 */
export function plainRequest(path: ByteString): ByteString {
  if (path === "" || /[\n\0]/.test(path)) {
    const what = path === "" ? "an empty path" : `${printable(path)}: a line break or NUL`;
    throw usageError(`${what} can't be sent as a bare path`);
  }
  const request = dialectOf(path) === "plain" ? path : `./${path}`;
  if (request.length <= LINE_BYTES_MAX) return request;
  throw usageError(`a path has at most ${LINE_BYTES_MAX} bytes, this one ${request.length}`);
}

interface Question {
  readonly server: ServerAddress;
  readonly request: ByteString;
  readonly stallTimeoutMs: number;
}

/** What is awaited. */
type State =
  /** The answer's first bytes, while they can still be an error's line: they are held. */
  | { readonly awaits: "kind"; held: Buffer }
  /** More content, or FIN. */
  | { readonly awaits: "content" }
  /** Nothing: it is settled. */
  | { readonly awaits: "never" };

const CONTENT: State = { awaits: "content" };
const NEVER: State = { awaits: "never" };

/** One path and its answer. */
class PlainReading implements SocketOwner {
  readonly done = Promise.withResolvers<number>();
  #state: State = { awaits: "kind", held: Buffer.alloc(0) };
  readonly #socket: StreamSocket;
  readonly #sink: Sink;
  readonly #stall: StallTimer;
  /** What of the request has not gone out: while there is some, no end is a complete answer. */
  #unsent: Buffer;
  readonly #question: Question;

  constructor(socket: StreamSocket, sink: Sink, question: Question) {
    this.#socket = socket;
    this.#sink = sink;
    this.#question = question;
    this.#unsent = bufferOf(question.request);
    this.#stall = new StallTimer(question.stallTimeoutMs, () => this.#stalled());
    this.#stall.start();
    this.drain();
  }

  // --- events ---

  data(chunk: Buffer): void {
    const state = this.#state;
    if (state.awaits === "never") return;
    if (state.awaits === "content") this.#local(() => this.#sink.write(chunk));
    else this.#weigh(state, chunk);
    this.#stall.touch(chunk.length);
  }

  drain(): void {
    if (this.#unsent.length === 0) return;
    const taken = this.#socket.write(this.#unsent, 0, this.#unsent.length);
    if (taken <= 0) return;
    this.#unsent = this.#unsent.subarray(taken);
    if (this.#unsent.length > 0) return;
    // FIN: no LF is needed, and a server that reads once gets the path and nothing else.
    this.#socket.shutdown();
  }

  /** FIN while our side is open: the server answered before it had the whole path. */
  end(): void {
    this.#cutOff("the server closed the connection early");
  }

  /** After our FIN, the peer's FIN closes without an error and RST with one (held to by a test). */
  closed(error: Error | null): void {
    if (error === null && this.#unsent.length === 0) this.#finish();
    else this.#cutOff("the connection was reset");
  }

  failed(error: Error): void {
    this.#fail(new ClientError("unexpected", "EIO", error.stack ?? error.message));
  }

  // --- internal ---

  #weigh(state: Extract<State, { awaits: "kind" }>, chunk: Buffer): void {
    const held = state.held.length === 0 ? chunk : Buffer.concat([state.held, chunk]);
    if (canBeError(held)) state.held = held;
    else this.#pass(held);
  }

  /** It is content after all. */
  #pass(held: Buffer): void {
    this.#state = CONTENT;
    this.#local(() => {
      this.#sink.begin(UNKNOWN_LENGTH);
      if (held.length > 0) this.#sink.write(held);
    });
  }

  #finish(): void {
    if (this.#state.awaits === "kind") {
      const { held } = this.#state;
      const error = parsePlainError(byteStringOf(held).replace(/\r?\n$/, ""));
      if (error !== null) {
        this.#fail(refusedError(error.code, this.#about(readable(error.message))));
        return;
      }
      this.#pass(held);
    }
    if (this.#state.awaits === "never") return;
    this.#local(() => this.#sink.end());
    this.#settle(() => this.done.resolve(this.#sink.written));
  }

  #local(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
      this.#fail(localFailure(error, this.#about(error.message)));
    }
  }

  #stalled(): void {
    const seconds = this.#stall.timeoutMs / 1000;
    this.#fail(stalledError(this.#about(`nothing came for ${seconds} s`)));
  }

  #cutOff(how: string): void {
    const text = `${how} after ${this.#sink.written} bytes`;
    this.#fail(incompleteError(this.#about(text), false));
  }

  #fail(error: ClientError): void {
    this.#settle(() => this.done.reject(error));
  }

  #settle(how: () => void): void {
    if (this.#state.awaits === "never") return;
    this.#state = NEVER;
    this.#stall.stop();
    this.#socket.terminate();
    how();
  }

  #about(text: string): string {
    return about(text, this.#question.server, this.#question.request);
  }
}

// --- internal ---

/** How an error can start: the bare dialect's, and that of a server which is full. */
const ERROR_STARTS = ["ERROR E", "ERR EBUSY "];

/** "ERROR " + a code of up to 32 letters + ": " is this long at most. */
const ERROR_HEAD_BYTES_MAX = 40;

/**
 * True while `held` can still turn out to be one line of the bare dialect's error, and nothing
 * else.
 */
function canBeError(held: Buffer): boolean {
  const start = held.toString("latin1", 0, ERROR_HEAD_BYTES_MAX);
  if (!ERROR_STARTS.some((error) => start.startsWith(error.slice(0, start.length)))) return false;
  if (held.length > REPLY_LINE_BYTES_MAX) return false;
  const lineEnd = held.indexOf(10);
  if (lineEnd >= 0 && lineEnd < held.length - 1) return false;
  return held.length < ERROR_HEAD_BYTES_MAX || parsePlainError(start) !== null;
}
