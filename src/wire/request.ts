/**
 * Parses one S6/1 request line into a Request, or into a Refusal, after which the connection goes
 * on with the next line. It never sees a socket, a timer or a store, and has no state between
 * lines.
 */
import { type Algo, DIGESTS, isAlgo, XXH3_CHUNK_BYTES_MAX } from "./digest.ts";
import { Refusal, type WireCode } from "./errors.ts";
import { unescape } from "./escape.ts";
import { parseNumber } from "./number.ts";
import { printable } from "./printable.ts";
import {
  ETAG_CHARS_MAX,
  isToken,
  isVerb,
  LIST_ENTRIES_MAX,
  VERBS,
  type Verb,
} from "./vocabulary.ts";
import type { ByteString } from "./bytes.ts";

/** `length` when the request names none: up to the end of the file. */
export const TO_THE_END = -1n;

/** A request, decoded. Keys that the verb does not take hold their defaults. */
export interface Request {
  readonly verb: Verb;
  /** Decoded bytes, starting with "/"; "" for verbs without a path. */
  path: ByteString;
  /** First byte wanted. */
  offset: bigint;
  /** Bytes wanted, or TO_THE_END. */
  length: bigint;
  /** The version wanted, or "" for any. */
  etag: string;
  /** Most entries of a LIST, 0..LIST_ENTRIES_MAX. */
  limit: number;
  /** LIST goes on behind this name; "" from the start. */
  after: ByteString;
  /** Whether LIST has a line for each name that can't be had. */
  left: boolean;
  /** Bytes under one digest of a HASH, or 0n: as many as its algo takes by default. */
  chunk: bigint;
  /** The digest that a HASH asks for. */
  algo: Algo;
  /** The secret of an AUTH. */
  token: ByteString;
}

/** A `verb` of the whole of `path`, without keys. */
export function wholeFile(verb: "READ" | "HASH", path: ByteString): Request {
  return blank(verb, path);
}

/** The request in `line` (no LF, no CR), or why it is none. */
export function parseRequest(line: ByteString): Request | Refusal {
  const space = line.indexOf(" ");
  const verb = space < 0 ? line : line.slice(0, space);
  if (!isVerb(verb)) return refuse("ENOSYS", `unknown verb ${quote(verb)}`);
  if (verb === "AUTH") return parseToken(line.slice(verb.length + 1));
  const request = blank(verb, "");
  return parseKeys(request, line, space) ?? checkChunk(request) ?? request;
}

// --- internal ---

function blank(verb: Verb, path: ByteString): Request {
  return {
    verb,
    path,
    offset: 0n,
    length: TO_THE_END,
    etag: "",
    limit: LIST_ENTRIES_MAX,
    after: "",
    left: false,
    chunk: 0n,
    algo: "xxh3",
    token: "",
  };
}

/** It is never quoted, whatever is wrong with it. */
function parseToken(token: ByteString): Request | Refusal {
  if (!isToken(token)) return refuse("EINVAL", "AUTH takes a token");
  const request = blank("AUTH", "");
  request.token = token;
  return request;
}

function parseKeys(request: Request, line: ByteString, firstSpace: number): Refusal | null {
  const verb = VERBS[request.verb];
  const keys: readonly string[] = verb.keys;
  let seen = 0;
  let space = firstSpace;
  while (space >= 0) {
    const from = space + 1;
    if (line.charCodeAt(from) === 47 && verb.path) return parsePath(request, line.slice(from));
    space = line.indexOf(" ", from);
    const word = space < 0 ? line.slice(from) : line.slice(from, space);
    const equals = word.indexOf("=");
    if (equals < 1) return refuse("EINVAL", `expected key=value or /path, got ${quote(word)}`);
    const index = keys.indexOf(word.slice(0, equals));
    if (index < 0) return refuse("EINVAL", `${request.verb} has no key ${quote(word)}`);
    if ((seen & (1 << index)) !== 0) return refuse("EINVAL", `key given twice ${quote(word)}`);
    seen |= 1 << index;
    const failure = setKey(request, keys[index] ?? "", word.slice(equals + 1));
    if (failure !== null) return failure;
  }
  return verb.path ? refuse("EINVAL", `${request.verb} needs a path that starts with /`) : null;
}

function parsePath(request: Request, text: ByteString): Refusal | null {
  const path = unescape(text);
  if (path === null) return refuse("EINVAL", `% without two hex digits in ${quote(text)}`);
  request.path = path;
  return null;
}

function setKey(request: Request, key: string, value: string): Refusal | null {
  if (key === "if") {
    if (value.length === 0 || value.length > ETAG_CHARS_MAX) {
      return refuse("EINVAL", `if= takes an etag of at most ${ETAG_CHARS_MAX} characters`);
    }
    request.etag = value;
    return null;
  }
  if (key === "after") {
    const name = unescape(value);
    if (name === null) return refuse("EINVAL", `% without two hex digits in ${quote(value)}`);
    request.after = name;
    return null;
  }
  if (key === "algo") {
    if (!isAlgo(value)) {
      const known = Object.keys(DIGESTS).join(" or ");
      return refuse("EINVAL", `algo= takes ${known}, got ${quote(value)}`);
    }
    request.algo = value;
    return null;
  }
  return setNumber(request, key, value);
}

function setNumber(request: Request, key: string, value: string): Refusal | null {
  const number = parseNumber(value);
  if (number < 0n) return refuse("EINVAL", `${key}= takes a number, got ${quote(value)}`);
  if (key === "offset") request.offset = number;
  else if (key === "length") request.length = number;
  else if (key === "chunk") {
    if (number === 0n) return refuse("EINVAL", "chunk= takes at least 1 byte");
    request.chunk = number;
  } else if (key === "left") {
    if (number > 1n) return refuse("EINVAL", `left= takes 0 or 1, got ${quote(value)}`);
    request.left = number === 1n;
  } else if (number < BigInt(LIST_ENTRIES_MAX)) request.limit = Number(number);
  return null;
}

/** Keys come in any order, so that the bound of chunk= is known when all are parsed. */
function checkChunk({ algo, chunk }: Request): Refusal | null {
  if (algo !== "xxh3" || chunk <= BigInt(XXH3_CHUNK_BYTES_MAX)) return null;
  return refuse("EINVAL", `xxh3 takes chunk= up to ${XXH3_CHUNK_BYTES_MAX} bytes, got ${chunk}`);
}

function refuse(code: WireCode, detail: string): Refusal {
  return new Refusal(code, detail);
}

/** Most characters of the peer's line that a refusal quotes: its own line must stay short. */
const QUOTE_CHARS_MAX = 64;

function quote(bytes: ByteString): string {
  return bytes.length > QUOTE_CHARS_MAX
    ? `'${printable(bytes.slice(0, QUOTE_CHARS_MAX))}...'`
    : `'${printable(bytes)}'`;
}
