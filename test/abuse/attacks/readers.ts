/** Attackers that ask and do not read, or hardly: for every verb. */
import type { Attack, CrowdOptions } from "../attack.ts";
import { SERVED } from "../served.ts";
import { neverRead, readSlowly, sendEndlessly } from "../strategy.ts";

const CONNECTIONS = 200;
/** Requests sent at once: as many as a turn answers. */
const DEPTH = 64;

/** Never reads the replies to `line`, asked 64 times on each of 200 connections. */
function unread(
  name: string,
  what: string,
  line: string,
  answer: RegExp,
  options: CrowdOptions = {},
): Attack {
  return {
    name,
    does: `${CONNECTIONS} connections ask ${DEPTH} times for ${what} and never read`,
    sample: { request: line, answer },
    run: neverRead({ connections: CONNECTIONS, request: () => line.repeat(DEPTH), ...options }),
  };
}

/** Kept digests: the reply of 70 KB is at hand. */
const DIGESTS = `HASH chunk=65536 length=268435456 /${SERVED.hashed}\n`;

/** By verb. */
export const READERS: readonly Attack[] = [
  unread("unread-read-small", "a small file", `READ /${SERVED.small}\n`, /^OK 16384 /),
  unread("unread-read-large", "a large file", `READ /${SERVED.large}\n`, /^OK 16777216 /),
  unread("unread-stat", "facts", `STAT /${SERVED.large}\n`, /^OK 0 type=file /),
  unread("unread-list", "a page of a wide folder", `LIST /${SERVED.wide}\n`, /^OK [0-9]{5,} /),
  unread("unread-hash", "4,096 digests", DIGESTS, /^OK 69632 /, { first: DIGESTS }),
  {
    name: "unread-endless",
    does: "100 connections ask for a small file without end and never read",
    sample: { request: `READ /${SERVED.small}\n`, answer: /^OK 16384 / },
    run: sendEndlessly({ connections: 100, request: () => `READ /${SERVED.small}\n` }),
  },
  {
    name: "unread-bare",
    does: "1,000 connections ask for a large file by its bare path and never read",
    // The content's first bytes are random; that they are no error is what counts.
    sample: { request: `${SERVED.large}\n`, answer: /^(?!ERROR )/ },
    run: neverRead({ connections: 1000, request: () => `${SERVED.large}\n` }),
  },
  {
    name: "stopped-reader",
    does: "1,000 downloads by a process that is stopped in their middle, then killed",
    sample: { request: `READ /${SERVED.large}\n`, answer: /^OK 16777216 / },
    stopped: true,
    run: readSlowly({ connections: 1000, request: () => `READ /${SERVED.large}\n` }, 65_536, 1),
  },
  {
    name: "slow-reader",
    does: "500 connections read a large file 100 bytes at a time, with the smallest buffers",
    sample: { request: `READ /${SERVED.large}\n`, answer: /^OK 16777216 / },
    run: readSlowly(
      { connections: 500, receiveBytes: 2048, request: () => `READ /${SERVED.large}\n` },
      100,
      10,
    ),
  },
  {
    name: "slow-lister",
    does: "100 connections read pages of a wide folder 100 bytes at a time",
    sample: { request: `LIST /${SERVED.wide}\n`, answer: /^OK [0-9]{5,} / },
    run: readSlowly(
      {
        connections: 100,
        receiveBytes: 2048,
        request: () => `LIST /${SERVED.wide}\n`.repeat(DEPTH),
      },
      100,
      10,
    ),
  },
];
