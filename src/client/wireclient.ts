/**
 * A connection with one method for each verb of S6/1, for use inside this program: paths are byte
 * strings, and arguments are not checked. connect.ts wraps it for users of the library.
 *
 * Any number of requests may be under way; they are pipelined and answered in order. It does not
 * reconnect: once the connection has ended every call fails with the reason.
 */
import type { TrustOptions } from "../identity/trust.ts";
import type { Sink } from "../receive/sink.ts";
import type { StreamSocket } from "../sys/socket.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Entry } from "../wire/entry.ts";
import { LIST_ENTRIES_MAX } from "../wire/vocabulary.ts";
import type { ServerAddress } from "./address.ts";
import { AuthExchange, tokenFor, type TokenOption } from "./auth.ts";
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
export interface ConnectionSettings {
  readonly connectTimeoutMs: number;
  readonly stallTimeoutMs: number;
  /** The rate that all connections keep together. */
  readonly throttle?: Throttle;
  /** How servers are known that are reached by TLS. */
  readonly trust?: TrustOptions;
  /** What servers are shown before anything is asked; none when not given. */
  readonly token?: TokenOption;
  /** Whether it is also shown in plaintext to other machines. */
  readonly insecureAuth?: boolean;
  /** Once it aborts nobody connects any more; its reason is a ClientError. */
  readonly signal?: AbortSignal;
}

/** The part of a file and its version; by default all of the current version. */
export interface ReadRange {
  readonly offset?: bigint;
  /** Most bytes; to the end when not given. */
  readonly length?: bigint;
  /** The version that is wanted; ESTALE when the file has another one. */
  readonly ifEtag?: string;
}

/** Connects to `server`. Rejects with ClientError: no connection, or timed out. */
export async function openWireClient(
  server: ServerAddress,
  settings: ConnectionSettings,
): Promise<WireClient> {
  const { connectTimeoutMs, stallTimeoutMs, throttle = null, signal, trust } = settings;
  const own = (socket: StreamSocket) => new Session(socket, server, stallTimeoutMs, throttle);
  const token = tokenFor(server, settings.token, settings.insecureAuth ?? false);
  const session = await dial(server, connectTimeoutMs, own, { signal, trust });
  if (token !== null) {
    const shown = new AuthExchange(token);
    session.ask(shown);
    await shown.done.promise.catch((error: unknown) => {
      session.close();
      throw error;
    });
  }
  return new WireClient(session);
}

/** The verbs of S6/1 on one connection. Paths start with "/". All reject with ClientError. */
export class WireClient {
  readonly #session: Session;
  /** The server has told of names that it left out. */
  #tells = false;

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

  /** True while no request is under way. */
  get idle(): boolean {
    return this.#session.idle;
  }

  /**
   * READ into `sink`, which gets the bytes as they arrive, exactly as many as the reply promised.
   */
  read(path: ByteString, sink: Sink, range: ReadRange = {}): Promise<ReadResult> {
    const { offset = 0n, length = null, ifEtag = null } = range;
    return this.ask(new ReadExchange(path, sink, offset, length, ifEtag));
  }

  /** STAT. */
  stat(path: ByteString): Promise<Entry> {
    return this.ask(new StatExchange(path));
  }

  /**
   * LIST: one page of at most `limit` entries behind `after`; "" starts at the beginning. The first
   * page that leaves names out is asked for again, with them: before that the server may be one
   * that does not know the key.
   */
  async list(
    path: ByteString,
    after: ByteString = "",
    limit: number = LIST_ENTRIES_MAX,
  ): Promise<ListPage> {
    const exchange = new ListExchange(path, limit, after, this.#tells);
    const page = await this.ask(exchange);
    if (exchange.unnamed === 0) return page;
    this.#tells = true;
    return this.ask(new ListExchange(path, limit, after, true));
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

  /** Makes the request of `exchange` and resolves to its result. */
  ask<T>(exchange: Exchange & { readonly done: PromiseWithResolvers<T> }): Promise<T> {
    this.#session.ask(exchange);
    return exchange.done.promise;
  }

  /** Ends the connection now; requests under way reject, with `reason` when there is one. */
  close(reason?: ClientError): void {
    this.#session.close(reason);
  }
}
