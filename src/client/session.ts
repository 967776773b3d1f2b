/**
 * The client's side of one S6/1 connection: requests go out pipelined, replies come in order.
 *
 *   ask(exchange) --> waiting --> in flight --> RequestWriter --> socket
 *
 *   socket --> data(chunk) --> LineReader --> reply line --> exchange.head()
 *     |                            \--> body bytes --> exchange.sink.write()
 *     \--> a round of the pump --> pumped(): body bytes, by splice or recv --> exchange.sink.pull()
 *
 * SocketReader decides which of the two ways is open: Bun's events, or the pump for large bodies.
 *
 * It owns the socket and the exchanges in flight. It knows no verb (exchanges do), never retries
 * and never guesses: a surplus byte, a malformed line or a count that does not fit ends the
 * connection. Invariant: each exchange is settled exactly once, in the order of asking, and no sink
 * gets more bytes than the reply promised.
 */
import { LocalError } from "../destination/error.ts";
import { MOVED } from "../receive/splice.ts";
import { PUMP_BYTES } from "../receive/pump.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { LineReader } from "../wire/lines.ts";
import { printable } from "../wire/printable.ts";
import { parsePlainError, parseReply } from "../wire/reply.ts";
import { LINE_BYTES_MAX, REPLY_LINE_BYTES_MAX } from "../wire/vocabulary.ts";
import type { ServerAddress } from "./address.ts";
import type { SocketOwner } from "./dial.ts";
import {
  ClientError,
  incompleteError,
  localFailure,
  protocolError,
  refusedError,
  stalledError,
  usageError,
} from "./error.ts";
import type { Exchange } from "./exchange.ts";
import { SocketReader } from "./reader.ts";
import { RequestWriter } from "./requestwriter.ts";
import { StallTimer } from "./stall.ts";
import { about, readable } from "./message.ts";
import type { Throttle } from "./throttle.ts";
import type { ByteString } from "../wire/bytes.ts";

/**
 * Most requests sent whose replies have not ended. A server answers 64 of a connection before it
 * serves others, so that twice as many keep it busy; more waited in its receive queue and were not
 * faster (measured with 64, 128, 256 and 512). At 50 ms of delay they are 1,280 verified files a
 * second.
 */
export const IN_FLIGHT_MAX = 128;

/**
 * Most requests waiting to be sent: a caller with more does not wait for the answers it has asked
 * for.
 */
const WAITING_MAX = 65_536;

/** What the connection waits for. */
type State =
  /** Nothing: no request is in flight, and any byte is a violation. */
  | { readonly awaits: "nothing" }
  /** The reply line of the first exchange. */
  | { readonly awaits: "reply" }
  /** `left` > 0 more bytes of that reply's body. */
  | { readonly awaits: "body"; readonly promised: number; left: number }
  /** Nothing any more: the connection has ended, `error` says why. */
  | { readonly awaits: "never"; readonly error: ClientError };

const NOTHING: State = { awaits: "nothing" };
const REPLY: State = { awaits: "reply" };

/** A connection that speaks S6/1. */
export class Session implements SocketOwner {
  #state: State = NOTHING;
  readonly #server: ServerAddress;
  readonly #socket: StreamSocket;

  // Receiving.
  readonly #lineReader = new LineReader(REPLY_LINE_BYTES_MAX);
  readonly #socketReader: SocketReader;
  /** Sent and not settled; the first is the one whose reply is being read. */
  readonly #inFlight: Exchange[] = [];
  readonly #stall: StallTimer;
  #answered = 0;

  // Sending.
  readonly #waiting: Exchange[] = [];
  readonly #writer: RequestWriter;

  constructor(
    socket: StreamSocket,
    server: ServerAddress,
    stallTimeoutMs: number,
    throttle: Throttle | null = null,
  ) {
    this.#socket = socket;
    this.#server = server;
    this.#writer = new RequestWriter(socket);
    this.#socketReader = new SocketReader(socket, this, throttle, server.secure === true);
    this.#stall = new StallTimer(stallTimeoutMs, () => this.#stalled());
  }

  /** Replies that have ended, errors included. */
  get answered(): number {
    return this.#answered;
  }

  /** False once the connection has ended. */
  get open(): boolean {
    return this.#state.awaits !== "never";
  }

  /** True while no request waits or is in flight. */
  get idle(): boolean {
    return this.#inFlight.length + this.#waiting.length === 0;
  }

  /**
   * Makes a request. The exchange is settled later; within this call only if it can't be sent at
   * all.
   */
  ask(exchange: Exchange): void {
    const refused = this.#unaskable(exchange);
    if (refused !== null) {
      exchange.fail(refused);
      return;
    }
    this.#waiting.push(exchange);
    this.#send();
  }

