/**
 * Heads of replies. Each is plain ASCII, so that it is the same bytes as latin-1 and as UTF-8, and
 * no value can end its line: what breaks that is a mistake of ours and throws.
 */
import type { Entry } from "../entry.ts";
import { httpDate, secondOf } from "./date.ts";
import type { Connection } from "./head.ts";
import { reasonOf, type Status } from "./status.ts";

/**
 * How the body's end is told: by its length in bytes; by "chunks" (RFC 9112 7.1); or by "none",
 * because there is no body, as of a 304, or the end of the connection tells.
 */
export type BodyEnd = bigint | number | "chunks" | "none";

/** Seconds after which a client that found the server full asks again. */
export const RETRY_AFTER_SECONDS = 1;

const VALUE = /^[ -~]+$/;

/**
 * A reply's head, complete with the empty line. `seconds` since 1970 is its Date, which is the
 * first field, at dateAt(status), so that a head can be kept and its date be written over. `fields`
 * come from the functions below. For HEAD the same head is sent, without the body.
 */
export function responseHead(
  status: Status,
  seconds: bigint,
  end: BodyEnd,
  connection: Connection,
  fields: string,
): string {
  const date = httpDate(seconds) ?? httpDate(0n);
  const close = connection === "" ? "" : `Connection: ${connection}\r\n`;
  return `${statusLine(status)}Date: ${date}\r\n${endField(end)}${close}${fields}\r\n`;
}

/** Where the 29 characters of the date start in each head of `status`. */
export function dateAt(status: Status): number {
  return statusLine(status).length + "Date: ".length;
}

/** One line of `fields`. Throws when `value` is empty or not printable ASCII. */
export function field(name: string, value: string): string {
  if (!VALUE.test(value)) throw new RangeError(`${name} can't be ${JSON.stringify(value)}`);
  return `${name}: ${value}\r\n`;
}

/** Content-Type, and that it is not to be guessed anew. */
export function typeFields(contentType: string): string {
  return `${field("Content-Type", contentType)}X-Content-Type-Options: nosniff\r\n`;
}

/**
 * ETag and Last-Modified of a file: all that a 304 tells of it. A time later than `seconds`, the
 * reply's Date, is left out (RFC 9110 8.8.2.1 forbids it), and so is one that has no date.
 */
export function validatorFields({ etag, mtime }: Entry, seconds: bigint): string {
  const modified = secondOf(mtime);
  const date = modified > seconds ? null : httpDate(modified);
  return `ETag: "${etag}"\r\n${date === null ? "" : `Last-Modified: ${date}\r\n`}`;
}

/** The fields of a file, whole or in part. `contentType` as in typeFields(). */
export function fileFields(entry: Entry, contentType: string, seconds: bigint): string {
  const validators = validatorFields(entry, seconds);
  return `${typeFields(contentType)}${validators}Accept-Ranges: bytes\r\n`;
}

// --- internal ---

function statusLine(status: Status): string {
  return `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`;
}

function endField(end: BodyEnd): string {
  if (end === "chunks") return "Transfer-Encoding: chunked\r\n";
  return end === "none" ? "" : `Content-Length: ${end}\r\n`;
}
