/**
 * One connection of a client and the exchanges on it, whatever their dialect: what waits and is in
 * flight, the two ways by which a body comes, and every way in which it can end. A dialect's
 * session adds how requests are written and replies are read.
 *
 * It owns the socket, its reader, writer and timer. Invariant: each exchange is settled exactly
 * once, in the order of asking, and behind the end nothing is read or sent.
 */
import { LocalError } from "../destination/error.ts";
import { PUMP_BYTES } from "../receive/pump.ts";
import type { Sink } from "../receive/sink.ts";
import { MOVED } from "../receive/splice.ts";
import { tlsFaultOf } from "../sys/errno.ts";
import type { StreamSocket } from "../sys/socket.ts";
import type { ByteString } from "../wire/bytes.ts";
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
import { about } from "./message.ts";
import { SocketReader } from "./reader.ts";
import { RequestWriter } from "./requestwriter.ts";
import { StallTimer } from "./stall.ts";
import type { Throttle } from "./throttle.ts";

/** What is asked and settled, as its conversation sees it. */
export interface Asked {
  /** For messages; "" for what has no path. */
  readonly path: ByteString;
  /** Settles with an error. */
  fail(error: ClientError): void;
}

/** A body that is being read, of which `left` bytes are still to come. */
export interface Body {
  readonly sink: Sink | null;
  left: number;
}

/** What a violation is called for which nobody asked. */
export const SURPLUS = "the server sent bytes that nobody asked for";

/** Most bytes of another protocol's reply that a message quotes. */
export const QUOTE_BYTES_MAX = 64;

/** The part of a session that is the same for all dialects. */
export abstract class Conversation<Exchange extends Asked> implements SocketOwner {
  /** Sent and not settled; the first is the one whose reply is being read. */
  protected readonly inFlight: Exchange[] = [];
  protected readonly waiting: Exchange[] = [];
  protected readonly server: ServerAddress;
  protected readonly reader: SocketReader;
  protected readonly writer: RequestWriter;
  protected readonly stall: StallTimer;
  /** Replies that have ended. */
  protected settled = 0;
  readonly #socket: StreamSocket;
  #over = false;

  constructor(
    socket: StreamSocket,
    server: ServerAddress,
    stallTimeoutMs: number,
    throttle: Throttle | null = null,
  ) {
    this.#socket = socket;
    this.server = server;
    this.writer = new RequestWriter(socket);
    this.reader = new SocketReader(socket, this, throttle, server.secure === true);
    this.stall = new StallTimer(
      stallTimeoutMs,
      () => this.#stalled(),
      () => !this.reader.paused,
    );
  }

  /** Replies that have ended, errors included. */
  get answered(): number {
    return this.settled;
  }

  /** False once the connection has ended. */
  get open(): boolean {
    return !this.#over;
  }

  /** True while no request waits or is in flight. */
  get idle(): boolean {
    return this.inFlight.length + this.waiting.length === 0;
  }

  /** Ends the connection now. What is under way fails, with `reason` when there is one. */
  close(reason?: ClientError): void {
    const error = reason ?? usageError(this.about("the connection was closed on this side"));
    this.finish(error, this.idle);
  }

  // --- what a dialect adds ---

  /** Takes bytes over. */
  protected abstract push(chunk: Buffer): void;
  /** Does the next thing with the bytes that have come; true while there is more to do. */
  protected abstract step(): boolean;
  /** The body that is being read, or null. */
  protected abstract get body(): Body | null;
  /** Every byte of `body` is in its sink; false when the connection has been ended. */
  protected abstract complete(body: Body): boolean;
  /** How much of a reply has come and is missing, for a message; `began`: some of it has come. */
  protected abstract get progress(): { readonly text: string; readonly began: boolean };
  /** Lets go of bytes that have come; `error` is why it ended, null where all was well. */
  protected abstract forget(error: ClientError | null): void;

  // --- events ---

  data(chunk: Buffer): void {
    if (this.#over) return;
    const count = chunk.length;
    this.push(chunk);
    while (this.step());
    this.stall.touch(count);
    if (!this.#over) this.reader.spent(count);
  }

  /**
   * A round of the pump: the next bytes of the body go from the socket straight into the sink. What
   * is thrown ends this connection alone, as in an event: the pump has others in the same round.
   */
  pumped(): void {
    try {
      this.#pull();
    } catch (error) {
      this.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  drain(): void {
    this.writer.drain();
  }

  end(): void {
    this.#cutOff("the server closed the connection");
  }

  closed(_error: Error | null): void {
    this.#cutOff("the connection was reset");
  }

  failed(error: Error): void {
    const theirs = tlsFaultOf(error);
    if (theirs !== null) this.#cutOff(`the TLS connection broke (${theirs})`);
    else this.finish(new ClientError("unexpected", "EIO", error.stack ?? error.message));
  }

  // --- endings ---

  /**
   * Runs `action`, which writes to this machine's disk or terminal. False when it failed: then the
   * connection has been ended.
   */
  protected local(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (error instanceof ClientError) this.finish(error);
      else if (error instanceof LocalError) {
        this.finish(localFailure(error, this.about(error.message)));
      } else throw error;
      return false;
    }
  }

  /** The peer broke the protocol: always false, for who goes on with it. */
  protected violated(how: string): false {
    this.finish(protocolError(this.about(how)));
    return false;
  }

  /**
   * Ends the connection, the only place that does; `orderly` by FIN, else by RST. The first
   * exchange fails with `error` (null: it was settled), those behind it as unanswered.
   */
  protected finish(error: ClientError | null, orderly = false): void {
    if (this.#over) return;
    this.#over = true;
    this.stall.stop();
    this.reader.close();
    this.forget(error);
    this.writer.stop();
    if (orderly) this.#socket.end();
    else this.#socket.terminate();
    const left = [...this.inFlight, ...this.waiting];
    this.inFlight.length = 0;
    this.waiting.length = 0;
    for (const [index, exchange] of left.entries()) {
      // What the caller stopped is not asked again, in whatever place it waited.
      const own = error !== null && (index === 0 || error.kind === "aborted");
      exchange.fail(own ? error : this.unanswered(exchange));
    }
  }

  /** The error for an exchange of which no byte has come. */
  protected unanswered(
    { path }: Asked,
    text = "the connection ended before its turn",
  ): ClientError {
    return incompleteError(about(text, this.server, path), true);
  }

  /** `text` with the path of the exchange whose reply is due, and the server. */
  protected about(text: string): string {
    return about(text, this.server, this.inFlight[0]?.path ?? "");
  }

  // --- internal ---

  #pull(): void {
    const body = this.body;
    const sink = body?.sink;
    if (body === null || sink?.pull === undefined) {
      this.reader.useEvents();
      return;
    }
    let moved: number = MOVED.ended;
    const most = Math.min(body.left, PUMP_BYTES);
    if (!this.local(() => (moved = sink.pull?.(this.#socket.fd, most) ?? MOVED.ended))) return;
    if (moved === MOVED.ended) {
      this.reader.useEvents();
      return;
    }
    body.left -= moved;
    this.stall.touch(moved);
    this.reader.expect(body.left);
    if (body.left > 0) return;
    this.reader.useEvents();
    this.complete(body);
  }

  #stalled(): void {
    const seconds = this.stall.timeoutMs / 1000;
    this.finish(stalledError(this.about(`nothing came for ${seconds} s`)));
  }

  #cutOff(how: string): void {
    const { text, began } = this.progress;
    this.finish(incompleteError(this.about(how + text), !began));
  }
}
