/**
 * One file or directory on the wire: the facts of a READ and a STAT reply, and a line of a LIST, in
 * both directions. Nothing here touches a file.
 */
import { escapePath, unescape } from "./escape.ts";
import { parseNumber, REPLY_DIGITS_MAX } from "./number.ts";
import type { ByteString } from "./bytes.ts";

/** What a client learns of a file or directory. Sizes and times are exact beyond 2^53. */
export interface Entry {
  readonly type: "file" | "dir";
  /** Bytes; 0 for a directory. */
  readonly size: bigint;
  /** Nanoseconds since 1970. */
  readonly mtime: bigint;
  /** 16 hex digits of a file's version; "" for a directory in a LIST. */
  readonly etag: string;
  /** What HTTP tells of a file beside that; missing for S6/1. */
  readonly http?: HttpFacts;
}

/** A file of HTTP: `etag` is its strong validator, "" without one, and `mtime` may be NO_TIME. */
export interface HttpFacts {
  /** Parts of this very version can be asked for; false: all of it or nothing, from the start. */
  readonly parts: boolean;
  /** Whether `size` is known; false: it is 0 until all has come. */
  readonly sized: boolean;
  /** Hex digits of the SHA-256 of all of it; null when the server does not tell. */
  readonly sha256: string | null;
}

/** `mtime` where no time is known: no 64 bits hold it, so that it is no file's. */
export const NO_TIME = -(2n ** 64n);

/** ` size= offset= etag= mtime=` of a READ reply. */
export function readFacts(entry: Entry, offset: bigint): string {
  return ` size=${entry.size} offset=${offset} etag=${entry.etag} mtime=${entry.mtime}`;
}

/** ` type= size= mtime= etag=` of a STAT reply. */
export function statFacts(entry: Entry): string {
  return ` type=${entry.type} size=${entry.size} mtime=${entry.mtime} etag=${entry.etag}`;
}

/** One line of a LIST, with its LF. */
export function listLine(entry: Entry, name: ByteString): ByteString {
  if (entry.type === "dir") return `dir mtime=${entry.mtime} ${escapePath(name)}\n`;
  return `file size=${entry.size} mtime=${entry.mtime} etag=${entry.etag} ${escapePath(name)}\n`;
}

/** Times have as many digits as a reply's numbers (REPLY_DIGITS_MAX), and may lie before 1970. */
const FILE_LINE = /^file size=([0-9]+) mtime=(-?[0-9]{1,19}) etag=([0-9a-f]{16}) (.*)$/s;
const DIRECTORY_LINE = /^dir mtime=(-?[0-9]{1,19}) (.*)$/s;

/**
 * The entry and its name in a LIST's `line` (no LF), or null. The name is not yet safe to use as a
 * path, and may be empty: isName() tells.
 */
export function parseListLine(line: ByteString): { entry: Entry; name: ByteString } | null {
  const file = FILE_LINE.exec(line);
  const directory = file === null ? DIRECTORY_LINE.exec(line) : null;
  const match = file ?? directory;
  if (match === null) return null;
  const name = unescape(match[match.length - 1] ?? "");
  const size = file === null ? 0n : parseNumber(file[1] ?? "", REPLY_DIGITS_MAX);
  const mtime = BigInt((file === null ? match[1] : match[2]) ?? "0");
  if (name === null || size < 0n) return null;
  const etag = file?.[3] ?? "";
  return { entry: { type: file === null ? "dir" : "file", size, mtime, etag }, name };
}

/** What a name is that is in a folder and can't be had; "unknown" where not even that shows. */
export type LeftKind = "link" | "special" | "unknown";

/** A name that is in a folder and can't be had. */
export interface LeftName {
  /** "special" is a device, a pipe or a socket. */
  readonly kind: LeftKind;
  /** The errno name that whoever asks for it gets. */
  readonly code: string;
  /** As the server sent it, and not yet safe to use as a path: isName() tells. */
  readonly name: ByteString;
}

/** A line of a LIST for a name that can't be had, with its LF. */
export function leftLine({ kind, code, name }: LeftName): ByteString {
  return `left type=${kind} error=${code} ${escapePath(name)}\n`;
}

const LEFT_LINE = /^left type=([a-z]{1,16}) error=(E[A-Z0-9]{1,31}) (.*)$/s;

/** The name in such a `line` (no LF), or null. A type that is not known here is "unknown". */
export function parseLeftLine(line: ByteString): LeftName | null {
  const [, type = "", code = "", escaped = ""] = LEFT_LINE.exec(line) ?? [];
  const name = unescape(escaped);
  if (code === "" || name === null) return null;
  return { kind: type === "link" || type === "special" ? type : "unknown", code, name };
}

/** Longest name of a file in bytes (limits.h NAME_MAX). */
export const NAME_BYTES_MAX = 255;

/**
 * True when `name` can be an entry of a folder: one component of at most 255 bytes, not "." or
 * "..". A client leaves an entry with another name out of a listing, reports it, and keeps the
 * rest.
 */
export function isName(name: ByteString): boolean {
  const leads = name === "" || name === "." || name === ".." || /[/\0]/.test(name);
  return !leads && name.length <= NAME_BYTES_MAX;
}
