/**
 * What of a file a request gets, by its conditions and its range, in the order of RFC 9110 13.2.2.
 * A file's etag is a strong validator, because it changes with each version. Its time counts in
 * whole seconds, as Last-Modified tells it.
 */
import type { ByteString } from "../bytes.ts";
import type { Entry } from "../entry.ts";
import { parseHttpDate, secondOf } from "./date.ts";
import type { Fields } from "./fields.ts";
import type { RequestHead } from "./head.ts";
import { type ByteRange, rangeOf } from "./range.ts";

/**
 * What is sent: the whole file (200), a range of it (206), or no content: "unsatisfiable" (416),
 * "not-modified" (304), "failed" (412).
 */
export type Selection = ByteRange | "whole" | "unsatisfiable" | "not-modified" | "failed";

/** One entity tag, and the comma and the white space behind it (RFC 9110 8.8.3). */
const TAG = /(W\/)?"([!#-~\x80-\xff]*)"[ \t]*(?:,[ \t,]*|$)/y;

/**
 * What `head` gets of the file `entry`. `now` is the time in seconds since 1970. A condition that
 * can't be read is not met if it is about tags, and is no condition if it is about a date, as the
 * RFC wants it. A range is for GET alone (RFC 9110 14.2).
 */
export function selectionOf(
  { method, fields }: Pick<RequestHead, "method" | "fields">,
  entry: Entry,
  now: bigint,
): Selection {
  if (fields.size === 0) return "whole";
  const verdict = preconditionOf(fields, entry, now);
  if (verdict !== null) return verdict;
  const range = fields.get("range");
  if (range === undefined || method !== "GET" || !holdsIfRange(fields, entry, now)) return "whole";
  return rangeOf(range, entry.size);
}

// --- internal ---

function preconditionOf(
  fields: Fields,
  entry: Entry,
  now: bigint,
): "failed" | "not-modified" | null {
  const match = fields.get("if-match");
  if (match !== undefined) {
    if (!tagsHave(match, entry.etag, false)) return "failed";
  } else if (changedSince(fields.get("if-unmodified-since"), entry, now) === true) return "failed";
  const noneMatch = fields.get("if-none-match");
  if (noneMatch !== undefined) return tagsHave(noneMatch, entry.etag, true) ? "not-modified" : null;
  return changedSince(fields.get("if-modified-since"), entry, now) === false
    ? "not-modified"
    : null;
}

/** Null when there is no date, or none that can be read. */
function changedSince(date: ByteString | undefined, entry: Entry, now: bigint): boolean | null {
  if (date === undefined) return null;
  const since = parseHttpDate(date, now);
  return since === null ? null : secondOf(entry.mtime) > since;
}

/**
 * True when the range still counts: no If-Range, the etag itself, or exactly the time that
 * Last-Modified told. A client may send a time only when it knows that it was no longer the same
 * second (RFC 9110 13.1.5), so it is a strong validator here.
 */
function holdsIfRange(fields: Fields, entry: Entry, now: bigint): boolean {
  const value = fields.get("if-range");
  if (value === undefined) return true;
  if (value.endsWith('"')) return value === `"${entry.etag}"`;
  return parseHttpDate(value, now) === secondOf(entry.mtime);
}

/** True when the list `value` is `*` or has `etag`. `weak`: a W/ in front is no difference. */
function tagsHave(value: ByteString, etag: string, weak: boolean): boolean {
  if (value === "*") return true;
  let found = false;
  TAG.lastIndex = value.search(/[^ \t,]|$/);
  for (let end = TAG.lastIndex; end < value.length; end = TAG.lastIndex) {
    const match = TAG.exec(value);
    if (match === null) return false;
    if (match[2] === etag && (weak || match[1] === undefined)) found = true;
  }
  return found;
}
