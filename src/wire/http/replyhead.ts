/**
 * The head of a reply as a client of HTTP/1.1 reads it (RFC 9112), strictly: what two readers could
 * take for different replies is refused, and the connection ends. Text in, a value out.
 */
import type { ByteString } from "../bytes.ts";
import { parseNumber, REPLY_DIGITS_MAX } from "../number.ts";
import { FIELDS_MAX, trimmed } from "./fields.ts";

/** Fields of a reply that something is decided by; the others are only judged. */
const KEPT = [
  "content-length",
  "transfer-encoding",
  "connection",
  "content-encoding",
  "content-range",
  "etag",
  "last-modified",
  "date",
  "location",
  "retry-after",
  "repr-digest",
] as const;

/** The name of such a field, in lower case. */
export type ReplyField = (typeof KEPT)[number];

/** A reply's head that can be acted upon. */
export interface ReplyHead {
  /** 100 to 599. */
  readonly status: number;
  /** As it came: it is a stranger's. */
  readonly reason: ByteString;
  /** Values without the white space around them; several lines are joined by ", ". */
  readonly fields: ReadonlyMap<ReplyField, ByteString>;
  /** Bytes of the body as announced; null when nothing announces them. */
  readonly length: bigint | null;
  /** The body is a chunked one; then `length` is null. */
  readonly chunked: boolean;
  /** The connection may be used for another request. */
  readonly persists: boolean;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: ([\t -~\x80-\xff]*))?$/;

/** Lines that end in CRLF, each with a CRLF in front, without controls but the tab. */
const LINES = /^(?:\r\n[\t -~\x80-\xff]*)*$/;

/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const KEPT_NAMES: ReadonlySet<string> = new Set(KEPT);

/**
 * The reply that `head` begins, which is as ReplyReader cuts it, or how it breaks the grammar: a
 * status line of another protocol or version, a bare CR or LF, a control, a line that is no field
 * or is folded, more than FIELDS_MAX of them, a Content-Length that is not one number, a
 * Transfer-Encoding other than "chunked", both of them, or the second one from HTTP/1.0.
 */
export function parseReplyHead(head: ByteString): ReplyHead | string {
  const lineEnd = head.indexOf("\r\n");
  const first = STATUS_LINE.exec(lineEnd < 0 ? head : head.slice(0, lineEnd));
  if (first === null) return "the first line is no status of HTTP/1.1";
  const block = lineEnd < 0 ? "" : head.slice(lineEnd);
  if (!LINES.test(block)) return "a control character or a bare line end in the head";
  const fields = fieldsOf(block);
  if (typeof fields === "string") return fields;
  const old = first[1] === "0";
  const coding = fields.get("transfer-encoding");
  const announced = fields.get("content-length");
  if (coding !== undefined && announced !== undefined) {
    return "both Content-Length and Transfer-Encoding";
  }
  if (coding !== undefined && (old || coding.toLowerCase() !== "chunked")) {
    return "a Transfer-Encoding other than chunked";
  }
  const length = announced === undefined ? null : parseNumber(announced, REPLY_DIGITS_MAX);
  if (length !== null && length < 0n) return "Content-Length is not one number";
  const words = (fields.get("connection") ?? "").toLowerCase().split(/[ \t]*,[ \t]*/);
  const persists = !words.includes("close") && (!old || words.includes("keep-alive"));
  const [, , status = "", reason = ""] = first;
  return {
    status: Number(status),
    reason,
    fields,
    length,
    chunked: coding !== undefined,
    persists,
  };
}

// --- internal ---

function fieldsOf(block: ByteString): Map<ReplyField, ByteString> | string {
  const fields = new Map<ReplyField, ByteString>();
  let at = block === "" ? -1 : 0;
  for (let count = 1; at >= 0; count++) {
    if (count > FIELDS_MAX) return `more than ${FIELDS_MAX} fields`;
    const from = at + 2;
    at = block.indexOf("\r\n", from);
    const end = at < 0 ? block.length : at;
    const colon = block.indexOf(":", from);
    const name = block.slice(from, Math.max(from, colon)).toLowerCase();
    if (!TOKEN.test(name)) return "a line of the head is no field";
    if (!isKept(name)) continue;
    const value = trimmed(block, colon + 1, end);
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

function isKept(name: string): name is ReplyField {
  return KEPT_NAMES.has(name);
}
