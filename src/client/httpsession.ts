/**
 * The client's side of one connection that speaks HTTP/1.1: requests go out, at most two ahead,
 * replies come in order, and each body goes where its exchange says, by the same two ways as those
 * of S6/1 (session.ts): Bun's events, or the pump past them for what is long and counted.
 *
 * It owns the socket and the exchanges in flight. It knows no method and no status, and never asks
 * again: a byte that nobody asked for, a head that two readers could read differently, a body whose
 * end nobody could tell from a cut ends the connection. Invariant: each exchange is settled exactly
 * once, in the order of asking, and no sink gets more bytes than the head announced.
 */
import { LocalError } from "../destination/error.ts";
import { PUMP_BYTES } from "../receive/pump.ts";
import { type Sink, UNKNOWN_LENGTH } from "../receive/sink.ts";
import { MOVED } from "../receive/splice.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { parseReplyHead, type ReplyHead } from "../wire/http/replyhead.ts";
import { REPLY_HEAD_BYTES_MAX, ReplyReader } from "../wire/http/replyreader.ts";
import { printable } from "../wire/printable.ts";
import type { ServerAddress } from "./address.ts";
import type { SocketOwner } from "./dial.ts";
import {
  ClientError,
  incompleteError,
  localFailure,
  protocolError,
  stalledError,
  usageError,
} from "./error.ts";
import { HttpBody } from "./httpbody.ts";
import type { HttpExchange } from "./httpexchange.ts";
import { about } from "./message.ts";
import { SocketReader } from "./reader.ts";
import { RequestWriter } from "./requestwriter.ts";
import { StallTimer } from "./stall.ts";
import type { Throttle } from "./throttle.ts";

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
export class HttpSession implements SocketOwner {
  readonly #server: ServerAddress;
  readonly #socket: StreamSocket;
  #state: State = NOTHING;
  readonly #replies = new ReplyReader();
  readonly #socketReader: SocketReader;
  readonly #stall: StallTimer;
  readonly #writer: RequestWriter;
  /** Sent and not settled; the first is the one whose reply is being read. */
  readonly #inFlight: HttpExchange[] = [];
  readonly #waiting: HttpExchange[] = [];
  #answered = 0;
  #interim = 0;
  /** The server ends the connection behind the reply that is read. */
  #closing = false;

  constructor(
    socket: StreamSocket,
    server: ServerAddress,
    stallTimeoutMs: number,
    throttle: Throttle | null,
  ) {
    this.#socket = socket;
    this.#server = server;
    this.#writer = new RequestWriter(socket);
    this.#socketReader = new SocketReader(socket, this, throttle, server.secure === true);
    this.#stall = new StallTimer(stallTimeoutMs, () => this.#stalled());
  }

  /** Replies that have ended. */
  get answered(): number {
    return this.#answered;
  }

  /** True while another request may be made. */
  get takes(): boolean {
    return !this.#ended && !this.#closing;
  }

