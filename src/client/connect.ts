/**
 * A server as a library sees it: connect() gives a Client, whose methods each make one request. Any
 * number may be under way at once on its one connection; they are pipelined and answered in order.
 * It does not reconnect: a connection that broke stays broken, and says why to every later call.
 *
 *   const server = await connect({ host: "127.0.0.1" });
 *   const { bytes } = await server.bytes("/README.md");
 *   server.close();
 */
import { BytesSink, type Sink } from "../flow/sink.ts";
import type { StreamSocket } from "../sys/socket.ts";
import type { Entry } from "../wire/entry.ts";
import { bytesOf } from "../wire/escape.ts";
import { DIGITS_MAX } from "../wire/number.ts";
import { type ByteString, ETAG_CHARS_MAX, LIST_ENTRIES_MAX } from "../wire/vocabulary.ts";
import { pathBytes, type Server, SERVER_DEFAULT } from "./address.ts";
import { CONNECT_TIMEOUT_MS, dial } from "./dial.ts";
import { type DigestRange, type Digests, HashExchange } from "./digests.ts";
import { usageError } from "./error.ts";
import {
  type Exchange,
  ListExchange,
  type Listing,
  PingExchange,
  type Pong,
  ReadExchange,
  type ReadResult,
  StatExchange,
} from "./exchange.ts";
import { Session } from "./session.ts";
import { STALL_TIMEOUT_MS } from "./stall.ts";
import type { Throttle } from "./throttle.ts";

/** Where to connect, and how long to wait. */
export interface ConnectOptions {
  /** A name or an address, IPv6 without brackets; 127.0.0.1 when not given. */
  readonly host?: string;
  /** 1..65535; 6464 when not given. */
  readonly port?: number;
  /** Milliseconds until connect() gives up; 10,000 when not given. */
  readonly connectTimeoutMs?: number;
  /**
   * Milliseconds without a byte after which a request under way is given up; 60,000 when not given.
   */
  readonly stallTimeoutMs?: number;
  /** The rate that its bytes keep, together with others that share it; none when not given. */
  readonly throttle?: Throttle;
}

/** A path of text is sent in UTF-8; one of bytes is sent as it is. It starts with "/". */
export type Path = string | Uint8Array;

/** Which part of which version. */
export interface Range {
  /** First byte wanted; 0 when not given. Past the end is ERANGE. */
  readonly offset?: bigint | number;
  /** Most bytes wanted; to the end when not given. */
  readonly length?: bigint | number;
  /** Only this version, else ESTALE: what earlier results call `etag`. */
  readonly ifEtag?: string;
}

/** Most bytes that bytes() holds when nothing else is said: 64 MiB. */
export const BYTES_MAX = 67_108_864;

/** The longest that a timer can wait; beyond, it would fire at once. */
const TIMEOUT_MS_MAX = 2_147_483_647;

const NUMBER_MAX = 10n ** BigInt(DIGITS_MAX) - 1n;

/**
 * Connects. Rejects with ClientError: exit 7 (nobody there), 10 (no answer in time), 2 (bad
 * options).
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const { host = SERVER_DEFAULT.host, port = SERVER_DEFAULT.port } = options;
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, stallTimeoutMs = STALL_TIMEOUT_MS } = options;
  if (host === "" || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw usageError("connect() takes a host and a port from 1 to 65535");
  }
  for (const timeoutMs of [connectTimeoutMs, stallTimeoutMs]) {
    if (timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX) continue;
    throw usageError(`a timeout is a number of milliseconds from 1 to ${TIMEOUT_MS_MAX}`);
  }
  const server: Server = { host, port };
  const { throttle = null } = options;
  const own = (socket: StreamSocket) => new Session(socket, server, stallTimeoutMs, throttle);
  return new Client(await dial(server, connectTimeoutMs, own));
}

/**
 * A connection to a server. Every method rejects with ClientError, whose `code` and `exit` say why.
 */
export class Client implements Disposable {
  readonly #session: Session;

  /** For connect(). */
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