  /** Ends the connection now. What is under way fails, with `reason` when there is one. */
  close(reason?: ClientError): void {
    const text = "the connection was closed on this side";
    this.#end(reason ?? usageError(this.#about(text)), this.idle);
  }

  // --- events ---

  data(chunk: Buffer): void {
    if (!this.open) return;
    const count = chunk.length;
    this.#lineReader.push(chunk);
    while (this.#step());
    this.#stall.touch(count);
    if (this.open) this.#socketReader.spent(count);
  }

  /** A round of the pump: the next bytes of the body go from the socket straight into the sink. */
  pumped(): void {
    const state = this.#state;
    const [exchange] = this.#inFlight;
    if (state.awaits !== "body" || exchange?.sink?.pull === undefined) {
      this.#socketReader.useEvents();
      return;
    }
    const { sink } = exchange;
    let moved: number = MOVED.ended;
    const most = Math.min(state.left, PUMP_BYTES);
    if (!this.#local(() => (moved = sink.pull?.(this.#socket.fd, most) ?? MOVED.ended))) return;
    if (moved === MOVED.ended) {
      this.#socketReader.useEvents();
      return;
    }
    state.left -= moved;
    this.#stall.touch(moved);
    this.#socketReader.expect(state.left);
    if (state.left > 0) return;
    this.#socketReader.useEvents();
    this.#complete(exchange);
  }

  drain(): void {
    this.#writer.drain();
  }

  end(): void {
    this.#cutOff("the server closed the connection");
  }

  closed(_error: Error | null): void {
    this.#cutOff("the connection was reset");
  }

  failed(error: Error): void {
    this.#end(new ClientError("unexpected", "EIO", error.stack ?? error.message), false);
  }

  // --- internal: sending ---

  #unaskable(exchange: Exchange): ClientError | null {
    if (this.#state.awaits === "never") return this.#tooLate(this.#state.error, exchange);
    if (exchange.line.length > LINE_BYTES_MAX) {
      return usageError(`the path makes a request of over ${LINE_BYTES_MAX} bytes`);
    }
    if (this.#waiting.length < WAITING_MAX) return null;
    return usageError(`more than ${WAITING_MAX} requests wait on one connection`);
  }

  /**
   * The error for a request made after the end: the refusal with which the server closed an
   * unanswering connection (EBUSY), or that the connection has ended.
   */
  #tooLate(reason: ClientError, exchange: Exchange): ClientError {
    if (reason.unanswered) return reason;
    const text = `the connection has ended (${reason.code})`;
    return incompleteError(about(text, this.#server, exchange.path), true);
  }

  /** Moves waiting requests into flight. */
  #send(): void {
    while (this.#waiting.length > 0 && this.#inFlight.length < IN_FLIGHT_MAX) {
      const exchange = this.#waiting.shift();
      if (exchange === undefined) return;
      this.#inFlight.push(exchange);
      this.#writer.send(`${exchange.line}\n`);
      if (this.#state.awaits === "nothing") this.#state = REPLY;
      this.#stall.start();
    }
  }

  // --- internal: receiving, one function a state; true while there is more to do ---

  #step(): boolean {
    switch (this.#state.awaits) {
      case "nothing":
        return this.#unasked();
      case "reply":
        return this.#reply();
      case "body":
        return this.#body(this.#state);
      case "never":
        return false;
    }
  }

  /**
   * Bytes without a request: the refusal of a server that is full ("ERR EBUSY"), or a violation.
   */
  #unasked(): boolean {
    if (this.#lineReader.buffered === 0) return false;
    const start = this.#lineReader.peek();
    if (!start.startsWith("ERR".slice(0, start.length))) return this.#violated(SURPLUS);
    const line = this.#nextLine();
    if (line === null) return false;
    const reply = parseReply(line) ?? parsePlainError(line);
    if (reply === null || ("ok" in reply && reply.ok)) return this.#violated(SURPLUS);
    this.#end(refusedError(reply.code, this.#about(readable(reply.message)), true), false);
    return false;
  }

  #reply(): boolean {
    const line = this.#nextLine();
    const [exchange] = this.#inFlight;
    if (line === null || exchange === undefined) return false;
    const reply = parseReply(line);
    if (reply === null) return this.#notFramed(line);
    if (!reply.ok) {
      this.#settle(exchange, refusedError(reply.code, this.#about(readable(reply.message))));
      return true;
    }
    const broken = exchange.head(reply);
    if (broken !== null) return this.#violated(broken);
    if (!this.#local(() => exchange.sink?.begin(reply.length))) return false;
    if (reply.length === 0) return this.#complete(exchange);
    this.#state = { awaits: "body", promised: reply.length, left: reply.length };
    return true;
  }

  #body(state: Extract<State, { awaits: "body" }>): boolean {
    const [exchange] = this.#inFlight;
    const bytes = this.#lineReader.take(state.left);
    if (exchange === undefined) return false;
    if (bytes === null) {
      if (exchange.sink?.pulls === true) this.#socketReader.usePump(state.left);
      return false;
    }
    if (!this.#local(() => exchange.sink?.write(bytes))) return false;
    state.left -= bytes.length;
    return state.left > 0 ? true : this.#complete(exchange);
  }

  /** Every promised byte of the first exchange is in its sink. */
  #complete(exchange: Exchange): boolean {
    if (!this.#local(() => exchange.sink?.end())) return false;
    if (this.#inFlight.length === 1 && this.#lineReader.buffered > 0)
      return this.#violated(SURPLUS);
    const broken = exchange.finish();
    if (broken !== null) return this.#violated(broken);
    this.#settle(exchange, null);
    return true;
  }

  #settle(exchange: Exchange, error: ClientError | null): void {
    this.#inFlight.shift();
    this.#answered += 1;
    this.#stall.touch(Infinity);
    this.#state = this.#inFlight.length > 0 ? REPLY : NOTHING;
    if (error !== null) exchange.fail(error);
    this.#send();
    if (this.#state.awaits === "nothing") this.#stall.stop();
  }

  #nextLine(): ByteString | null {
    const line = this.#lineReader.next();
    if (line === null && this.#lineReader.overflowed) {
      this.#violated(`a reply's line is longer than ${REPLY_LINE_BYTES_MAX} bytes`);
    }
    return line;
  }

  /** A line that is no reply of S6/1: an error of the bare dialect, or of another protocol. */
  #notFramed(line: ByteString): boolean {
    const plain = parsePlainError(line);
    if (plain !== null) {
      this.#end(refusedError(plain.code, this.#about(readable(plain.message))), false);
      return false;
    }
    const start = printable(line.slice(0, QUOTE_BYTES_MAX));
    return this.#violated(`not a reply of S6/1: "${start}" (--plain speaks to simpler servers)`);
  }

  // --- internal: endings ---

  /**
   * Runs `action`, which writes to this machine's disk or terminal. False when it failed: then the
   * connection has been ended.
   */
  #local(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
      this.#end(localFailure(error, this.#about(error.message)), false);
      return false;
    }
  }

