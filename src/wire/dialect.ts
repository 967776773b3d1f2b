/**
 * The dialect of a connection, which its first line decides: S6/1 for one of the six verbs and a
 * space, or PING alone; HTTP for a line that ends in " HTTP/1.x"; else a bare path. Pure functions.
 */
import { VERBS } from "./vocabulary.ts";
import type { ByteString } from "./bytes.ts";

/** What a connection speaks, once its first line is known. */
export type Dialect = "plain" | "framed" | "http" | "tls";

const FRAMED = new RegExp(`^(?:(?:${Object.keys(VERBS).join("|")}) |PING$)`);
const HTTP = / HTTP\/1\.[0-9]$/;

/**
 * First byte of a TLS handshake record (RFC 8446 5.1); no path that a person types starts with it.
 */
const TLS_HANDSHAKE = "\x16";

/** The dialect of `line`, complete and without LF and CR. */
export function dialectOf(line: ByteString): Dialect {
  if (FRAMED.test(line)) return "framed";
  if (HTTP.test(line)) return "http";
  return line.startsWith(TLS_HANDSHAKE) ? "tls" : "plain";
}

/**
 * True when `start`, a first line without its LF, can be S6/1 alone: then 200 ms of silence do not
 * end it, only LF or FIN does. A client that sends slowly is not cut within a line, nor between CR
 * and LF.
 */
export function isFramedStart(start: ByteString): boolean {
  return FRAMED.test(start.endsWith("\r") ? start.slice(0, -1) : start);
}

/**
 * True when `start` is a TLS record: binary data, in which a LF is not to be waited for.
 */
export function isTlsStart(start: ByteString): boolean {
  return start.startsWith(TLS_HANDSHAKE);
}
