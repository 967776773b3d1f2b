/**
 * Entries of a server as text: a line for a person, a JSON object for a program. A name comes from
 * a peer and may hold any byte: both forms stay one line, and JSON gives the exact bytes back. Pure
 * functions, no I/O.
 */
import { type Entry, NO_TIME } from "../../wire/entry.ts";
import { escapePath, escapeUrlPath, utf8Length } from "../../wire/escape.ts";
import { printable } from "../../wire/printable.ts";
import { sizeText, twoDigits } from "./amount.ts";
import { type ByteString, utf8Of } from "../../wire/bytes.ts";

/** An entry and where it is. */
export interface Place {
  readonly entry: Entry;
  /** What the line is to call it: the last component, or the path. */
  readonly name: ByteString;
  /** From the server's root, starting with "/". */
  readonly path: ByteString;
}

/** Width of the size column before a wider size was seen: room for 999 GB. */
export const SIZE_COLUMNS = 12;

/** Width of the size column where sizes have units: "1023 GiB". */
export const SIZE_COLUMNS_HUMAN = 8;

/** The size as a column of entryLine() has it; `human` in units of 1024, three digits. */
export function sizeColumn({ type, size }: Entry, human: boolean): string {
  if (type === "dir") return "-";
  return human ? sizeText(Number(size)) : String(size);
}

/** `file  1234  2026-01-31 12:00  name`: without line break, safe on a terminal. */
export function entryLine({ entry, name }: Place, sizeColumns: number, human: boolean): string {
  const directory = entry.type === "dir";
  const size = sizeColumn(entry, human).padStart(sizeColumns);
  const shown = `${printable(name)}${directory && name !== "/" ? "/" : ""}`;
  return `${entry.type.padEnd(4)} ${size}  ${minuteText(entry.mtime)}  ${shown}`;
}

/**
 * One JSON object, without line break: type, name, path, size, mtime, etag. `name` is text, or,
 * when it is not UTF-8, in the wire's escapes with `"escaped":true`; `path` is always in those
 * escapes and stands behind s6://HOST:PORT as it is. Numbers are exact however large (mtime counts
 * nanoseconds), so readers that keep doubles round those over 2^53. ASCII but for letters and
 * signs: no controls, nothing that turns a terminal's direction.
 */
export function entryJson({ entry, name, path }: Place): string {
  const escaped = !isUtf8(name);
  const url = escapeUrlPath(path);
  const file = entry.type === "file";
  const fields = [
    `"type":"${entry.type}"`,
    `"name":${jsonText(escaped ? escapePath(name) : name)}`,
    ...(escaped ? ['"escaped":true'] : []),
    `"path":${jsonText(url)}`,
    `"size":${file && entry.http?.sized !== false ? entry.size : "null"}`,
    `"mtime":${entry.mtime === NO_TIME ? "null" : entry.mtime}`,
    `"etag":${entry.etag === "" ? "null" : JSON.stringify(entry.etag)}`,
  ];
  return `{${fields.join(",")}}`;
}

/** Several lines of `label: value` for one entry, with line breaks, safe on a terminal. */
export function factsText({ entry, name }: Place): string {
  const rows = [
    ["path", printable(name)],
    ["type", entry.type === "dir" ? "directory" : "file"],
    ...(entry.type === "file" && entry.http?.sized !== false
      ? [["size", exactSize(entry.size)] as const]
      : []),
    ...(entry.mtime === NO_TIME ? [] : [["mtime", exactTime(entry.mtime)] as const]),
    ...(entry.etag === "" ? [] : [["etag", entry.etag] as const]),
  ];
  return rows.map(([label, value]) => `${`${label}:`.padEnd(7)}${value}\n`).join("");
}

/** True when `bytes` are well-formed UTF-8. */
export function isUtf8(bytes: ByteString): boolean {
  for (let at = 0; at < bytes.length;) {
    const count = utf8Length(bytes, at);
    if (count === 0) return false;
    at += count;
  }
  return true;
}

/** Local time to the minute, as `ls --time-style=long-iso` has it; always 16 columns. */
export function minuteText(mtimeNs: bigint): string {
  const date = dateOf(mtimeNs);
  return date === null ? "?".padStart(16) : day(date);
}

// --- internal ---

const NS_PER_S = 1_000_000_000n;

/** The years that have four digits. */
const YEARS = { min: 0, max: 9999 };

function dateOf(mtimeNs: bigint): Date | null {
  const date = new Date(Number(mtimeNs / 1_000_000n));
  const year = date.getFullYear();
  return year >= YEARS.min && year <= YEARS.max ? date : null;
}

function day(date: Date): string {
  const year = String(date.getFullYear()).padStart(4, "0");
  const clock = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
  return `${year}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${clock}`;
}

/** Local time to the nanosecond, with its zone. */
function exactTime(mtimeNs: bigint): string {
  const date = dateOf(mtimeNs);
  if (date === null) return `${mtimeNs} ns since 1970`;
  const rest = ((mtimeNs % NS_PER_S) + NS_PER_S) % NS_PER_S;
  const offset = -date.getTimezoneOffset();
  const ahead = Math.abs(offset);
  const zone = `${offset < 0 ? "-" : "+"}${twoDigits(Math.floor(ahead / 60))}${twoDigits(ahead % 60)}`;
  return `${day(date)}:${twoDigits(date.getSeconds())}.${String(rest).padStart(9, "0")} ${zone}`;
}

function exactSize(size: bigint): string {
  return size < 1024n ? `${size} bytes` : `${size} bytes (${sizeText(Number(size))})`;
}

function jsonText(utf8: ByteString): string {
  const text = utf8Of(utf8);
  return JSON.stringify(text).replace(/[^\x20-\x7e\p{L}\p{M}\p{N}\p{P}\p{S}]/gu, asEscapes);
}

/** `\uXXXX` for each of the character's UTF-16 units. */
function asEscapes(character: string): string {
  return Array.from(
    { length: character.length },
    (_, nth) => `\\u${character.charCodeAt(nth).toString(16).padStart(4, "0")}`,
  ).join("");
}
