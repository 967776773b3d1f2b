/** The attacks that were found: each took the server away from everybody with a few requests. */
import type { Attack } from "../attack.ts";
import { SERVED } from "../served.ts";
import { askInTurn, comeAndGo, keepAsking } from "../strategy.ts";

const SPARSE = `HASH algo=sha256 /${SERVED.sparse}\n`;
const CACHED = `HASH chunk=65536 length=268435456 /${SERVED.hashed}\n`;
const HASHED = /^OK [0-9]+ size=268435456 /;

/** In the order of their finding. */
export const FOUND: readonly Attack[] = [
  {
    name: "hash-and-leave",
    does: "1,000 sockets of each of two addresses ask for SHA-256 of 4 TiB, and close",
    // The digest itself never comes.
    sample: { request: `STAT /${SERVED.sparse}\n`, answer: /^OK 0 type=file size=4398046511104 / },
    run: comeAndGo({ connections: 2000, addresses: 2, request: () => SPARSE }, "close", 100),
  },
  {
    name: "hash-offsets",
    does: "256 connections ask for digests of 256 MiB, each from another byte on",
    sample: { request: `HASH offset=1 /${SERVED.hashed}\n`, answer: HASHED },
    run: askInTurn({
      connections: 256,
      request: (nth, round) => `HASH offset=${1 + nth + 256 * round} /${SERVED.hashed}\n`,
    }),
  },
  {
    name: "hash-cached",
    does: "one connection asks for 4,096 known digests, in a loop",
    sample: { request: CACHED, answer: HASHED },
    run: keepAsking({ connections: 1, request: () => CACHED, first: CACHED }),
  },
  {
    name: "hash-cached-8",
    does: "eight connections ask for 4,096 known digests, in a loop",
    sample: { request: CACHED, answer: HASHED },
    run: keepAsking({ connections: 8, request: () => CACHED, first: CACHED }),
  },
  {
    name: "list-and-leave",
    does: "300 sockets ask for a list of a wide folder, and close",
    sample: {
      request: `LIST /${SERVED.wide}\n`,
      answer: /^OK [0-9]+ count=[0-9]{4} more=1 left=0 id=[0-9a-f]{16}\n/,
    },
    run: comeAndGo({ connections: 300, request: () => `LIST /${SERVED.wide}\n` }, "close", 100),
  },
  {
    name: "list-others-and-leave",
    does: "300 sockets ask for a list of a wide folder, each with a limit of its own, and close",
    sample: {
      request: `LIST limit=1000 /${SERVED.wide}\n`,
      answer: /^OK [0-9]+ count=1000 more=1 left=0 id=[0-9a-f]{16}\n/,
    },
    run: comeAndGo(
      { connections: 300, request: (nth) => `LIST limit=${1000 + nth} /${SERVED.wide}\n` },
      "close",
      100,
    ),
  },
];