  /** Makes a request on a connection that takes one. It is settled later. */
  ask(exchange: HttpExchange): void {
    if (!this.takes) {
      exchange.fail(this.#unanswered(exchange));
      return;
    }
    this.#waiting.push(exchange);
    this.#send();
  }

  /** Ends the connection now. What is under way fails, with `reason` when there is one. */
  close(reason?: ClientError): void {
    this.#end(reason ?? usageError(this.#about("the connection was closed on this side")));
  }

  // --- events ---

  data(chunk: Buffer): void {
    if (this.#ended) return;
    const count = chunk.length;
    this.#replies.push(chunk);
    while (this.#step());
    this.#stall.touch(count);
    if (!this.#ended) this.#socketReader.spent(count);
  }

  /** A round of the pump: the next bytes of the body go from the socket straight into the sink. */
  pumped(): void {
    const state = this.#state;
    if (state.awaits !== "body" || state.body.sink?.pull === undefined) {
      this.#socketReader.useEvents();
      return;
    }
    const { head, body } = state;
    let moved: number = MOVED.ended;
    const most = Math.min(body.left, PUMP_BYTES);
    const pull = (): number => body.sink?.pull?.(this.#socket.fd, most) ?? MOVED.ended;
    if (!this.#local(() => (moved = pull()))) return;
    if (moved === MOVED.ended) {
      this.#socketReader.useEvents();
      return;
    }
    body.left -= moved;
    this.#stall.touch(moved);
    this.#socketReader.expect(body.left);
    if (body.left > 0) return;
    this.#socketReader.useEvents();
    this.#complete(head, body.sink);
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
    this.#end(new ClientError("unexpected", "EIO", error.stack ?? error.message));
  }

  // --- internal: sending ---

  get #ended(): boolean {
    return this.#state.awaits === "never";
  }

  /** Moves waiting requests into flight: one until the server has kept the connection once. */
  #send(): void {
    const most = this.#answered > 0 ? AHEAD_MAX : 1;
    while (!this.#closing && this.#inFlight.length < most) {
      const exchange = this.#waiting.shift();
      if (exchange === undefined) return;
      this.#inFlight.push(exchange);
      exchange.sent = true;
      this.#writer.send(exchange.request);
      if (this.#state.awaits === "nothing") this.#state = HEAD;
      this.#stall.start();
    }
  }

  // --- internal: receiving, one function a state; true while there is more to do ---

  #step(): boolean {
    const state = this.#state;
    switch (state.awaits) {
      case "nothing":
        return this.#replies.buffered > 0 && this.#violated(SURPLUS);
      case "head":
        return this.#head();
      case "body":
        return this.#body(state);
      case "never":
        return false;
    }
  }

  #head(): boolean {
    const text = this.#replies.head();
    const [exchange] = this.#inFlight;
    if (text === null || exchange === undefined) {
      if (!this.#replies.overflowed) return false;
      return this.#violated(`the head of a reply is longer than ${REPLY_HEAD_BYTES_MAX} bytes`);
    }
    const head = parseReplyHead(text);
    if (typeof head === "string") {
      const start = printable(text.slice(0, QUOTE_BYTES_MAX).split("\r\n")[0] ?? "");
      return this.#violated(`not a reply of HTTP/1.1: ${head} ("${start}")`);
    }
    if (head.status < 200) return this.#skip(head);
    this.#interim = 0;
    if (!head.persists) this.#closing = true;
    let sink: Sink | null = null;
    try {
      sink = exchange.head(head);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.#end(error);
      return false;
    }
    return this.#begin(exchange, head, sink);
  }

  /** 1xx: the reply itself follows. 101 would be another protocol, for which nobody asked. */
  #skip({ status }: ReplyHead): boolean {
    if (status === 101) return this.#violated("it switches to a protocol that nobody asked for");
    if (++this.#interim <= INTERIM_MAX) return true;
    return this.#violated(`more than ${INTERIM_MAX} interim replies`);
  }

  #begin(exchange: HttpExchange, head: ReplyHead, sink: Sink | null): boolean {
    const { status, length, chunked } = head;
    const none = exchange.bodyless || status === 204 || status === 304 || length === 0n;
    if (!none && sink === null && (chunked ? !head.persists : isLong(length))) {
      // Another connection costs less than what nobody wants.
      return this.#cutShort(head);
    }
    if (none) {
      if (!this.#local(() => sink?.begin(0))) return false;
      return this.#complete(head, sink);
    }
    // HTTP lets such a body end with the connection, where a cut looks like its end.
    if (!chunked && length === null) {
      return this.#violated("the reply does not say how long it is");
    }
    const promised = length === null ? UNKNOWN_LENGTH : Number(length);
    if (!Number.isSafeInteger(promised)) return this.#violated(`a body of ${length} bytes`);
    if (!this.#local(() => sink?.begin(promised))) return false;
    const body = new HttpBody(sink, length === null ? null : promised);
    this.#state = { awaits: "body", head, body };
    return true;
  }

  #body({ head, body }: Extract<State, { awaits: "body" }>): boolean {
    if (!this.#local(() => body.readOn(this.#replies))) return false;
    if (body.broken !== null) return this.#violated(body.broken);
    if (body.done) return this.#complete(head, body.sink);
    if (body.dropped > DROP_BYTES_MAX) return this.#cutShort(head);
    if (body.sink?.pulls === true) this.#socketReader.usePump(body.left);
    return false;
  }

  /** Every byte of the first exchange's reply has come. */
  #complete(head: ReplyHead, sink: Sink | null): boolean {
    if (!this.#local(() => sink?.end())) return false;
    const exchange = this.#inFlight.shift();
    if (exchange === undefined) return false;
    this.#answered += 1;
    this.#stall.touch(Infinity);
    this.#state = this.#inFlight.length > 0 ? HEAD : NOTHING;
    if (this.#closing) this.#finish();
    exchange.finish(head);
    this.#send();
    if (this.#state.awaits === "nothing") this.#stall.stop();
    return true;
  }

  // --- internal: endings ---

  /** The reply tells enough by its head: the connection ends instead of the body. */
  #cutShort(head: ReplyHead): boolean {
    const exchange = this.#inFlight.shift();
    this.#answered += 1;
    this.#finish();
    exchange?.finish(head);
    return false;
  }

  #finish(): void {
    this.#end(null);
  }

  /** Runs `action`, which writes to this machine's disk. False: the connection has been ended. */
  #local(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (error instanceof ClientError) this.#end(error);
      else if (error instanceof LocalError) {
        this.#end(localFailure(error, this.#about(error.message)));
      } else throw error;
      return false;
    }
  }

  #violated(how: string): boolean {
    this.#end(protocolError(this.#about(how)));
    return false;
  }

  #stalled(): void {
    if (this.#socketReader.paused) {
      this.#stall.start();
      return;
    }
    const seconds = this.#stall.timeoutMs / 1000;
    this.#end(stalledError(this.#about(`nothing came for ${seconds} s`)));
  }

  #cutOff(how: string): void {
    const state = this.#state;
    const began = state.awaits === "body";
    const owed = began ? state.body.left : 0;
    const left = owed > 0 ? `, with ${owed} bytes still to come` : "";
    const unanswered = !began && this.#replies.buffered === 0;
    this.#end(incompleteError(this.#about(`${how}${left}`), unanswered));
  }

  /**
   * Ends the connection, the only place that does. The first exchange fails with `error` (null: it
   * was settled), those behind it as unanswered.
   */
  #end(error: ClientError | null): void {
    if (this.#state.awaits === "never") return;
    this.#state = NEVER;
    this.#stall.stop();
    this.#socketReader.close();
    this.#replies.discard();
    this.#writer.stop();
    this.#socket.terminate();
    const left = [...this.#inFlight, ...this.#waiting];
    this.#inFlight.length = 0;
    this.#waiting.length = 0;
    for (const [index, exchange] of left.entries()) {
      // What the caller stopped is not asked again, in whatever place it waited.
      const own = error !== null && (index === 0 || error.kind === "aborted");
      exchange.fail(own ? error : this.#unanswered(exchange));
    }
  }

  #unanswered({ path }: HttpExchange): ClientError {
    const text = about("the connection ended before its turn", this.#server, path);
    return incompleteError(text, true);
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

function isLong(length: bigint | null): boolean {
  return length === null || length > DROP_BYTES_MAX;
}