  #violated(how: string): boolean {
    this.#end(protocolError(this.#about(how)), false);
    return false;
  }

  #stalled(): void {
    if (this.#socketReader.paused) {
      this.#stall.start();
      return;
    }
    const seconds = this.#stall.timeoutMs / 1000;
    this.#end(stalledError(this.#about(`nothing came for ${seconds} s`)), false);
  }

  #cutOff(how: string): void {
    const state = this.#state;
    const body = state.awaits === "body";
    const came = body ? ` after ${state.promised - state.left} of ${state.promised} bytes` : "";
    const unanswered = !body && this.#lineReader.buffered === 0;
    this.#end(incompleteError(this.#about(`${how}${came}`), unanswered), false);
  }

  /**
   * Ends the connection, the only place that does. The first exchange fails with `error`, those
   * behind it as unanswered.
   */
  #end(error: ClientError, orderly: boolean): void {
    if (this.#state.awaits === "never") return;
    this.#state = { awaits: "never", error };
    this.#stall.stop();
    this.#socketReader.close();
    this.#lineReader.discard();
    this.#writer.stop();
    if (orderly) this.#socket.end();
    else this.#socket.terminate();
    const left = [...this.#inFlight, ...this.#waiting];
    this.#inFlight.length = 0;
    this.#waiting.length = 0;
    for (const [index, exchange] of left.entries()) {
      const text = about("the connection ended before its turn", this.#server, exchange.path);
      // What the caller stopped is not asked again, in whatever place it waited.
      const first = index === 0 || error.kind === "aborted";
      exchange.fail(first ? error : incompleteError(text, true));
    }
  }

  /** `text` with the path of the exchange whose reply is due, and the server. */
  #about(text: string): string {
    return about(text, this.#server, this.#inFlight[0]?.path ?? "");
  }
}

// --- internal ---

const SURPLUS = "the server sent bytes that nobody asked for";

/** Most bytes of another protocol's reply that a message quotes. */
const QUOTE_BYTES_MAX = 64;
