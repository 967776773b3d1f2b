/**
 * The client's side of one connection that speaks HTTP/1.1: requests go out, at most two ahead,
 * replies come in order, and each body goes where its exchange says, by the same two ways as those
 * of S6/1 (session.ts): Bun's events, or the pump past them for what is long and counted.
 *
 * Conversation owns the socket and the exchanges. This knows no method and no status, and never
 * asks again: a byte that nobody asked for, a head that two readers could read differently, a body
 * whose end nobody could tell from a cut ends the connection. Invariant: each exchange is settled
 * exactly once, in the order of asking, and no sink gets more bytes than the head announced.
 */
import { type Sink, UNKNOWN_LENGTH } from "../receive/sink.ts";
import { parseReplyHead, type ReplyHead } from "../wire/http/replyhead.ts";
import { REPLY_HEAD_BYTES_MAX, ReplyReader } from "../wire/http/replyreader.ts";
import { printable } from "../wire/printable.ts";
import { type Body, Conversation, QUOTE_BYTES_MAX, SURPLUS } from "./conversation.ts";
import { ClientError } from "./error.ts";
import { HttpBody } from "./httpbody.ts";
import type { HttpExchange } from "./httpexchange.ts";

/**
 * Requests under way once the server has shown that it keeps the connection: the next one waits
 * there, so that a round trip costs nothing. More would be lost at once when it closes.
 */
const AHEAD_MAX = 2;

/** Largest body that is read to its end only to keep the connection: a page that tells of a 404. */
const DROP_BYTES_MAX = 65_536;

/** Interim replies (1xx) before one reply: a server sends one or two. */
const INTERIM_MAX = 16;

/** What the connection waits for. */
type State =
  /** Nothing: no request is in flight, and any byte is a violation. */
  | { readonly awaits: "nothing" }
  /** The head of the first exchange's reply. */
  | { readonly awaits: "head" }
  /** More of its body. */
  | { readonly awaits: "body"; readonly head: ReplyHead; readonly body: HttpBody }
  /** Nothing any more. */
  | { readonly awaits: "never" };

const NOTHING: State = { awaits: "nothing" };
const HEAD: State = { awaits: "head" };
const NEVER: State = { awaits: "never" };

/** A connection that speaks HTTP/1.1. */
export class HttpSession extends Conversation<HttpExchange> {
  #state: State = NOTHING;
  readonly #replies = new ReplyReader();
  #interim = 0;
  /** The server ends the connection behind the reply that is read. */
  #closing = false;
  /** Nobody will ask it again. */
  #left = false;

  /** True while another request may be made. */
  get takes(): boolean {
    return this.open && !this.#closing;
  }

  /** Makes a request on a connection that takes one. It is settled later. */
  ask(exchange: HttpExchange): void {
    if (!this.takes) {
      exchange.fail(this.unanswered(exchange));
      return;
    }
    this.waiting.push(exchange);
    this.#send();
  }

  /** Nobody will ask it again, but for who has it in hand: it ends with what is under way. */
  leave(): void {
    this.#left = true;
    // Who has opened it and asks only now would not ask again.
    if (this.idle && this.settled > 0) this.finish(null, true);
  }

  // --- for the conversation ---

  protected push(chunk: Buffer): void {
    this.#replies.push(chunk);
  }

  /** One function a state. */
  protected step(): boolean {
    const state = this.#state;
    switch (state.awaits) {
      case "nothing":
        return this.#replies.buffered > 0 && this.violated(SURPLUS);
      case "head":
        return this.#head();
      case "body":
        return this.#readOn(state);
      case "never":
        return false;
    }
  }

  protected get body(): HttpBody | null {
    return this.#state.awaits === "body" ? this.#state.body : null;
  }

  /** Every byte of the first exchange's reply has come. */
  protected complete({ sink }: Pick<Body, "sink">): boolean {
    const state = this.#state;
    return state.awaits === "body" && this.#complete(state.head, sink);
  }

