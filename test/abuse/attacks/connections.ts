/** Attackers that hold connections, or open and end them, with little said or nothing. */
import { type Attack, ADDRESSES_MAX } from "../attack.ts";
import { SERVED } from "../served.ts";
import { comeAndGo, halfClose, neverRead, sendSlowly } from "../strategy.ts";

const PING = { request: "PING\n", answer: /^OK 0 / };
const READ_LARGE = `READ /${SERVED.large}\n`;
const LARGE = { request: READ_LARGE, answer: /^OK 16777216 / };

/** Each holds less than one address may have, unless it says so. */
export const CONNECTIONS: readonly Attack[] = [
  {
    name: "none",
    does: "nothing: what honest clients see when nobody attacks",
    sample: PING,
    run: neverRead({ connections: 0, request: () => "" }),
  },
  {
    name: "silent-address",
    does: "one address holds as many connections as it gets, and says nothing",
    sample: PING,
    run: neverRead({ connections: 1500, request: () => "" }),
  },
  {
    name: "silent-two",
    does: "two addresses hold as many connections as they get, and say nothing",
    sample: PING,
    run: neverRead({ connections: 2000, addresses: 2, request: () => "" }),
  },
  {
    name: "silent-many",
    does: "199 addresses hold 10 connections each, more than there are, and say nothing",
    sample: PING,
    run: neverRead({
      connections: ADDRESSES_MAX * 10,
      addresses: ADDRESSES_MAX,
      request: () => "",
    }),
  },
  {
    name: "slow-request",
    does: "500 connections send a request a byte at a time, and never its end",
    sample: PING,
    run: sendSlowly({ connections: 500, request: () => `READ /${"a".repeat(4000)}` }, 100),
  },
  {
    name: "slow-bare",
    does: "500 connections send a bare path a byte at a time, faster than it ends by silence",
    sample: { request: `${SERVED.some}/file-10\n`, answer: /^file-10$/ },
    run: sendSlowly({ connections: 500, request: () => "a".repeat(4000) }, 100),
  },
  {
    name: "half-closed",
    does: "500 connections say FIN and nothing else, and stay",
    sample: PING,
    run: halfClose({ connections: 500, request: () => "" }),
  },
  {
    name: "half-closed-hash",
    does: "500 connections ask for SHA-256 of 4 TiB, say FIN and stay",
    sample: { request: `STAT /${SERVED.sparse}\n`, answer: /^OK 0 type=file size=4398046511104 / },
    run: halfClose({
      connections: 500,
      request: (nth) => `HASH algo=sha256 offset=${nth} /${SERVED.sparse}\n`,
    }),
  },
  {
    name: "half-closed-read",
    does: "500 connections ask for a large file, say FIN, never read and stay",
    sample: LARGE,
    run: halfClose({ connections: 500, request: () => READ_LARGE }),
  },
  {
    name: "connect-storm",
    does: "connects and closes without a word, a hundred at a time",
    sample: PING,
    run: comeAndGo({ connections: 100, addresses: 4, request: () => "" }, "close", 1),
  },
  {
    name: "reset-storm",
    does: "asks for a large file and resets, a hundred at a time",
    sample: LARGE,
    run: comeAndGo({ connections: 100, addresses: 4, request: () => READ_LARGE }, "reset", 1),
  },
  {
    name: "close-storm",
    does: "asks for a large file and closes with bytes unread, a hundred at a time",
    sample: LARGE,
    run: comeAndGo({ connections: 100, addresses: 4, request: () => READ_LARGE }, "close", 1),
  },
];
