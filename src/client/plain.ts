/**
 * The client of the bare dialect: it sends the path and FIN, and reads until the server's FIN. It
 * works with a server that does no more than accept, one recv, sendall, close.
 *
 * The answer is complete with the server's FIN and failed with RST; an answer of one line `ERROR
 * ENOENT: ...` is an error. Only bytes that may still become such a line are held back; all others
 * go to the sink at once, without a copy.
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
  saidError,
  stalledError,
  usageError,
} from "./error.ts";
import type { ConnectionSettings } from "./wireclient.ts";
import { StallTimer } from "./stall.ts";
import { about, readable } from "./message.ts";
import { bufferOf, type ByteString, byteStringOf } from "../wire/bytes.ts";

/**
 * Fetches `path`, its bytes taken literally, into `sink` on a connection of its own; resolves to
 * the bytes written. Rejects with ClientError: 5 when it ended in RST, the errno's status for an
 * ERROR line, 7 and 10 for the connection, 2 for a path that this dialect can't carry (LF, NUL,
 * over 8,192 bytes), 2 also when `signal` aborts: then nothing more is written.
 */
export async function readPlain(
  server: ServerAddress,
  path: ByteString,
  sink: Sink,
  { connectTimeoutMs, stallTimeoutMs }: ConnectionSettings,
  signal: AbortSignal | null = null,
): Promise<number> {
  if (server.secure === true) {
    // Its end is a FIN, which anybody between can send: a TLS connection tells no cut from an end.
    throw usageError(
      "a bare path has no length, so that over TLS a cut could not be told from its end",
    );
  }
  const request: PlainRequest = { server, line: plainRequest(path), stallTimeoutMs };
  const reading = await dial(
    server,
    connectTimeoutMs,
    (socket) => new PlainSession(socket, sink, request),
  );
  const stop = (): void => reading.close();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted === true) stop();
  return reading.done.promise.finally(() => signal?.removeEventListener("abort", stop));
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

/** What PlainSession asks for. */
interface PlainRequest {
  readonly server: ServerAddress;
  readonly line: ByteString;
  readonly stallTimeoutMs: number;
}

/** What the connection waits for. */
type State =
  /** The rest of the answer's start: `held` may still become an error line. */
  | { readonly awaits: "kind"; held: Buffer }
  /** More content, or the server's FIN. */
  | { readonly awaits: "content" }
  /** Nothing: the promise is settled. */
  | { readonly awaits: "never" };

const CONTENT: State = { awaits: "content" };
const NEVER: State = { awaits: "never" };

/** One connection: one path and its answer. */
class PlainSession implements SocketOwner {
  readonly done = Promise.withResolvers<number>();
  #state: State = { awaits: "kind", held: Buffer.alloc(0) };
  readonly #socket: StreamSocket;
  readonly #sink: Sink;
  readonly #stall: StallTimer;
  /**
   * The part of the request that was not sent: while there is any, no answer counts as complete.
   */
  #unsent: Buffer;
  readonly #request: PlainRequest;

  constructor(socket: StreamSocket, sink: Sink, request: PlainRequest) {
    this.#socket = socket;
    this.#sink = sink;
    this.#request = request;
    this.#unsent = bufferOf(request.line);
    this.#stall = new StallTimer(request.stallTimeoutMs, () => this.#stalled());
    this.#stall.start();
    this.drain();
  }

  /** Ends the connection now. */
  close(): void {
    this.#fail(usageError(this.#about("the connection was closed on this side")));
  }

  // --- events ---

  data(chunk: Buffer): void {
    const state = this.#state;
    if (state.awaits === "never") return;
    if (state.awaits === "content") this.#local(() => this.#sink.write(chunk));
    else this.#classify(state, chunk);
    this.#stall.touch(chunk.length);
  }

  drain(): void {
    if (this.#unsent.length === 0) return;
    const taken = this.#socket.write(this.#unsent, 0, this.#unsent.length);
    if (taken <= 0) return;
    this.#unsent = this.#unsent.subarray(taken);
    if (this.#unsent.length > 0) return;
    // FIN ends the path instead of LF: a server with a single recv gets the path and nothing else.
    this.#socket.shutdown();
  }

  /** The server's FIN before ours: it answered before it had the whole path. */
  end(): void {
    this.#cutOff("the server closed the connection early");
  }

  /**
   * After our FIN, Bun closes without an error for the peer's FIN, with one for RST (a test says
   * so).
   */
  closed(error: Error | null): void {
    if (error === null && this.#unsent.length === 0) this.#finish();
    else this.#cutOff("the connection was reset");
  }

  failed(error: Error): void {
    this.#fail(new ClientError("unexpected", "EIO", error.stack ?? error.message));
  }

  // --- internal ---

  /** Error line or content? */
  #classify(state: Extract<State, { awaits: "kind" }>, chunk: Buffer): void {
    const held = state.held.length === 0 ? chunk : Buffer.concat([state.held, chunk]);
    if (canBeError(held)) state.held = held;
    else this.#pass(held);
  }

  /** The answer is content, of which `held` is the start. */
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
        const said = readable(error.message);
        this.#fail(saidError(error.code, said, this.#about(said)));
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
    return about(text, this.#request.server, this.#request.line);
  }
}

// --- internal ---

/** How an error line starts: the bare dialect's, and that of a server with too many connections. */
const ERROR_STARTS = ["ERROR E", "ERR EBUSY "];

/** Longest "ERROR " + code of up to 32 letters + ": ", in bytes. */
const ERROR_HEAD_BYTES_MAX = 40;

/**
 * True while `held` may still be one error line of the bare dialect, and nothing else.
 */
function canBeError(held: Buffer): boolean {
  const start = held.toString("latin1", 0, ERROR_HEAD_BYTES_MAX);
  if (!ERROR_STARTS.some((error) => start.startsWith(error.slice(0, start.length)))) return false;
  if (held.length > REPLY_LINE_BYTES_MAX) return false;
  const lineEnd = held.indexOf(10);
  if (lineEnd >= 0 && lineEnd < held.length - 1) return false;
  return held.length < ERROR_HEAD_BYTES_MAX || parsePlainError(start) !== null;
}
