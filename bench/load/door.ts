/**
 * Owns how each door is spoken by the load generator: the bytes of a request and the meaning of a
 * reply's head. Never does I/O. A new door is one more entry in the table.
 * Invariant: `bodyLength` either returns the exact number of bytes that follow the head, or throws.
 */

import type { TlsVersion } from "./tls.ts";

export type DoorName = "s6" | "http" | "bare" | "https" | "https12" | "https-new" | "https12-new";

export interface Door {
  /** The bytes that ask for `path`, which starts with "/" and needs no escaping. */
  request(path: string): Uint8Array;
  /** The bytes that ask for an answer without a body, the cheapest the door has. */
  ping(): Uint8Array;
  /** The bytes a head ends with. */
  readonly terminator: Uint8Array;
  /** Length of the body after `head`, which includes its terminator. */
  bodyLength(head: string): number;
  /**
   * True where a connection brings one file, whose end is the server's FIN, and there is no head:
   * each request has a connection of its own.
   */
  readonly closes?: true;
  /** By TLS of this version; else as it is. */
  readonly tls?: TlsVersion;
  /** Each request has a connection of its own, which the client ends behind the reply. */
  readonly fresh?: true;
}

const encoder = new TextEncoder();

/** The empty file that stands for a ping where a door has no PING. */
export const EMPTY_PATH = "/empty";

const s6: Door = {
  request: (path) => encoder.encode(`READ ${path}\n`),
  ping: () => encoder.encode("PING\n"),
  terminator: encoder.encode("\n"),
  bodyLength(head) {
    const match = /^OK (0|[1-9][0-9]{0,15})(?: [^\n]*)?\n$/.exec(head);
    if (match === null) throw new Error(`not an OK: ${firstLine(head)}`);
    return Number(match[1]);
  },
};

const http: Door = {
  request: (path) => encoder.encode(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
  ping: () => http.request(EMPTY_PATH),
  terminator: encoder.encode("\r\n\r\n"),
  bodyLength(head) {
    if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`not a 200: ${firstLine(head)}`);
    if (/^connection:\s*close/im.test(head)) throw new Error("the server will not keep alive");
    const match = /^content-length:[ \t]*(0|[1-9][0-9]{0,15})[ \t]*\r$/im.exec(head);
    if (match === null) throw new Error("a reply without Content-Length");
    return Number(match[1]);
  },
};

const bare: Door = {
  request: (path) => encoder.encode(`${path}\n`),
  ping: () => bare.request(EMPTY_PATH),
  terminator: new Uint8Array(0),
  bodyLength: () => 0,
  closes: true,
};

export const DOORS: Readonly<Record<DoorName, Door>> = {
  ...{ s6, http, bare },
  https: { ...http, tls: "1.3" },
  https12: { ...http, tls: "1.2" },
  "https-new": { ...http, tls: "1.3", fresh: true },
  "https12-new": { ...http, tls: "1.2", fresh: true },
};

// --- internal ---

function firstLine(head: string): string {
  return JSON.stringify(head.slice(0, 200).split("\n")[0]);
}
