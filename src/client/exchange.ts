/**
 * The requests of the client: one class for each verb, which writes the request line, checks the
 * reply line, and settles one promise. It never sees a socket; the session calls it. A reply that
 * breaks the contract in any point is refused as a whole.
 */
import { BytesSink, type Sink } from "../receive/sink.ts";
import { type Entry, type LeftName, parseLeftLine, parseListLine } from "../wire/entry.ts";
import { escapePath, escapeValue } from "../wire/escape.ts";
import { parseNumber, REPLY_DIGITS_MAX } from "../wire/number.ts";
import type { Facts, ReplyLine } from "../wire/reply.ts";
import { isEtag, LIST_ENTRIES_MAX } from "../wire/vocabulary.ts";
import type { ClientError } from "./error.ts";
import { type ByteString, byteStringOf } from "../wire/bytes.ts";

/** The line of a reply that is no error. */
export type OkLine = Extract<ReplyLine, { ok: true }>;

/** One request and its reply, as the session sees it. */
export interface Exchange {
  /** The request, without LF. */
  readonly line: ByteString;
  /** The path of the request, for messages; "" for a verb without one. */
  readonly path: ByteString;
  /** Takes the body of the reply; null for a verb whose reply has none. */
  readonly sink: Sink | null;
  /** Checks the OK line: null, or how it breaks the contract. */
  head(reply: OkLine): string | null;
  /** The body is complete in the sink: settles, or gives how the body breaks the contract. */
  finish(): string | null;
  /** Settles with an error. */
  fail(error: ClientError): void;
}

/** The result of a READ, without the bytes. */
export interface ReadResult {
  /** Bytes that went into the sink. */
  readonly length: number;
  /** Where in the file they start. */
  readonly offset: bigint;
  /** Bytes of the whole file. */
  readonly size: bigint;
  /** The file's version; as `ifEtag` of a later READ it asks for the same one. */
  readonly etag: string;
  /** Nanoseconds since 1970; NO_TIME (wire/entry.ts) where a server of HTTP tells none. */
  readonly mtime: bigint;
  /** Hex digits of the SHA-256 that a server of HTTP tells of the whole file. */
  readonly sha256?: string;
}

/** One line of a LIST. The name is the server's and not yet safe to use as a path (isName()). */
export interface NamedEntry extends Entry {
  readonly name: ByteString;
}

/** One page of a directory. */
export interface ListPage {
  readonly entries: readonly NamedEntry[];
  /** True when more follow behind the last name, of an entry or of what was left out. */
  readonly more: boolean;
  /** Names on the page's stretch that are there and can't be had, in order. */
  readonly left: readonly LeftName[];
  /** The folder's own, the same by whatever path; "" of a server that does not tell it. */
  readonly id: string;
}

/** The result of a PING: what the server calls itself. */
export interface Pong {
  readonly server: string;
  readonly version: string;
  /** Some of what it has is for those alone who show a token. */
  readonly asksToken: boolean;
}

/**
 * What READ, STAT and PING have in common: the reply line holds the result, the body none of it.
 */
abstract class SingleResult<T> {
  readonly done = Promise.withResolvers<T>();
  /** Set by head(). */
  protected result: T | null = null;

  finish(): string | null {
    if (this.result !== null) this.done.resolve(this.result);
    return null;
  }

  fail(error: ClientError): void {
    this.done.reject(error);
  }
}

/** READ with `length` null: to the end of the file. */
export class ReadExchange extends SingleResult<ReadResult> implements Exchange {
  readonly line: ByteString;
  readonly path: ByteString;
  readonly sink: Sink;
  readonly #offset: bigint;
  readonly #length: bigint | null;
  readonly #ifEtag: string | null;

  constructor(
    path: ByteString,
    sink: Sink,
    offset: bigint,
    length: bigint | null,
    ifEtag: string | null,
  ) {
    super();
    this.path = path;
    this.sink = sink;
    this.#offset = offset;
    this.#length = length;
    this.#ifEtag = ifEtag;
    const keys = [
      offset === 0n ? "" : `offset=${offset} `,
      length === null ? "" : `length=${length} `,
      ifEtag === null ? "" : `if=${ifEtag} `,
    ];
    this.line = `READ ${keys.join("")}${escapePath(path)}`;
  }

  head({ length, facts }: OkLine): string | null {
    const size = number(facts, "size");
    const offset = number(facts, "offset");
    const etag = facts.get("etag") ?? "";
    const mtime = signed(facts, "mtime");
    if (size < 0n || offset < 0n || mtime === null || !isEtag(etag)) {
      return "READ's reply lacks a well-formed size=, offset=, etag= or mtime=";
    }
    if (this.#ifEtag !== null && etag !== this.#ifEtag) {
      return `version ${this.#ifEtag} asked for, ${etag} sent`;
    }
    if (offset !== this.#offset) return `asked from byte ${this.#offset}, got byte ${offset}`;
    const rest = size - offset;
    const promised = this.#length === null || this.#length > rest ? rest : this.#length;
    if (BigInt(length) !== promised) return `${promised} bytes are due, ${length} are announced`;
    this.result = { length, offset, size, etag, mtime };
    return null;
  }
}

/** STAT. */
export class StatExchange extends SingleResult<Entry> implements Exchange {
  readonly line: ByteString;
  readonly path: ByteString;
  readonly sink = null;

