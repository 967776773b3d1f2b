/** Attackers that ask without end, for what costs more than it looks. */
import { type Attack, ADDRESSES_MAX } from "../attack.ts";
import { SERVED } from "../served.ts";
import { askInTurn, type Crowd, keepAsking } from "../strategy.ts";

/** Asks without end, as fast as it is let. */
export function flood(name: string, does: string, crowd: Crowd, answer: RegExp): Attack {
  const sample = { request: crowd.request(0, 0), answer };
  return { name, does, sample, run: keepAsking(crowd) };
}

const LARGE_BYTES = 16 * 1024 * 1024;

/** An offset in the large file that no two rounds share for long. */
function anywhere(nth: number, round: number, length: number): number {
  return (nth * 999_983 + round * 7919) % (LARGE_BYTES - length);
}

/** Pipelines. */
export const REQUESTS: readonly Attack[] = [
  flood(
    "hash-unaligned",
    "eight pipelines of 4,096 digests of 777 bytes each, from odd offsets",
    {
      connections: 8,
      request: (nth, round) => {
        const length = 4096 * 777;
        const offset = anywhere(nth, round, length) | 1;
        return `HASH offset=${offset} length=${length} chunk=777 /${SERVED.large}\n`;
      },
    },
    /^OK 69632 /,
  ),
  flood(
    "hash-held",
    "eight pipelines of 64 SHA-256 of a content that is in memory",
    { connections: 8, request: () => `HASH algo=sha256 chunk=1024 /${SERVED.tiny}\n` },
    /^OK 4160 /,
  ),
  flood(
    "hash-held-part",
    "eight pipelines of SHA-256 of 64 KiB of a large file, from odd offsets",
    {
      connections: 8,
      request: (nth, round) => {
        const offset = anywhere(nth, round, 65_536) | 1;
        return `HASH algo=sha256 offset=${offset} length=65536 /${SERVED.large}\n`;
      },
    },
    /^OK 65 /,
  ),
  flood(
    "stat-missing",
    "eight pipelines of STAT of names that are not there",
    { connections: 8, request: (nth, round) => `STAT /missing-${nth}-${round}\n` },
    /^ERR ENOENT /,
  ),
  flood(
    "read-missing-deep",
    "eight pipelines of READ of a name below 100 folders",
    { connections: 8, request: () => `READ /${SERVED.deep}${"/d".repeat(100)}/missing\n` },
    /^ERR ENOENT /,
  ),
  flood(
    "list-one",
    "eight pipelines of LIST limit=1 of a wide folder",
    {
      connections: 8,
      request: (_, round) => `LIST limit=1 after=entry-${round % 1000} /${SERVED.wide}\n`,
    },
    /^OK [0-9]+ count=1 more=1 left=0 id=[0-9a-f]{16}\n/,
  ),
  flood(
    "list-pages",
    "eight pipelines of whole pages of a wide folder",
    {
      connections: 8,
      request: (_, round) => `LIST after=entry-${round % 1000} /${SERVED.wide}\n`,
    },
    /^OK [0-9]{5,} /,
  ),
  flood(
    "read-byte",
    "eight pipelines of single bytes of a large file, without end",
    {
      connections: 8,
      request: (nth, round) => `READ offset=${anywhere(nth, round, 1)} length=1 /${SERVED.large}\n`,
    },
    /^OK 1 /,
  ),
  flood(
    "read-past-end",
    "eight pipelines of ranges past the end",
    { connections: 8, request: () => `READ offset=9007199254740991 /${SERVED.large}\n` },
    /^ERR ERANGE /,
  ),
  flood(
    "read-endless",
    "eight downloads of 4 TiB at full speed",
    { connections: 8, request: () => `READ /${SERVED.sparse}\n` },
    /^OK 4398046511104 /,
  ),
  flood(
    "read-large",
    "200 downloads of a large file at full speed",
    { connections: 200, request: () => `READ /${SERVED.large}\n` },
    /^OK 16777216 /,
  ),
  flood(
    "read-small",
    "64 pipelines of a small file at full speed",
    { connections: 64, request: () => `READ /${SERVED.small}\n` },
    /^OK 16384 /,
  ),
  {
    name: "hash-addresses",
    does: "199 addresses ask for SHA-256 of a large file, each from another byte on",
    sample: { request: `HASH algo=sha256 offset=1 /${SERVED.large}\n`, answer: /^OK 65 / },
    run: askInTurn({
      connections: ADDRESSES_MAX,
      addresses: ADDRESSES_MAX,
      request: (nth, round) =>
        `HASH algo=sha256 offset=${1 + nth + ADDRESSES_MAX * round} /${SERVED.large}\n`,
    }),
  },
  {
    name: "list-addresses",
    does: "199 addresses ask for pages of a wide folder",
    sample: { request: `LIST /${SERVED.wide}\n`, answer: /^OK [0-9]{5,} / },
    run: askInTurn({
      connections: ADDRESSES_MAX,
      addresses: ADDRESSES_MAX,
      request: () => `LIST /${SERVED.wide}\n`,
    }),
  },
];
