/**
 * The client of the library: connect() gives a Client with one connection, whose methods each make
 * one request. Any number may be under way; they are pipelined and answered in order. It does not
 * reconnect: once the connection has ended every call fails with the reason.
 *
 *   const server = await connect({ host: "127.0.0.1" });
 *   const { bytes } = await server.bytes("/README.md");
 *   server.close();
 */
import { type OptionNames, refuseUnknown } from "../guard/options.ts";
import type { TrustOptions } from "../identity/trust.ts";
import { BytesSink, type Sink } from "../receive/sink.ts";
import { type ByteString, byteStringOf, bytesOf } from "../wire/bytes.ts";
import { type Algo, DIGESTS, isAlgo } from "../wire/digest.ts";
import type { Entry } from "../wire/entry.ts";
import { NUMBER_MAX } from "../wire/number.ts";
import { isEtag, LIST_ENTRIES_MAX, PORT_MAX } from "../wire/vocabulary.ts";
import { pathBytes, SERVER_DEFAULT } from "./address.ts";
import { CONNECT_TIMEOUT_MS } from "./dial.ts";
import { usageError } from "./error.ts";
import type { ListPage, Pong, ReadResult } from "./exchange.ts";
import type { Digests } from "./hash.ts";
import { STALL_TIMEOUT_MS } from "./stall.ts";
import type { Throttle } from "./throttle.ts";
import { openWireClient, type WireClient } from "./wireclient.ts";

/** Where to connect, and how long to wait. */
export interface ConnectOptions {
  /** A name or an address, IPv6 without brackets; 127.0.0.1 when not given. */
  readonly host?: string;
  /** 1..65535; 6464 when not given. */
  readonly port?: number;
  /** Milliseconds until connect() gives up; 10,000 when not given. */
  readonly connectTimeoutMs?: number;
  /** By TLS; false when not given. */
  readonly secure?: boolean;
  /** How the server is known then; by the system's authorities when not given. */
  readonly trust?: TrustOptions;
  /** What the server is shown before anything is asked, by TLS or on this machine; none. */
  readonly token?: string;
  /**
   * Milliseconds without a byte after which a request under way is given up; 60,000 when not given.
   */
  readonly stallTimeoutMs?: number;
  /** The rate that its bytes keep, together with others that share it; none when not given. */
  readonly throttle?: Throttle;
}

/** A path of text is sent in UTF-8; one of bytes is sent as it is. It starts with "/". */
export type Path = string | Uint8Array;

/** The part of a file and its version. */
export interface ReadOptions {
  /** First byte wanted; 0 when not given. Past the end is ERANGE. */
  readonly offset?: bigint | number;
  /** Most bytes wanted; to the end when not given. */
  readonly length?: bigint | number;
  /** The `etag` of an earlier result: ESTALE when the file has another version now. */
  readonly ifEtag?: string;
}

/** The bytes that are hashed, and how: as DigestRange, also in numbers. */
export interface HashOptions {
  /** First byte; 0 when not given. */
  readonly offset?: bigint | number;
  /** Most bytes; to the end when not given. */
  readonly length?: bigint | number | null;
  /** Bytes under one digest, at least 1; the server chooses when not given. */
  readonly chunk?: bigint | number | null;
  /** XXH3 with 64 bits when not given. */
  readonly algo?: Algo;
}

/** Most bytes of bytes() unless it is told otherwise: 64 MiB. */
export const BYTES_MAX = 67_108_864;

/** Longest timeout of setTimeout(), in milliseconds; a longer one fires at once. */
const TIMEOUT_MS_MAX = 2_147_483_647;

const OPTIONS: OptionNames<ConnectOptions> = {
  host: true,
  port: true,
  secure: true,
  trust: true,
  token: true,
  connectTimeoutMs: true,
  stallTimeoutMs: true,
  throttle: true,
};

