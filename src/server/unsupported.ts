/**
 * Doors that are not built, TLS, or that are closed, HTTP with --no-http. Their first line gets a
 * short refusal that its own software can show, and a close; what follows it is never read as a
 * request (ALPACA, CVE-2021-3618). Nothing is echoed.
 */
import { Refusal } from "../wire/errors.ts";
import type { Door } from "./service.ts";

const EXPLANATION =
  "This port speaks S6/1 and bare paths; HTTP is turned off.\n" +
  "Use cli6 s6://HOST:PORT/PATH, or send a path and a line feed with nc.\n";

const HTTP_REFUSAL =
  "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nConnection: close\r\n" +
  `Content-Length: ${EXPLANATION.length}\r\n\r\n${EXPLANATION}`;

/**
 * A fatal TLS alert, protocol_version (RFC 8446 6.2): the client says "wrong version" instead of
 * waiting. All of its bytes are below 128, so that as text it stays what it is.
 */
const TLS_REFUSAL = String.fromCharCode(0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46);

/** Answers an HTTP request line where HTTP is turned off. */
export const closedHttpDoor: Door = turnsAway("http", "HTTP", HTTP_REFUSAL);

/** Answers a TLS ClientHello. */
export const tlsDoor: Door = turnsAway("tls", "TLS", TLS_REFUSAL);

/** `door` as it is for those who ought to use TLS: it answers nothing, in its own words. */
export function onlyByTls(door: Door): Door {
  return {
    ...door,
    answer: (_store, _line, asker) => {
      asker.last();
      return new Refusal("EACCES", "this server takes TLS from other machines: s6s:// or https://");
    },
  };
}

// --- internal ---

function turnsAway(name: string, verb: string, text: string): Door {
  return {
    name,
    heads: false,
    answer: (_store, _line, asker) => {
      asker.last();
      return new Refusal("ENOSYS");
    },
    asked: () => ({ verb, path: "" }),
    refusal: () => text,
  };
}