  /**
   * Reads a file or a part of one into `sink`, which gets exactly what the reply promised, while it
   * comes. Rejects with the server's errno (ENOENT exit 3, EACCES 4, ESTALE 6, ...), 5 when the
   * connection ended first, 9 when the sink threw (the connection is then ended: its rest is
   * unread), 10 after a stall, 11 when the reply breaks the protocol.
   */
  async read(path: Path, options: Range & { readonly sink: Sink }): Promise<ReadResult> {
    const { offset = 0, length, ifEtag } = options;
    const exchange = new ReadExchange(
      pathBytes(path),
      options.sink,
      wireNumber(offset, "offset"),
      length === undefined ? null : wireNumber(length, "length"),
      ifEtag === undefined ? null : wireEtag(ifEtag),
    );
    return this.ask(exchange);
  }

  /**
   * The same into memory: rejects (exit 2) when there are more than `bytesMax` bytes (64 MiB unless
   * given), with the connection still in step.
   */
  async bytes(
    path: Path,
    options: Range & { readonly bytesMax?: number } = {},
  ): Promise<ReadResult & { readonly bytes: Uint8Array }> {
    const { bytesMax = BYTES_MAX, length = bytesMax, ...range } = options;
    if (BigInt(length) > BigInt(bytesMax))
      throw usageError(`length is over bytesMax (${bytesMax})`);
    const sink = new BytesSink(bytesMax);
    const result = await this.read(path, { ...range, length, sink });
    const end = result.offset + BigInt(result.length);
    if (options.length === undefined && end < result.size) {
      throw usageError(`the file has ${result.size} bytes: ask for ranges, or raise bytesMax`);
    }
    return { ...result, bytes: sink.bytes };
  }

  /** What `path` is. */
  async stat(path: Path): Promise<Entry> {
    return this.ask(new StatExchange(pathBytes(path)));
  }

  /**
   * One page of a directory, sorted by bytes: at most `limit` entries (1..4096), those behind
   * `after` when given. Names are bytes, one a character, and not yet safe to use as a path.
   */
  async list(
    path: Path,
    options: { readonly limit?: number; readonly after?: Path } = {},
  ): Promise<Listing> {
    const { limit = LIST_ENTRIES_MAX, after = "" } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > LIST_ENTRIES_MAX) {
      throw usageError(`limit is a number from 1 to ${LIST_ENTRIES_MAX}`);
    }
    return this.ask(new ListExchange(pathBytes(path), limit, nameBytes(after)));
  }

  /** Digests of a file's range, computed by the server from what it would send. */
  async hash(path: Path, range: Partial<DigestRange> = {}): Promise<Digests> {
    const { offset = 0n, length = null, chunk = null, algo = "xxh3" } = range;
    return this.ask(new HashExchange(pathBytes(path), { offset, length, chunk, algo }));
  }

  /** A round trip that touches no file. */
  async ping(): Promise<Pong> {
    return this.ask(new PingExchange());
  }

  /** Makes the request of `exchange`; resolves to what it brings. */
  ask<T>(exchange: Exchange & { readonly done: PromiseWithResolvers<T> }): Promise<T> {
    this.#session.ask(exchange);
    return exchange.done.promise;
  }

  /** Ends the connection now; requests under way reject. */
  close(): void {
    this.#session.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

// --- internal ---

function wireNumber(value: bigint | number, name: string): bigint {
  const whole = typeof value === "bigint" || Number.isSafeInteger(value);
  if (whole && value >= 0 && value <= NUMBER_MAX) return BigInt(value);
  throw usageError(`${name} is a whole number from 0 to ${NUMBER_MAX}`);
}

function wireEtag(etag: string): string {
  if (/^[!-~]+$/.test(etag) && etag.length <= ETAG_CHARS_MAX) return etag;
  throw usageError(`ifEtag is what an earlier result calls etag, not "${etag.slice(0, 64)}"`);
}

function nameBytes(name: Path): ByteString {
  return typeof name === "string" ? bytesOf(name) : Buffer.from(name).toString("latin1");
}