  protected get progress(): { text: string; began: boolean } {
    const state = this.#state;
    if (state.awaits !== "body") return { text: "", began: this.#replies.buffered > 0 };
    const { left } = state.body;
    return { text: left > 0 ? `, with ${left} bytes still to come` : "", began: true };
  }

  protected forget(): void {
    this.#state = NEVER;
    this.#replies.discard();
  }

  // --- internal: sending ---

  /** Moves waiting requests into flight: one until the server has kept the connection once. */
  #send(): void {
    const most = this.settled > 0 ? AHEAD_MAX : 1;
    while (!this.#closing && this.inFlight.length < most) {
      const exchange = this.waiting.shift();
      if (exchange === undefined) return;
      this.inFlight.push(exchange);
      exchange.sent = true;
      this.writer.send(exchange.request);
      if (this.#state.awaits === "nothing") this.#state = HEAD;
      this.stall.start();
    }
  }

  // --- internal: receiving ---

  #head(): boolean {
    const text = this.#replies.head();
    const [exchange] = this.inFlight;
    if (text === null || exchange === undefined) {
      if (!this.#replies.overflowed) return false;
      return this.violated(`the head of a reply is longer than ${REPLY_HEAD_BYTES_MAX} bytes`);
    }
    const head = parseReplyHead(text);
    if (typeof head === "string") {
      const start = printable(text.slice(0, QUOTE_BYTES_MAX).split("\r\n")[0] ?? "");
      return this.violated(`not a reply of HTTP/1.1: ${head} ("${start}")`);
    }
    if (head.status < 200) return this.#skip(head);
    this.#interim = 0;
    if (!head.persists) this.#closing = true;
    let sink: Sink | null = null;
    try {
      sink = exchange.head(head);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.finish(error);
      return false;
    }
    return this.#begin(exchange, head, sink);
  }

  /** 1xx: the reply itself follows. 101 would be another protocol, for which nobody asked. */
  #skip({ status }: ReplyHead): boolean {
    if (status === 101) return this.violated("it switches to a protocol that nobody asked for");
    if (++this.#interim <= INTERIM_MAX) return true;
    return this.violated(`more than ${INTERIM_MAX} interim replies`);
  }

  #begin(exchange: HttpExchange, head: ReplyHead, sink: Sink | null): boolean {
    const { status, length, chunked } = head;
    const none = exchange.bodyless || status === 204 || status === 304 || length === 0n;
    if (!none && sink === null && (chunked ? !head.persists : isLong(length))) {
      // Another connection costs less than what nobody wants.
      return this.#cutShort(head);
    }
    if (none) {
      if (!this.local(() => sink?.begin(0))) return false;
      return this.#complete(head, sink);
    }
    // HTTP lets such a body end with the connection, where a cut looks like its end.
    if (!chunked && length === null) {
      return this.violated("the reply does not say how long it is");
    }
    const promised = length === null ? UNKNOWN_LENGTH : Number(length);
    if (!Number.isSafeInteger(promised)) return this.violated(`a body of ${length} bytes`);
    if (!this.local(() => sink?.begin(promised))) return false;
    const body = new HttpBody(sink, length === null ? null : promised);
    this.#state = { awaits: "body", head, body };
    return true;
  }

  #readOn({ head, body }: Extract<State, { awaits: "body" }>): boolean {
    if (!this.local(() => body.readOn(this.#replies))) return false;
    if (body.broken !== null) return this.violated(body.broken);
    if (body.done) return this.#complete(head, body.sink);
    if (body.dropped > DROP_BYTES_MAX) return this.#cutShort(head);
    if (body.sink?.pulls === true) this.reader.usePump(body.left);
    return false;
  }

  /** Every byte of the first exchange's reply has come. */
  #complete(head: ReplyHead, sink: Sink | null): boolean {
    if (!this.local(() => sink?.end())) return false;
    const exchange = this.inFlight.shift();
    if (exchange === undefined) return false;
    this.settled += 1;
    this.stall.touch(Infinity);
    this.#state = this.inFlight.length > 0 ? HEAD : NOTHING;
    if (this.#closing || (this.#left && this.idle)) this.finish(null, this.idle);
    exchange.finish(head);
    this.#send();
    if (this.#state.awaits === "nothing") this.stall.stop();
    return true;
  }

  // --- internal: endings ---

  /** The reply tells enough by its head: the connection ends instead of the body. */
  #cutShort(head: ReplyHead): boolean {
    const exchange = this.inFlight.shift();
    this.settled += 1;
    this.finish(null);
    exchange?.finish(head);
    return false;
  }
}

// --- internal ---

function isLong(length: bigint | null): boolean {
  return length === null || length > DROP_BYTES_MAX;
}
