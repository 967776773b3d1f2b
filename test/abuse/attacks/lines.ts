/** Attackers whose requests are wrong, endless, or not for this server. */
import type { Attack } from "../attack.ts";
import { SERVED } from "../served.ts";
import { comeAndGo, type Crowd, keepAsking, neverRead } from "../strategy.ts";

/** The longest request without its LF. */
const LINE_BYTES = 8192;

/** `text` again and again, as far as a line goes behind `verb`. */
function filled(verb: string, text: string): string {
  return (verb + text.repeat(LINE_BYTES)).slice(0, LINE_BYTES - 1);
}

/** The same line without end on eight connections. */
function flood(name: string, does: string, line: string, answer: RegExp): Attack {
  const crowd: Crowd = { connections: 8, request: () => line };
  return { name, does, sample: { request: line, answer }, run: keepAsking(crowd) };
}

/** A TLS 1.2 record that begins a handshake; what follows is never looked at. */
const CLIENT_HELLO = new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, ...Array(506).fill(7)]);

/** Lines. */
export const LINES: readonly Attack[] = [
  {
    name: "no-line-feed",
    does: "500 connections send all but the end of the longest line, and stay",
    sample: { request: "PING\n", answer: /^OK 0 / },
    run: neverRead({ connections: 500, request: () => filled("READ /", "a") }),
  },
  {
    name: "line-too-long",
    does: "sends lines over the limit, a hundred connections at a time",
    sample: { request: `${filled("READ /", "a")}aaaa`, answer: /^ERR E2BIG / },
    run: comeAndGo(
      { connections: 100, addresses: 4, request: () => filled("READ /", "a").repeat(4) },
      "close",
      1,
    ),
  },
  flood("unknown-verb", "eight pipelines of a verb that is none", "PING\nFOO /x\n", /^OK 0 /),
  flood("ping", "eight pipelines of PING", "PING\n", /^OK 0 /),
  flood("path-up", "pipelines of 8 KiB of a/../", `${filled("READ /", "a/../")}\n`, /^ERR E/),
  flood("path-dots", "pipelines of 8 KiB of ./", `${filled("STAT /", "./")}\n`, /^(ERR E|OK 0)/),
  flood("path-deep", "pipelines of 8 KiB of d/", `${filled("READ /", "d/")}\n`, /^ERR E/),
  flood("path-escapes", "pipelines of 8 KiB of %41", `${filled("READ /", "%41")}\n`, /^ERR E/),
  flood("keys", "pipelines of 8 KiB of keys", `${filled("READ ", "offset=1 ")}/x\n`, /^ERR E/),
  flood(
    "link-loop",
    "pipelines of a link that leads to itself",
    `READ /${SERVED.loop}\n`,
    /^ERR E/,
  ),
  flood("link-chain", "pipelines of too many links in a row", `READ /${SERVED.chain}\n`, /^ERR E/),
  {
    name: "http",
    does: "requests of HTTP, a hundred connections at a time",
    sample: { request: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", answer: /^HTTP\/1\.1 [0-9]{3} / },
    run: comeAndGo(
      { connections: 100, addresses: 4, request: () => "GET / HTTP/1.1\r\nHost: a\r\n\r\n" },
      "close",
      2,
    ),
  },
  {
    name: "tls",
    does: "handshakes of TLS, a hundred connections at a time",
    sample: { request: CLIENT_HELLO, answer: /^\x15\x03/ },
    run: comeAndGo({ connections: 100, addresses: 4, request: () => CLIENT_HELLO }, "close", 2),
  },
];
