/** Attackers that speak HTTP. */
import type { Attack } from "../attack.ts";
import { SERVED } from "../served.ts";
import { comeAndGo, neverRead, sendSlowly } from "../strategy.ts";
import { flood } from "./requests.ts";

const get = (target: string, fields = ""): string =>
  `GET /${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

const LARGE = { request: get(SERVED.large), answer: /^HTTP\/1\.1 200 / };

/** The same costs as of the other dialects, and heads. */
export const HTTP: readonly Attack[] = [
  flood(
    "http-small",
    "eight pipelines of GET of a small file",
    { connections: 8, request: () => get(SERVED.small) },
    /^HTTP\/1\.1 200 /,
  ),
  flood(
    "http-head-long",
    "eight pipelines of GET with heads of 8 KiB and 90 fields",
    { connections: 8, request: () => get(SERVED.tiny, `Odd: ${"b".repeat(82)}\r\n`.repeat(90)) },
    /^HTTP\/1\.1 200 /,
  ),
  flood(
    "http-folder",
    "eight pipelines of pages of a wide folder",
    { connections: 8, request: () => get(`${SERVED.wide}/`) },
    /^HTTP\/1\.1 200 /,
  ),
  flood(
    "http-part",
    "eight pipelines of single bytes of a large file",
    {
      connections: 8,
      request: (nth, round) => {
        const at = (nth * 999_983 + round * 7919) % 16_000_000;
        return get(SERVED.large, `Range: bytes=${at}-${at}\r\n`);
      },
    },
    /^HTTP\/1\.1 206 /,
  ),
  {
    name: "http-sums",
    does: "20 connections at a time ask for SHA256SUMS with files without end in it, and leave",
    sample: { request: get("SHA256SUMS"), answer: /^HTTP\/1\.1 200 / },
    run: comeAndGo({ connections: 20, request: () => get("SHA256SUMS") }, "close", 10),
  },
  {
    name: "http-sums-unread",
    does: "100 connections ask for SHA256SUMS of a wide folder and never read",
    sample: { request: get(`${SERVED.wide}/SHA256SUMS`), answer: /  entry-1\n/ },
    run: neverRead({ connections: 100, request: () => get(`${SERVED.wide}/SHA256SUMS`) }),
  },
  {
    name: "http-slow-head",
    does: "500 connections send a head a byte at a time, and never its end",
    sample: LARGE,
    run: sendSlowly({ connections: 500, request: () => get("x", `A: ${"b".repeat(4000)}`) }, 100),
  },
  {
    name: "http-unread",
    does: "200 connections ask 64 times for a large file and never read",
    sample: LARGE,
    run: neverRead({ connections: 200, request: () => get(SERVED.large).repeat(64) }),
  },
];
