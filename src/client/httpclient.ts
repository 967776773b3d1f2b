/**
 * A server of HTTP/1.1 as the engine sees one: files by GET, whole or in parts of one version. It
 * follows redirects, opens another connection where the server has closed the last one between two
 * replies, and says in errno names what a status says.
 *
 * A version is a strong validator (wire/http/validator.ts). Each request for a part carries it in
 * If-Range, and each reply must name it: a 200, another validator or another range than asked is
 * ESTALE, as with S6/1, and no byte of it gets into a sink.
 */
import type { Sink } from "../receive/sink.ts";
import type { StreamSocket } from "../sys/socket.ts";
import type { ByteString } from "../wire/bytes.ts";
import { type Entry, NO_TIME } from "../wire/entry.ts";
import { textOf } from "../wire/errors.ts";
import { parseHttpDate } from "../wire/http/date.ts";
import type { ReplyHead } from "../wire/http/replyhead.ts";
import { codeOfStatus } from "../wire/http/replystatus.ts";
import {
  hasValidator,
  parseContentRange,
  retryAfterMs,
  sha256Of,
  strongValidator,
} from "../wire/http/validator.ts";
import { printable } from "../wire/printable.ts";
import { serverKey, type ServerAddress } from "./address.ts";
import { dial } from "./dial.ts";
import { ClientError, protocolError, refusedError } from "./error.ts";
import type { ListPage, Pong, ReadResult } from "./exchange.ts";
import type { FileClient } from "./fileclient.ts";
import type { DigestRange, Digests } from "./hash.ts";
import { parseLocation } from "./httpaddress.ts";
import { HttpExchange, type HttpPart, type HttpWish } from "./httpexchange.ts";
import { HttpSession } from "./httpsession.ts";
import { about } from "./message.ts";
import type { ConnectionSettings, ReadRange } from "./wireclient.ts";

/** Redirects of one request. curl follows 50, browsers 20; a file's are one or two. */
const REDIRECTS_MAX = 10;

/** Asks to wait, and not to ask elsewhere. */
const TOO_MANY_REQUESTS = 429;

/** Servers that redirects may lead to, with a connection each; then the oldest one is left. */
const SESSIONS_MAX = 4;

/**
 * How often a request goes out again whose connection ended before its turn: a server that closes
 * after each reply ends two at a time. One that did not go out yet waits for the next connection,
 * and is not counted: each connection that ended has answered another one.
 */
const REPEATS_MAX = 8;

/** A server that is asked, and the path there. */
interface Place {
  readonly server: ServerAddress;
  readonly path: ByteString;
}

/** Connects to `server`. Rejects with ClientError: no connection, or timed out. */
export async function openHttpClient(
  server: ServerAddress,
  settings: ConnectionSettings,
): Promise<HttpClient> {
  const client = new HttpClient(server, settings);
  await client.connect();
  return client;
}

/** Files of one server of HTTP. */
export class HttpClient implements FileClient {
  readonly #server: ServerAddress;
  readonly #settings: ConnectionSettings;
  /** By serverKey() of the server; in the order of opening. */
  readonly #sessions = new Map<string, Promise<HttpSession>>();
  readonly #live = new Set<HttpSession>();
  /** Where a path of the server was found, if not there. As many as files are asked for. */
  readonly #found = new Map<ByteString, Place>();
  #underWay = 0;
  #answered = 0;
  /** Why it was closed. */
  #closed: { readonly reason: ClientError | undefined } | null = null;

  constructor(server: ServerAddress, settings: ConnectionSettings) {
    this.#server = server;
    this.#settings = settings;
  }

  get answered(): number {
    return this.#answered;
  }

  get open(): boolean {
    return this.#closed === null;
  }

  get idle(): boolean {
    return this.#underWay === 0;
  }

  /** Opens the first connection. */
  async connect(): Promise<void> {
    await this.#session(this.#server);
  }

  async read(path: ByteString, sink: Sink, range: ReadRange = {}): Promise<ReadResult> {
    const { offset = 0n, length = null, ifEtag = null } = range;
    if (ifEtag === null && offset === 0n && length === null) return this.#readAll(path, sink);
    const last = length === null ? null : offset + length - 1n;
    const part: HttpPart = { first: offset, last, validator: ifEtag ?? "" };
    const failed = (why: string): ClientError => {
      return refusedError("ESTALE", about(`${textOf("ESTALE")} (${why})`, this.#server, path));
    };
    const head = await this.#ask(path, { method: "GET", part }, (reply) => {
      const { status } = reply;
      if (status === 206) {
        const wrong = wrongPart(reply, part);
        if (wrong !== null) throw failed(wrong);
        return sink;
      }
      // It was within the file when it had this version.
      if (status === 200 || status === 412 || status === 416) {
        throw failed(`a part was asked for, the reply is ${status}`);
      }
      return null;
    });
    this.#mustBe(206, head, path);
    const named = parseContentRange(head.fields.get("content-range") ?? "");
    if (named === null) throw failed("no range");
    const count = Number(named.last - named.first + 1n);
    return { length: count, offset, size: named.size, etag: ifEtag ?? "", mtime: timeOf(head) };
  }

