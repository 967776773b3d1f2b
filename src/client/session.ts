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
 * Conversation owns the socket and the exchanges. This knows no verb (exchanges do), never retries
 * and never guesses: a surplus byte, a malformed line or a count that does not fit ends the
 * connection. Invariant: no sink gets more bytes than the reply promised.
 */
import { LineReader } from "../wire/lines.ts";
import { printable } from "../wire/printable.ts";
import { parsePlainError, parseReply } from "../wire/reply.ts";
import { LINE_BYTES_MAX, REPLY_LINE_BYTES_MAX } from "../wire/vocabulary.ts";
import { type Body, Conversation, QUOTE_BYTES_MAX, SURPLUS } from "./conversation.ts";
import { type ClientError, saidError, usageError } from "./error.ts";
import type { Exchange } from "./exchange.ts";
import { readable } from "./message.ts";
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
  | BodyState
  /** Nothing any more: the connection has ended, `error` says why. */
  | { readonly awaits: "never"; readonly error: ClientError };

interface BodyState extends Body {
  readonly awaits: "body";
  readonly promised: number;
}

const NOTHING: State = { awaits: "nothing" };
const REPLY: State = { awaits: "reply" };

/** A connection that speaks S6/1. */
export class Session extends Conversation<Exchange> {
  #state: State = NOTHING;
  readonly #lines = new LineReader(REPLY_LINE_BYTES_MAX);

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
    this.waiting.push(exchange);
    this.#send();
  }

  // --- for the conversation ---

  protected push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  /** One function a state. */
  protected step(): boolean {
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

  protected get body(): Body | null {
    return this.#state.awaits === "body" ? this.#state : null;
  }

  /** Every promised byte of the first exchange is in its sink. */
  protected complete(): boolean {
    const [exchange] = this.inFlight;
    if (exchange === undefined || !this.local(() => exchange.sink?.end())) return false;
    if (this.inFlight.length === 1 && this.#lines.buffered > 0) return this.violated(SURPLUS);
    const broken = exchange.finish();
    if (broken !== null) return this.violated(broken);
    this.#settle(exchange, null);
    return true;
  }

  protected get progress(): { text: string; began: boolean } {
    const state = this.#state;
    if (state.awaits !== "body") return { text: "", began: this.#lines.buffered > 0 };
    const came = state.promised - state.left;
    return { text: ` after ${came} of ${state.promised} bytes`, began: true };
  }

  protected forget(error: ClientError | null): void {
    this.#state = { awaits: "never", error: error ?? usageError("it has ended") };
    this.#lines.discard();
  }

  // --- internal: sending ---

  #unaskable(exchange: Exchange): ClientError | null {
    if (this.#state.awaits === "never") return this.#tooLate(this.#state.error, exchange);
    if (exchange.line.length > LINE_BYTES_MAX) {
      return usageError(`the path makes a request of over ${LINE_BYTES_MAX} bytes`);
    }
    if (this.waiting.length < WAITING_MAX) return null;
    return usageError(`more than ${WAITING_MAX} requests wait on one connection`);
  }

  /**
   * The error for a request made after the end: the refusal with which the server closed an
   * unanswering connection (EBUSY), or that the connection has ended.
   */
  #tooLate(reason: ClientError, exchange: Exchange): ClientError {
    if (reason.unanswered) return reason;
    return this.unanswered(exchange, `the connection has ended (${reason.code})`);
  }

  /** Moves waiting requests into flight. */
  #send(): void {
    while (this.waiting.length > 0 && this.inFlight.length < IN_FLIGHT_MAX) {
      const exchange = this.waiting.shift();
      if (exchange === undefined) return;
      this.inFlight.push(exchange);
      this.writer.send(`${exchange.line}\n`);
      if (this.#state.awaits === "nothing") this.#state = REPLY;
      this.stall.start();
    }
  }

  // --- internal: receiving ---

  /**
   * Bytes without a request: the refusal of a server that is full ("ERR EBUSY"), or a violation.
   */
  #unasked(): boolean {
    if (this.#lines.buffered === 0) return false;
    const start = this.#lines.peek();
    if (!start.startsWith("ERR".slice(0, start.length))) return this.violated(SURPLUS);
    const line = this.#nextLine();
    if (line === null) return false;
    const reply = parseReply(line) ?? parsePlainError(line);
    if (reply === null || ("ok" in reply && reply.ok)) return this.violated(SURPLUS);
    this.finish(this.#refusal(reply, true));
    return false;
  }

  #reply(): boolean {
    const line = this.#nextLine();
    const [exchange] = this.inFlight;
    if (line === null || exchange === undefined) return false;
    const reply = parseReply(line);
    if (reply === null) return this.#notFramed(line);
    if (!reply.ok) {
      this.#settle(exchange, this.#refusal(reply));
      return true;
    }
    const broken = exchange.head(reply);
    if (broken !== null) return this.violated(broken);
    if (!this.local(() => exchange.sink?.begin(reply.length))) return false;
    if (reply.length === 0) return this.complete();
    const { length } = reply;
    this.#state = { awaits: "body", sink: exchange.sink, promised: length, left: length };
    return true;
  }

  #body(state: BodyState): boolean {
    const { sink } = state;
    const bytes = this.#lines.take(state.left);
    if (bytes === null) {
      if (sink?.pulls === true) this.reader.usePump(state.left);
      return false;
    }
    if (!this.local(() => sink?.write(bytes))) return false;
    state.left -= bytes.length;
    return state.left > 0 ? true : this.complete();
  }

  #settle(exchange: Exchange, error: ClientError | null): void {
    this.inFlight.shift();
    this.settled += 1;
    this.stall.touch(Infinity);
    this.#state = this.inFlight.length > 0 ? REPLY : NOTHING;
    if (error !== null) exchange.fail(error);
    this.#send();
    if (this.#state.awaits === "nothing") this.stall.stop();
  }

  #refusal({ code, message }: { code: string; message: ByteString }, unanswered = false) {
    const said = readable(message);
    return saidError(code, said, this.about(said), unanswered);
  }

  #nextLine(): ByteString | null {
    const line = this.#lines.next();
    if (line === null && this.#lines.overflowed) {
      this.violated(`a reply's line is longer than ${REPLY_LINE_BYTES_MAX} bytes`);
    }
    return line;
  }

  /** A line that is no reply of S6/1: an error of the bare dialect, or of another protocol. */
  #notFramed(line: ByteString): boolean {
    const plain = parsePlainError(line);
    if (plain !== null) {
      this.finish(this.#refusal(plain));
      return false;
    }
    const start = printable(line.slice(0, QUOTE_BYTES_MAX));
    return this.violated(`not a reply of S6/1: "${start}" (--plain speaks to simpler servers)`);
  }
}
