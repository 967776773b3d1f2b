/**
 * Doors that are not built: HTTP and TLS. Their first line gets a short refusal that its own
 * software can show, and a close; what follows it is never read as a request (ALPACA,
 * CVE-2021-3618). Nothing is echoed.
 */
import { clock } from "../sys/clock.ts";
import { type Refusal, Refusal as Refused } from "../wire/errors.ts";
import type { Connection } from "./connection.ts";
import type { Door } from "./service.ts";

const EXPLANATION =
  "This port speaks S6/1 and bare paths, not HTTP.\n" +
  "Use cli6 s6://HOST:PORT/PATH, or send a path and a line feed with nc.\n";

const HTTP_REFUSAL =
  "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nConnection: close\r\n" +
  `Content-Length: ${EXPLANATION.length}\r\n\r\n${EXPLANATION}`;

/**
 * A fatal TLS alert, protocol_version (RFC 8446 6.2): the client says "wrong version" instead of
 * waiting.
 */
const TLS_REFUSAL = Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]);

/** Answers an HTTP request line. */
export const httpDoor: Door = {
  name: "http",
  answer: (connection) => {
    connection.sendText(HTTP_REFUSAL);
    turnAway(connection, "HTTP");
  },
  refusal,
};

/** Answers a TLS ClientHello. */
export const tlsDoor: Door = {
  name: "tls",
  answer: (connection) => {
    connection.sendBytes(TLS_REFUSAL);
    turnAway(connection, "TLS");
  },
  refusal,
};

// --- internal ---

function turnAway(connection: Connection, verb: string): void {
  const refused = new Refused("ENOSYS");
  connection.record({ verb, path: "", began: clock.now, length: 0 }, refused.code, 0);
  connection.closeAfter();
}

/** Never needed: both doors close with their first answer. */
function refusal(_refusal: Refusal): string {
  return "";
}