  /**
   * One byte is asked for: what comes says whether parts can be, and of what. Of an empty file
   * there is none, and only its head is asked for.
   */
  async stat(path: ByteString): Promise<Entry> {
    const part: HttpPart = { first: 0n, last: 0n, validator: "" };
    let head = await this.#ask(path, { method: "GET", part }, () => null);
    if (head.status === 206) {
      const range = parseContentRange(head.fields.get("content-range") ?? "");
      if (range !== null && range.first === 0n && range.last === 0n && head.length === 1n) {
        return entryOf(head, range.size, true);
      }
    }
    if (head.status === 206 || head.status === 416) {
      head = await this.#ask(path, { method: "HEAD", part: null }, () => null);
    }
    this.#mustBe(200, head, path);
    return entryOf(head, head.length, false);
  }

  /** No page of HTTP is a list that can be relied on. */
  async list(path: ByteString): Promise<ListPage> {
    throw this.#unable("a server of HTTP lists no folders", path);
  }

  /**
   * The SHA-256 of the whole file, if the server tells it (RFC 9530); of anything else, and where
   * it does not, ENOSYS.
   */
  async hash(path: ByteString, range: Partial<DigestRange> = {}): Promise<Digests> {
    const { algo = "xxh3", offset = 0n, length = null, chunk = null } = range;
    if (algo !== "sha256" || offset !== 0n || length !== null || chunk !== null) {
      throw this.#unable("HTTP has no digest but the sha256 of a whole file", path);
    }
    const wish = { method: "HEAD", part: null, digest: true } as const;
    const head = await this.#ask(path, wish, () => null);
    this.#mustBe(200, head, path);
    const hex = sha256Of(head.fields.get("repr-digest") ?? "");
    if (hex === null) throw this.#unable("the server tells no digest", path);
    const size = head.length ?? 0n;
    return { digests: [hex], chunk: size, algo, size, etag: strongValidator(head.fields) };
  }

  async ping(): Promise<Pong> {
    throw this.#unable("HTTP has no PING", "");
  }

