/**
 * What a reply says of a file's version, its range and its digest, for a client that must not mix
 * two versions (RFC 9110 8.8 and 14.4, RFC 9530). Pure functions.
 */
import type { ByteString } from "../bytes.ts";
import { parseNumber, REPLY_DIGITS_MAX } from "../number.ts";
import { parseHttpDate } from "./date.ts";
import type { ReplyField } from "./replyhead.ts";

/** Longest entity tag that is used, in characters with its quotes: it goes into each request. */
export const TAG_CHARS_MAX = 512;

/** Seconds that must lie between the file's last change and the reply: 8.8.2.2 has "60 seconds". */
const SETTLED_SECONDS = 60n;

const STRONG_TAG = /^"[!#-~\x80-\xff]*"$/;

const CONTENT_RANGE = /^bytes ([0-9]{1,19})-([0-9]{1,19})\/([0-9]{1,19})$/i;

type ReplyFields = ReadonlyMap<ReplyField, ByteString>;

/**
 * The strong validator of a reply as If-Range takes it: an entity tag that is not weak, or, where
 * there is no tag at all, a Last-Modified that is a minute older than the reply's Date, because a
 * file may change twice in one second (RFC 9110 8.8.2.2, 13.1.5). "" when there is none.
 */
export function strongValidator(fields: ReplyFields): ByteString {
  const tag = fields.get("etag");
  if (tag !== undefined) return tag.length <= TAG_CHARS_MAX && STRONG_TAG.test(tag) ? tag : "";
  const modified = fields.get("last-modified") ?? "";
  const date = parseHttpDate(fields.get("date") ?? "", 0n);
  const seconds = parseHttpDate(modified, 0n);
  if (date === null || seconds === null) return "";
  return date - seconds >= SETTLED_SECONDS ? modified : "";
}

/** True when a reply is of the version `validator`: it names that very one. */
export function hasValidator(fields: ReplyFields, validator: ByteString): boolean {
  if (validator.startsWith('"')) return fields.get("etag") === validator;
  return !fields.has("etag") && fields.get("last-modified") === validator;
}

/** What a Content-Range names. */
export interface ContentRange {
  readonly first: bigint;
  /** The last byte, which is within. */
  readonly last: bigint;
  /** Bytes of the whole file. */
  readonly size: bigint;
}

/** The Content-Range of a 206; null when it is none, contradicts itself or leaves out the size. */
export function parseContentRange(text: ByteString): ContentRange | null {
  const match = CONTENT_RANGE.exec(text);
  if (match === null) return null;
  const [first, last, size] = match.slice(1).map((digits) => parseNumber(digits, REPLY_DIGITS_MAX));
  if (first === undefined || last === undefined || size === undefined) return null;
  return first < 0n || first > last || last >= size ? null : { first, last, size };
}

/** Hex digits of the SHA-256 in a Repr-Digest, or null: it has none (RFC 9530 3). */
export function sha256Of(reprDigest: ByteString): string | null {
  for (const member of reprDigest.split(",")) {
    const [, base64] = /^[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):[ \t]*$/.exec(member) ?? [];
    if (base64 !== undefined) return Buffer.from(base64, "base64").toString("hex");
  }
  return null;
}

/**
 * Milliseconds that a Retry-After asks to wait: 0 when it is neither seconds nor a date. `nowMs`
 * since 1970.
 */
export function retryAfterMs(text: ByteString, nowMs: number): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1000;
  const date = parseHttpDate(text, BigInt(Math.floor(nowMs / 1000)));
  return date === null ? 0 : Math.max(0, Number(date) * 1000 - nowMs);
}
