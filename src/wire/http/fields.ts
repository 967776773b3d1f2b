/**
 * The field lines of a request head, strictly: what two readers could read differently is refused
 * (RFC 9112 5). Only fields that something is decided by are kept; the others are counted and their
 * form is judged.
 */
import type { ByteString } from "../bytes.ts";
import { bareLineEnd, HeadRefusal } from "./headrefusal.ts";
import { isAuthority } from "./target.ts";

/** Most field lines of a head, as in Apache (LimitRequestFields). Browsers send 10 to 20. */
export const FIELDS_MAX = 100;

/** Fields that say whose the request is, where it ends, and what becomes of the connection. */
const FRAMING = ["host", "content-length", "transfer-encoding", "connection"] as const;

/** Fields that change the answer. */
const CHOOSING = [
  "range",
  "if-range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "accept",
  "want-repr-digest",
  "authorization",
  "cookie",
] as const;

/** The name of a field that changes the answer, in lower case. */
export type FieldName = (typeof CHOOSING)[number];

/**
 * Values by name, without the white space around them. Several lines of one name are one value with
 * ", " between (RFC 9110 5.3): a list stays a list, and what may come once only is malformed then.
 */
export type Fields = ReadonlyMap<FieldName, ByteString>;

/** What the fields of a head say. */
export interface FieldLines {
  /** A valid Host, perhaps empty, or null when there is none. */
  readonly host: ByteString | null;
  /** A body of one byte or more is announced. */
  readonly body: boolean;
  /** The words of Connection that matter. */
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** The same empty map wherever nothing is chosen. */
  readonly choosing: Fields;
}

/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Lines that end in CRLF, each with a CRLF in front, without controls but the tab. */
const LINES = /^(?:\r\n[\t -~\x80-\xff]*)*$/;

/**
 * The last block that was read, and what it says: a client's requests differ in their first line
 * alone, and more than half of the time for a head went into fields that had just been read. It
 * pins one head, of HEAD_BYTES_MAX.
 */
let lastBlock = "";
let lastLines: FieldLines | null = null;

/**
 * What the fields in `block` say, which is "" or starts with the CRLF behind the request line. 400
 * for what could be read in two ways: a control character or a bare CR or LF; a line that is no
 * field, one folded into the next (obs-fold), white space before the colon; a Transfer-Encoding,
 * because no body is read; a Content-Length that is not one number; a Host that is none, or is two.
 * 431 for more than FIELDS_MAX.
 */
export function parseFields(block: ByteString): FieldLines | HeadRefusal {
  if (lastLines !== null && block === lastBlock) return lastLines;
  if (!LINES.test(block)) return bareLineEnd();
  const framing: Values = new Map();
  const choosing: Values = new Map();
  const refusal = readLines(block, framing, choosing) ?? judge(framing);
  if (refusal !== null) return refusal;
  const connection = framing.get("connection");
  lastBlock = block;
  return (lastLines = {
    host: framing.get("host") ?? null,
    body: /[1-9]/.test(framing.get("content-length") ?? ""),
    close: listHas(connection, "close"),
    keepAlive: listHas(connection, "keep-alive"),
    choosing: choosing.size === 0 ? NONE : (choosing as Fields),
  });
}

/**
 * `text` from `from` to `end` without spaces and tabs around it. String.trim() would take the byte
 * 0xA0 as well, which is part of a value.
 */
export function trimmed(text: ByteString, from: number, end: number): ByteString {
  while (from < end && isBlank(text.charCodeAt(from))) from++;
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(from, end);
}

// --- internal ---

type Values = Map<string, ByteString>;

const NONE: Fields = new Map();
const FRAMING_NAMES: ReadonlySet<string> = new Set(FRAMING);
const CHOOSING_NAMES: ReadonlySet<string> = new Set(CHOOSING);

/** Sorts the lines into the two maps; lines of other names are only judged. */
function readLines(block: ByteString, framing: Values, choosing: Values): HeadRefusal | null {
  let at = block === "" ? -1 : 0;
  for (let count = 1; at >= 0; count++) {
    if (count > FIELDS_MAX) return new HeadRefusal(431, `more than ${FIELDS_MAX} fields`);
    const from = at + 2;
    at = block.indexOf("\r\n", from);
    const end = at < 0 ? block.length : at;
    const colon = block.indexOf(":", from);
    const name = block.slice(from, Math.max(from, colon)).toLowerCase();
    if (!TOKEN.test(name)) return new HeadRefusal(400, "a line of the head is no field");
    const framed = FRAMING_NAMES.has(name);
    if (!framed && !CHOOSING_NAMES.has(name)) continue;
    const values = framed ? framing : choosing;
    const before = values.get(name);
    const value = trimmed(block, colon + 1, end);
    values.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return null;
}

function judge(framing: Values): HeadRefusal | null {
  if (framing.has("transfer-encoding")) return new HeadRefusal(400, "bodies are not read");
  if (!/^[0-9]+$/.test(framing.get("content-length") ?? "0")) {
    return new HeadRefusal(400, "Content-Length is not one number");
  }
  return isAuthority(framing.get("host") ?? "") ? null : new HeadRefusal(400, "no valid Host");
}

/** True when the list `value` has the word `token`, in any case (RFC 9110 5.6.1). */
function listHas(value: ByteString | undefined, token: string): boolean {
  if (value === undefined) return false;
  return value.split(",").some((it) => trimmed(it, 0, it.length).toLowerCase() === token);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