/**
 * Connects. Rejects with ClientError of the kind "no-connection" (nobody there), "timed-out" (no
 * answer in time) or "usage" (bad options).
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  refuseUnknown("connect()", options, OPTIONS);
  const { host = SERVER_DEFAULT.host, port = SERVER_DEFAULT.port } = options;
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, stallTimeoutMs = STALL_TIMEOUT_MS } = options;
  if (host === "" || !Number.isInteger(port) || port < 1 || port > PORT_MAX) {
    throw usageError(`connect() takes a host and a port from 1 to ${PORT_MAX}`);
  }
  for (const timeoutMs of [connectTimeoutMs, stallTimeoutMs]) {
    if (timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX) continue;
    throw usageError(`a timeout is a number of milliseconds from 1 to ${TIMEOUT_MS_MAX}`);
  }
  const { throttle, token, secure = false, trust = {} } = options;
  const settings = {
    ...{ connectTimeoutMs, stallTimeoutMs, trust },
    ...(throttle && { throttle }),
    ...(token !== undefined && { token }),
  };
  return new Client(await openWireClient({ host, port, secure }, settings));
}

/**
 * A connection to a server. Every method rejects with ClientError, whose `code` and `kind` say why.
 */
export class Client implements Disposable {
  readonly #client: WireClient;

  /** For connect(). */
  constructor(client: WireClient) {
    this.#client = client;
  }

  /** Requests answered so far, refusals included. */
  get answered(): number {
    return this.#client.answered;
  }

  /** False once the connection has ended. */
  get open(): boolean {
    return this.#client.open;
  }

  /** True while no request is under way. */
  get idle(): boolean {
    return this.#client.idle;
  }

  /**
   * Reads a file or a part of one into `sink`, which gets exactly what the reply promised, while it
   * comes. Rejects with the server's errno (ENOENT, EACCES, ESTALE, ...) or in one of these kinds:
   * "incomplete" when the connection ended first, "local" when the sink threw LocalError and
   * "unexpected" when it threw anything else (the connection is then ended: its rest is unread),
   * "timed-out" after a stall, "protocol" for a broken reply.
   */
  async read(path: Path, options: ReadOptions & { readonly sink: Sink }): Promise<ReadResult> {
    const { offset = 0, length, ifEtag, sink } = options;
    return this.#client.read(pathBytes(path), sink, {
      offset: wireNumber(offset, "offset"),
      ...(length !== undefined && { length: wireNumber(length, "length") }),
      ...(ifEtag !== undefined && { ifEtag: wireEtag(ifEtag) }),
    });
  }

  /**
   * The same into memory: rejects (kind "usage") when there are more than `bytesMax` bytes (64 MiB
   * unless given), with the connection still in step.
   */
  async bytes(
    path: Path,
    options: ReadOptions & { readonly bytesMax?: number } = {},
  ): Promise<ReadResult & { readonly bytes: Uint8Array }> {
    const { bytesMax = BYTES_MAX, length = bytesMax, ...range } = options;
    if (wireNumber(length, "length") > wireNumber(bytesMax, "bytesMax"))
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
    return this.#client.stat(pathBytes(path));
  }

  /**
   * One page of a directory, sorted by bytes: at most `limit` entries (1..4096), those behind
   * `after` when given. Names are bytes, one a character, and not yet safe to use as a path.
   */
  async list(
    path: Path,
    options: { readonly limit?: number; readonly after?: Path } = {},
  ): Promise<ListPage> {
    const { limit = LIST_ENTRIES_MAX, after = "" } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > LIST_ENTRIES_MAX) {
      throw usageError(`limit is a number from 1 to ${LIST_ENTRIES_MAX}`);
    }
    return this.#client.list(pathBytes(path), nameBytes(after), limit);
  }

  /** Digests of a file's range, computed by the server from what it would send. */
  async hash(path: Path, range: HashOptions = {}): Promise<Digests> {
    const { offset = 0, length = null, chunk = null, algo = "xxh3" } = range;
    if (!isAlgo(algo)) throw usageError(`algo is ${Object.keys(DIGESTS).join(" or ")}`);
    if (chunk !== null && wireNumber(chunk, "chunk") === 0n) {
      throw usageError("chunk is at least 1 byte");
    }
    return this.#client.hash(pathBytes(path), {
      offset: wireNumber(offset, "offset"),
      length: length === null ? null : wireNumber(length, "length"),
      chunk: chunk === null ? null : wireNumber(chunk, "chunk"),
      algo,
    });
  }

  /** A round trip that touches no file. */
  async ping(): Promise<Pong> {
    return this.#client.ping();
  }

  /** Ends the connection now; requests under way reject. */
  close(): void {
    this.#client.close();
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
  if (isEtag(etag)) return etag;
  throw usageError(`ifEtag is what an earlier result calls etag, not "${etag.slice(0, 64)}"`);
}

function nameBytes(name: Path): ByteString {
  return typeof name === "string" ? bytesOf(name) : byteStringOf(name);
}
