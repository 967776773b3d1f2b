/**
 * The specification of S6/1: its verbs, keys, limits and grammar, each named once. Everything else
 * in this room reads or writes what is defined here. No I/O, no timers, no sockets.
 *
 *   request = VERB *( SP key=value ) [ SP path ] LF
 *   reply   = "OK" SP length *( SP key=value ) LF  length*OCTET
 *           | "ERR" SP errno SP message LF
 *
 * A path starts with "/" and runs to the end of the line. `%XX` stands for a byte. A CR before the
 * LF is dropped. The last line of a connection may end in the client's FIN instead of a LF.
 *
 *   LIST [limit=N] [after=NAME] [left=0|1] path   -> OK n count= more=0|1 left= id=   + entries
 *
 * `left` counts names of the folder that are there and can't be had: links that lead out of the
 * root or nowhere, devices, pipes, sockets. With left=1 each has a line in its place, behind which
 * after= goes on as behind an entry; count and limit are of entries alone. A client asks with
 * left=1 only who has told left=: to older servers the key is unknown. `id` is the folder's own, by
 * whatever path it is listed: who descends and meets that of a folder above is in a circle of
 * links.
 */

/** Name of the protocol as PING tells it. */
export const PROTOCOL = "S6/1";

/** The port when none is given. */
export const PORT_DEFAULT = 6464;

/** The largest port of TCP. */
export const PORT_MAX = 65_535;

/**
 * Longest request line in bytes, without its LF. Room for a 4,095-byte path with every second byte
 * escaped.
 */
export const LINE_BYTES_MAX = 8192;

/**
 * Longest reply line a client accepts, in bytes without LF: a request line's path comes back in
 * ERR, escaped.
 */
export const REPLY_LINE_BYTES_MAX = 65_536;

/**
 * Longest etag, as the value of `if=` and in a reply, in characters. Those of serv6 have 16.
 */
export const ETAG_CHARS_MAX = 64;

/**
 * True for a well-formed etag. Etags are opaque: another server's may differ from those of serv6.
 */
export function isEtag(text: string): boolean {
  return text.length <= ETAG_CHARS_MAX && /^[!-~]+$/.test(text);
}

/** Longest token of an AUTH, in characters. Those that serv6 makes have 43. */
export const TOKEN_CHARS_MAX = 512;

/** True for a well-formed token: visible ASCII, so that each dialect can carry it. */
export function isToken(text: string): boolean {
  return text.length <= TOKEN_CHARS_MAX && /^[!-~]+$/.test(text);
}

/** Entries in one LIST reply when `limit` is not given, and the most that one reply holds. */
export const LIST_ENTRIES_MAX = 4096;

/** What each verb takes: the keys it knows, and whether it names a path. */
export const VERBS = {
  READ: { keys: ["offset", "length", "if"], path: true },
  STAT: { keys: [], path: true },
  LIST: { keys: ["limit", "after", "left"], path: true },
  HASH: { keys: ["offset", "length", "chunk", "algo"], path: true },
  PING: { keys: [], path: false },
  AUTH: { keys: [], path: false },
} as const;

/** A verb of S6/1. */
export type Verb = keyof typeof VERBS;

/** True when `word` is one of the six verbs, in capitals. */
export function isVerb(word: string): word is Verb {
  return Object.hasOwn(VERBS, word);
}
