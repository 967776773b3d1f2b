/**
 * The first line decides what a connection speaks. One of the six verbs and a space, or PING alone:
 * S6/1. A line that ends in " HTTP/1.x": HTTP. Everything else is a bare path, as the exercise
 * speaks it.
 */
import { VERBS } from "./vocabulary.ts";
import type { ByteString } from "./bytes.ts";

/** What a connection speaks, once its first line is known. */
export type Dialect = "plain" | "framed" | "http" | "tls";

const FRAMED = new RegExp(`^(?:(?:${Object.keys(VERBS).join("|")}) |PING$)`);
const HTTP = / HTTP\/1\.[0-9]$/;

/** First byte of a TLS ClientHello record (RFC 8446 5.1); no path a person types starts with it. */
const TLS_HANDSHAKE = "\x16";

/** The dialect of `line`, complete and without LF and CR. */
export function dialectOf(line: ByteString): Dialect {
  if (FRAMED.test(line)) return "framed";
  if (HTTP.test(line)) return "http";
  return line.startsWith(TLS_HANDSHAKE) ? "tls" : "plain";
}

/**
 * True when `start`, a first line without its LF, can already be nothing but S6/1: then 200 ms of
 * quiet do not end it, only LF or FIN does. A client that types slowly is not cut in the middle of
 * a line, nor between CR and LF.
 */
export function isFramedStart(start: ByteString): boolean {
  return FRAMED.test(start.endsWith("\r") ? start.slice(0, -1) : start);
}

/**
 * True when `start` is a TLS record: binary, so that waiting for a LF would be waiting for chance.
 */
export function isTlsStart(start: ByteString): boolean {
  return start.startsWith(TLS_HANDSHAKE);
}