  close(reason?: ClientError): void {
    if (this.#closed !== null) return;
    this.#closed = { reason };
    for (const session of this.#live) session.close(reason);
    this.#live.clear();
    this.#sessions.clear();
  }

  // --- internal: replies ---

  async #readAll(path: ByteString, sink: Sink): Promise<ReadResult> {
    const before = sink.written;
    const wish = { method: "GET", part: null } as const;
    const head = await this.#ask(path, wish, ({ status }) => (status === 200 ? sink : null));
    this.#mustBe(200, head, path);
    const length = sink.written - before;
    const etag = strongValidator(head.fields);
    const sha256 = sha256Of(head.fields.get("repr-digest") ?? "");
    const size = BigInt(length);
    return { length, offset: 0n, size, etag, mtime: timeOf(head), ...(sha256 && { sha256 }) };
  }

  /** Throws ClientError unless the reply has that status. */
  #mustBe(wanted: number, { status, reason, fields }: ReplyHead, path: ByteString): void {
    if (status === wanted) return;
    const said = `the server says ${status}${reason === "" ? "" : ` ${printable(reason)}`}`;
    if (status < 400) throw protocolError(about(said, this.#server, path));
    const error = refusedError(codeOfStatus(status), about(said, this.#server, path));
    if (status === 401) error.remedy = "log-in";
    error.retryAfterMs = retryAfterMs(fields.get("retry-after") ?? "", Date.now());
    throw error;
  }

  #unable(text: string, path: ByteString): ClientError {
    return refusedError("ENOSYS", about(text, this.#server, path));
  }

  // --- internal: requests ---

  /** The head of the reply behind all redirects. `judge` sees the heads of those that are none. */
  async #ask(
    path: ByteString,
    wish: HttpWish,
    judge: (head: ReplyHead) => Sink | null,
  ): Promise<ReplyHead> {
    this.#underWay += 1;
    try {
      const named = { server: this.#server, path };
      const known = this.#found.get(path);
      let place = known ?? named;
      let expires = known !== undefined;
      for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
        const head = await this.#askAt(place, wish, (reply) => {
          mustBePlain(reply, this.#server, path);
          return isRedirect(reply.status) ? null : judge(reply);
        });
        // What a redirect gave may hold for a while only, as signed addresses do: it is given anew.
        if (head.status >= 400) this.#found.delete(path);
        if (expires && isRefused(head.status)) {
          expires = false;
          place = named;
          continue;
        }
        if (!isRedirect(head.status)) return head;
        place = this.#redirected(head, place, path);
        this.#found.set(path, place);
      }
      throw protocolError(about(`more than ${REDIRECTS_MAX} redirects`, this.#server, path));
    } finally {
      this.#underWay -= 1;
    }
  }

  /** One reply, asked for again where the connection ended before its turn. */
  async #askAt(
    { server, path }: Place,
    wish: HttpWish,
    judge: (head: ReplyHead) => Sink | null,
  ): Promise<ReplyHead> {
    for (let repeats = 0; ;) {
      const session = await this.#session(server);
      const exchange = new HttpExchange(server, path, wish, judge);
      session.ask(exchange);
      try {
        const head = await exchange.done.promise;
        this.#answered += 1;
        return head;
      } catch (error) {
        // Where not one reply has ever come nobody is asked twice.
        const again = error instanceof ClientError && error.unanswered && session.answered > 0;
        if (exchange.sent) repeats += 1;
        if (!again || repeats > REPEATS_MAX || this.#closed !== null) throw error;
      } finally {
        if (!session.takes) this.#live.delete(session);
      }
    }
  }

  #redirected({ fields, status }: ReplyHead, from: Place, path: ByteString): Place {
    const location = fields.get("location") ?? "";
    const place = parseLocation(location, from.server, from.path);
    if (typeof place !== "string") return { server: place.server, path: place.path };
    const text = `the server redirects (${status}), and ${place}`;
    throw refusedError("ENOSYS", about(text, this.#server, path));
  }

  /** A connection to `server` that takes a request. */
  async #session(server: ServerAddress): Promise<HttpSession> {
    const key = serverKey({ ...server, http: { query: "" } });
    for (;;) {
      if (this.#closed !== null) throw this.#endedBy(this.#closed.reason);
      const known = this.#sessions.get(key);
      if (known === undefined) break;
      const session = await known;
      if (session.takes) return session;
      if (this.#sessions.get(key) === known) this.#sessions.delete(key);
    }
    this.#leaveOldest();
    const opening = this.#dial(server);
    this.#sessions.set(key, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.#sessions.get(key) === opening) this.#sessions.delete(key);
      throw error;
    }
  }

  async #dial(server: ServerAddress): Promise<HttpSession> {
    const { connectTimeoutMs, stallTimeoutMs, throttle = null, signal, trust } = this.#settings;
    const own = (socket: StreamSocket): HttpSession => {
      return new HttpSession(socket, server, stallTimeoutMs, throttle);
    };
    const session = await dial(server, connectTimeoutMs, own, { signal, trust });
    this.#live.add(session);
    if (this.#closed !== null) session.close(this.#closed.reason);
    return session;
  }

  /** What is under way on it goes on; the next request there connects again. */
  #leaveOldest(): void {
    if (this.#sessions.size < SESSIONS_MAX) return;
    const [oldest] = this.#sessions;
    if (oldest === undefined) return;
    const [key, opening] = oldest;
    this.#sessions.delete(key);
    const leave = (session: HttpSession): void => {
      session.leave();
      if (!session.open) this.#live.delete(session);
    };
    // Whoever opens it is told of a failure.
    opening.then(leave, () => {});
  }

  #endedBy(reason: ClientError | undefined): ClientError {
    return reason ?? protocolError(about("the connection was closed here", this.#server, ""));
  }
}

// --- internal ---

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** The address does not hold, as far as the server is to blame the one who asks. */
function isRefused(status: number): boolean {
  return status >= 400 && status < 500 && status !== TOO_MANY_REQUESTS;
}

/** Throws for a body that is not the file as it lies there: Accept-Encoding asked for that. */
function mustBePlain({ status, fields }: ReplyHead, server: ServerAddress, path: ByteString): void {
  const coding = fields.get("content-encoding");
  if (status >= 300 || coding === undefined || coding.toLowerCase() === "identity") return;
  const text = `the server sends it encoded ("${printable(coding.slice(0, 64))}"), unasked`;
  throw protocolError(about(text, server, path));
}

/** How a 206 is not what was asked for, or null. */
function wrongPart({ fields, length }: ReplyHead, { first, last, validator }: HttpPart) {
  const range = parseContentRange(fields.get("content-range") ?? "");
  if (range === null) return "a part of it came that says not where it belongs";
  const due = last === null || last >= range.size ? range.size - 1n : last;
  if (range.first !== first || range.last !== due) return "another part came than was asked for";
  if (length !== due - first + 1n) return "a part of another length came";
  if (validator !== "" && !hasValidator(fields, validator)) return "a part of another version came";
  return null;
}

function timeOf({ fields }: ReplyHead): bigint {
  const seconds = parseHttpDate(fields.get("last-modified") ?? "", BigInt(Date.now()) / 1000n);
  return seconds === null ? NO_TIME : seconds * 1_000_000_000n;
}

function entryOf(head: ReplyHead, size: bigint | null, ranged: boolean): Entry {
  const etag = strongValidator(head.fields);
  const sha256 = sha256Of(head.fields.get("repr-digest") ?? "");
  const parts = ranged && etag !== "" && size !== null && size > 0n;
  const http = { parts, sized: size !== null, sha256 };
  return { type: "file", size: size ?? 0n, mtime: timeOf(head), etag, http };
}
