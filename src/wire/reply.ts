/**
 * Reply lines in both directions: the server writes them with okLine() and errLine(), the client
 * parses them with parseReply(). Bodies are not handled here.
 */
import type { Refusal } from "./errors.ts";
import { parseCount, REPLY_DIGITS_MAX } from "./number.ts";
import type { ByteString } from "./bytes.ts";

/** A whole reply in memory, as a door makes it. */
export interface Reply {
  readonly kind: "reply";
  /** Goes out as UTF-8, in front of `bytes`; "" where they hold it already. */
  readonly head: string;
  /** They stay as they are. */
  readonly bytes: Uint8Array | null;
  /** Bytes behind the head, for the log. */
  readonly content: number;
}

/** A reply that is a line, or lines, and nothing else. */
export function replyOf(head: string): Reply {
  return { kind: "reply", head, bytes: null, content: 0 };
}

/** `OK length key=value... LF`; `facts` is "" or starts with a space. */
export function okLine(length: number | bigint, facts: string): string {
  return `OK ${length}${facts}\n`;
}

/**
 * `ERR ENOENT message LF`, in UTF-8 when it goes out. The message is printable, so it holds no LF.
 */
export function errLine(refusal: Refusal): string {
  return `ERR ${refusal.code} ${refusal.message}\n`;
}

/** The same in the bare dialect: `ERROR ENOENT: message LF`. */
export function plainErrorLine(refusal: Refusal): string {
  return `ERROR ${refusal.code}: ${refusal.message}\n`;
}

/** The `key=value` words of a reply, by key. */
export interface Facts {
  /** The value of `key`, or undefined. */
  get(key: string): string | undefined;
}

/** A reply's line as a client reads it. */
export type ReplyLine =
  | { readonly ok: true; readonly length: number; readonly facts: Facts }
  | { readonly ok: false; readonly code: string; readonly message: ByteString };

/**
 * The reply in `line` (no LF), or null when it breaks the grammar: then the connection can't be
 * trusted.
 */
export function parseReply(line: ByteString): ReplyLine | null {
  if (line.startsWith("OK ")) return parseOk(line);
  const match = /^ERR (E[A-Z0-9]{1,31}) (.*)$/s.exec(line);
  if (match === null) return null;
  return { ok: false, code: match[1] ?? "", message: match[2] ?? "" };
}

/**
 * The errno name and message of a bare dialect's `ERROR NAME: message`, or null when `line` is
 * none. A server that is full says `ERR EBUSY message` before it knows the dialect: that counts
 * too.
 */
export function parsePlainError(line: ByteString): { code: string; message: ByteString } | null {
  const match = /^ERROR (E[A-Z0-9]{1,31}): (.*)$/s.exec(line) ?? /^ERR (EBUSY) (.*)$/s.exec(line);
  return match === null ? null : { code: match[1] ?? "", message: match[2] ?? "" };
}

// --- internal ---

/** Most words that are searched one by one; with more, finding doubled keys would be quadratic. */
const WORDS_FEW = 16;

function parseOk(line: ByteString): ReplyLine | null {
  const lengthEnd = line.indexOf(" ", 3);
  const length = parseCount(line.slice(3, lengthEnd < 0 ? undefined : lengthEnd), REPLY_DIGITS_MAX);
  if (length < 0) return null;
  if (lengthEnd < 0) return { ok: true, length, facts: NO_FACTS };
  const words = line.slice(lengthEnd + 1).split(" ");
  const facts = words.length > WORDS_FEW ? manyFacts(words) : fewFacts(words);
  return facts === null ? null : { ok: true, length, facts };
}

const NO_FACTS: Facts = new Map();

/** Without a Map: making one for the usual four facts took 4 us, a fifth of a small file's time. */
function fewFacts(words: readonly string[]): Facts | null {
  const prefixes: string[] = [];
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals < 1) return null;
    const prefix = word.slice(0, equals + 1);
    if (prefixes.includes(prefix)) return null;
    prefixes.push(prefix);
  }
  return {
    get(key) {
      const nth = prefixes.indexOf(`${key}=`);
      return nth < 0 ? undefined : words[nth]?.slice(key.length + 1);
    },
  };
}

function manyFacts(words: readonly string[]): Facts | null {
  const facts = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals < 1 || facts.has(word.slice(0, equals))) return null;
    facts.set(word.slice(0, equals), word.slice(equals + 1));
  }
  return facts;
}