  constructor(path: ByteString) {
    super();
    this.path = path;
    this.line = `STAT ${escapePath(path)}`;
  }

  head({ length, facts }: OkLine): string | null {
    const type = facts.get("type");
    const size = number(facts, "size");
    const mtime = signed(facts, "mtime");
    const etag = facts.get("etag") ?? "";
    const known = type === "file" || type === "dir";
    if (length !== 0 || !known || size < 0n || mtime === null || !isEtag(etag)) {
      return "STAT's reply lacks a well-formed type=, size=, mtime= or etag=";
    }
    this.result = { type, size, mtime, etag };
    return null;
  }
}

/** Longest body of a LIST in bytes: a line with a name of 255 escaped bytes is below 1 KiB. */
const LIST_BODY_BYTES_MAX = LIST_ENTRIES_MAX * 1024;

/** LIST, one page. */
export class ListExchange implements Exchange {
  readonly done = Promise.withResolvers<ListPage>();
  readonly line: ByteString;
  readonly path: ByteString;
  readonly sink = new BytesSink(LIST_BODY_BYTES_MAX);
  #count = 0;
  #more = false;
  #left = 0;
  #id = "";
  readonly #limit: number;
  readonly #tells: boolean;

  /**
   * `limit` is at most LIST_ENTRIES_MAX; `after` "" starts at the beginning. With `tells` what is
   * left out has lines: only of a server that has told left=.
   */
  constructor(path: ByteString, limit: number, after: ByteString, tells: boolean) {
    this.path = path;
    this.#limit = limit;
    this.#tells = tells;
    const key = after === "" ? "" : `after=${escapeValue(after)} `;
    this.line = `LIST limit=${limit} ${tells ? "left=1 " : ""}${key}${escapePath(path)}`;
  }

  /** Names that the reply leaves out without a line for them. */
  get unnamed(): number {
    return this.#tells ? 0 : this.#left;
  }

  head({ length, facts }: OkLine): string | null {
    const count = number(facts, "count");
    const more = facts.get("more");
    if (count < 0n || (more !== "0" && more !== "1")) return "LIST's reply lacks count= or more=";
    if (count > BigInt(this.#limit)) return `${this.#limit} entries asked for, ${count} announced`;
    const left = facts.get("left") === undefined ? 0n : number(facts, "left");
    if (left < 0n) return "LIST's reply has a left= that is no number";
    const id = facts.get("id") ?? "";
    if (id !== "" && !isEtag(id)) return "LIST's reply has an id= that is not well-formed";
    if (length > LIST_BODY_BYTES_MAX) return `a page of ${length} bytes for ${count} entries`;
    this.#count = Number(count);
    this.#more = more === "1";
    this.#left = Number(left);
    this.#id = id;
    return null;
  }

  finish(): string | null {
    const { bytes } = this.sink;
    const text = byteStringOf(bytes);
    const lines = text.split("\n");
    const due = this.#count + (this.#tells ? this.#left : 0);
    if (lines.pop() !== "" || lines.length !== due) return "LIST's count= is not its lines";
    const entries: NamedEntry[] = [];
    const left: LeftName[] = [];
    for (const line of lines) {
      const parsed = parseListLine(line);
      if (parsed !== null) {
        entries.push({ ...parsed.entry, name: parsed.name });
        continue;
      }
      const name = this.#tells ? parseLeftLine(line) : null;
      if (name === null) return "LIST has a line that is no entry";
      left.push(name);
    }
    if (entries.length !== this.#count) return "LIST's count= is not its entries";
    this.done.resolve({ entries, more: this.#more, left, id: this.#id });
    return null;
  }

  fail(error: ClientError): void {
    this.done.reject(error);
  }
}

/** PING. */
export class PingExchange extends SingleResult<Pong> implements Exchange {
  readonly line: ByteString = "PING";
  readonly path: ByteString = "";
  readonly sink = null;

  head({ length, facts }: OkLine): string | null {
    if (length !== 0) return `PING's reply announces ${length} bytes`;
    const [server = "", version = ""] = [facts.get("server"), facts.get("version")];
    this.result = { server, version, asksToken: facts.get("auth") === "token" };
    return null;
  }
}

// --- internal ---

/** A number of the reply, or -1n when it is missing or malformed. */
function number(facts: Facts, key: string): bigint {
  return parseNumber(facts.get(key) ?? "", REPLY_DIGITS_MAX);
}

/** A time of the reply, which may be before 1970; null when it is missing or malformed. */
function signed(facts: Facts, key: string): bigint | null {
  const text = facts.get(key) ?? "";
  const negative = text.startsWith("-");
  const value = parseNumber(negative ? text.slice(1) : text, REPLY_DIGITS_MAX);
  if (value < 0n) return null;
  return negative ? -value : value;
}
