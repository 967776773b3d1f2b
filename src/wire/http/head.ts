/**
 * A request head of HTTP/1.1 (RFC 9112), read strictly: whatever two readers could take for
 * different requests is refused, and after a refusal the connection ends. Text in, a value out.
 */
import type { ByteString } from "../bytes.ts";
import { type FieldLines, type Fields, parseFields } from "./fields.ts";
import { bareLineEnd, HeadRefusal } from "./headrefusal.ts";
import { parseTarget } from "./target.ts";

/** What the reply's Connection says; "" where it needs none. */
export type Connection = "" | "keep-alive" | "close";

/** A request that can be answered. It has no body. */
export interface RequestHead {
  readonly method: "GET" | "HEAD";
  /** Decoded once; starts with "/" and is not resolved: relativeOf() judges it. */
  readonly path: ByteString;
  /** The target itself begins with "/-/", which is no file's: a folder "-" is "/%2D/". */
  readonly own: boolean;
  /** As it came, without "?"; "" where there is none. */
  readonly query: ByteString;
  /** Host, or what an absolute target says instead; "" where HTTP/1.0 has none. */
  readonly host: ByteString;
  /** "close" when the connection ends behind the reply; else it is kept. */
  readonly connection: Connection;
  /** HTTP/1.0: no chunks. */
  readonly old: boolean;
  /** Fields are added to the answer: none that was made before, head and all, will do. */
  readonly amended?: true;
  /** The fields that change the answer; empty for most requests. */
  readonly fields: Fields;
}

/** The Allow of a 405. */
export const ALLOW = "GET, HEAD";

/** Controls have no place in a request line. */
const CONTROL = /[\0-\x1f\x7f]/;

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VERSION = /^HTTP\/[0-9]\.[0-9]$/;

/**
 * The last head that was read, and what it says: who pipelines, or asks again and again, sends the
 * same bytes, and the log asks for each a second time. To compare costs less than a tenth of
 * reading. It pins one head, of HEAD_BYTES_MAX.
 */
let lastHead = "";
let lastRequest: RequestHead | null = null;

/**
 * The request in `head`, as HeadReader cuts it, or why not: 400 for controls, bare line ends and
 * fields that break the grammar, or 431 for too many of them; 400 for a first line that is no
 * request, 505 for a version other than 1.0 and 1.1, 405 for a method other than GET and HEAD, 413
 * for a body, 400 for a target that is none, and for HTTP/1.1 without Host. The order is that of
 * this list.
 */
export function parseHead(head: ByteString): RequestHead | HeadRefusal {
  if (lastRequest !== null && head === lastHead) return lastRequest;
  const request = parsed(head);
  if (request instanceof HeadRefusal) return request;
  lastHead = head;
  return (lastRequest = request);
}

// --- internal ---

function parsed(head: ByteString): RequestHead | HeadRefusal {
  const lineEnd = head.indexOf("\r\n");
  const line = lineEnd < 0 ? head : head.slice(0, lineEnd);
  if (CONTROL.test(line)) return bareLineEnd();
  const lines = parseFields(lineEnd < 0 ? "" : head.slice(lineEnd));
  if (lines instanceof HeadRefusal) return lines;
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  const method = line.slice(0, first);
  const version = line.slice(second + 1);
  const formed = first > 0 && second > first + 1 && isMethod(method) && isVersion(version);
  if (!formed) return new HeadRefusal(400, "the first line is no request");
  const old = version === "HTTP/1.0";
  if (!old && version !== "HTTP/1.1") return new HeadRefusal(505, "only HTTP/1.0 and HTTP/1.1");
  if (method !== "GET" && method !== "HEAD") return new HeadRefusal(405, `only ${ALLOW}`);
  if (lines.body) return new HeadRefusal(413, "bodies are not read");
  const target = parseTarget(line.slice(first + 1, second));
  if (target instanceof HeadRefusal) return target;
  if (lines.host === null && !old) return new HeadRefusal(400, "no Host");
  const { path, query, own } = target;
  const host = target.authority ?? lines.host ?? "";
  const connection = connectionOf(lines, old);
  return { method, path, own, query, host, connection, old, fields: lines.choosing };
}

function isMethod(word: ByteString): boolean {
  return word === "GET" || METHOD.test(word);
}

function isVersion(word: ByteString): boolean {
  return word === "HTTP/1.1" || VERSION.test(word);
}

/** RFC 9112 9.3: kept unless 1.1 says close, or 1.0 does not say keep-alive. */
function connectionOf({ close, keepAlive }: FieldLines, old: boolean): Connection {
  if (close) return "close";
  if (!old) return "";
  return keepAlive ? "keep-alive" : "close";
}
