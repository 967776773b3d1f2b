/**
 * A connection to a server with one method a verb, for this program's own use: paths are byte
 * strings and nothing is checked twice. What a library gets is connect.ts's, which wraps this.
 *
 * Any number of requests may be under way; they are pipelined and answered in order. It does not
 * reconnect: a connection that broke stays broken, and says why to every later call.
 */
import type { Sink } from "../receive/sink.ts";
import type { StreamSocket } from "../sys/socket.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Entry } from "../wire/entry.ts";
import { LIST_ENTRIES_MAX } from "../wire/vocabulary.ts";
import type { ServerAddress } from "./address.ts";
import { dial } from "./dial.ts";
import type { ClientError } from "./error.ts";
import {
  type Exchange,
  ListExchange,
  type ListPage,
  PingExchange,
  type Pong,
  ReadExchange,
  type ReadResult,
  StatExchange,
} from "./exchange.ts";
import { type DigestRange, type Digests, HashExchange } from "./hash.ts";
import { Session } from "./session.ts";
import type { Throttle } from "./throttle.ts";

/** How long to wait, in milliseconds, and how fast to read. */
export interface Patience {
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  /** The rate that all connections keep together. */
  readonly throttle?: Throttle;
  /** Once it aborts nobody connects any more; its reason is a ClientError. */
  readonly signal?: AbortSignal;
}

/** Which part of which version; all of the newest one when nothing is said. */
export interface ReadRange {
  readonly offset?: bigint;
  /** Most bytes; to the end when not given. */
  readonly length?: bigint;
  /** Only this version, else ESTALE. */
  readonly ifEtag?: string;
}

/** Connects to `server`. Rejects with ClientError: no connection, or timed out. */
export async function openWireClient(
  server: ServerAddress,
  patience: Patience,
): Promise<WireClient> {
  const { connectTimeoutMs, stallTimeoutMs, throttle = null, signal = null } = patience;
  const own = (socket: StreamSocket) => new Session(socket, server, stallTimeoutMs, throttle);
  return new WireClient(await dial(server, connectTimeoutMs, own, signal));
}

/** The verbs of S6/1 on one connection. Paths start with "/". All reject with ClientError. */
export class WireClient {
  readonly #session: Session;

  /** For openWireClient(). */
  constructor(session: Session) {
    this.#session = session;
  }

  /** Requests answered so far, refusals included. */
  get answered(): number {
    return this.#session.answered;
  }

  /** False once the connection has ended. */
  get open(): boolean {
    return this.#session.open;
  }

  /** True while nothing is under way. */
  get idle(): boolean {
    return this.#session.idle;
  }

  /** READ into `sink`, which gets exactly what the reply promised, while it comes. */
  read(path: ByteString, sink: Sink, range: ReadRange = {}): Promise<ReadResult> {
    const { offset = 0n, length = null, ifEtag = null } = range;
    return this.ask(new ReadExchange(path, sink, offset, length, ifEtag));
  }

  /** STAT. */
  stat(path: ByteString): Promise<Entry> {
    return this.ask(new StatExchange(path));
  }

  /** LIST: one page of at most `limit` entries behind `after`; "" starts at the beginning. */
  list(
    path: ByteString,
    after: ByteString = "",
    limit: number = LIST_ENTRIES_MAX,
  ): Promise<ListPage> {
    return this.ask(new ListExchange(path, limit, after));
  }

  /** HASH. */
  hash(path: ByteString, range: Partial<DigestRange> = {}): Promise<Digests> {
    const { offset = 0n, length = null, chunk = null, algo = "xxh3" } = range;
    return this.ask(new HashExchange(path, { offset, length, chunk, algo }));
  }

  /** PING. */
  ping(): Promise<Pong> {
    return this.ask(new PingExchange());
  }

  /** Makes the request of `exchange`; resolves to what it brings. */
  ask<T>(exchange: Exchange & { readonly done: PromiseWithResolvers<T> }): Promise<T> {
    this.#session.ask(exchange);
    return exchange.done.promise;
  }

  /** Ends the connection now; requests under way reject, with `reason` when there is one. */
  close(reason?: ClientError): void {
    this.#session.close(reason);
  }
}
