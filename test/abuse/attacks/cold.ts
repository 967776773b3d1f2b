/** Attackers with files that are not in memory, or do not stay as they are. */
import fs from "node:fs";
import path from "node:path";
import type { Attack, Attacker } from "../attack.ts";
import { COLD_FILES, SERVED } from "../served.ts";
import { dropPages } from "../socket.ts";
import { askInTurn, keepAsking } from "../strategy.ts";

const coldName = (nth: number): string => `${SERVED.cold}/${nth % COLD_FILES}`;

/** Files are dropped from memory so often, in milliseconds: a disk under pressure, not a race. */
const DROP_MS = 50;

/** Takes the cold files out of memory, when it is called and the time has come. */
function chilled(): (attacker: Attacker) => void {
  const fds: number[] = [];
  let next = 0;
  return ({ root }) => {
    if (performance.now() < next) return;
    next = performance.now() + DROP_MS;
    for (let nth = fds.length; nth < COLD_FILES; nth++) {
      fds.push(fs.openSync(path.join(root, coldName(nth)), "r"));
    }
    for (const fd of fds) dropPages(fd);
  };
}

/** Bytes of one write in place. */
const WRITTEN_BYTES = 4096;
const REWRITTEN_BYTES = 8 * 1024 * 1024;

/** Writes some bytes of the file in place each time it is called. */
function rewriting(): (attacker: Attacker) => void {
  let fd = -1;
  let round = 0;
  return ({ root }) => {
    if (fd < 0) fd = fs.openSync(path.join(root, SERVED.rewritten), "r+");
    const bytes = Buffer.alloc(WRITTEN_BYTES, (round += 1) & 255);
    fs.writeSync(fd, bytes, 0, bytes.length, (round * WRITTEN_BYTES) % REWRITTEN_BYTES);
  };
}

/** Cold first: their descriptors have the longest to go. */
export const COLD: readonly Attack[] = [
  {
    name: "read-cold",
    does: "200 connections download files that are dropped from memory 20 times a second",
    sample: { request: `READ /${coldName(0)}\n`, answer: /^OK 1048576 / },
    run: askInTurn(
      { connections: 200, request: (nth, round) => `READ /${coldName(nth + round)}\n` },
      chilled(),
    ),
  },
  {
    name: "hash-cold",
    does: "200 connections ask for digests of files that are dropped from memory 20 times a second",
    sample: { request: `HASH algo=sha256 /${coldName(0)}\n`, answer: /^OK 65 / },
    run: askInTurn(
      {
        connections: 200,
        request: (nth, round) => `HASH algo=sha256 offset=${1 + round} /${coldName(nth + round)}\n`,
      },
      chilled(),
    ),
  },
  {
    name: "hash-rewritten",
    does: "32 connections ask for digests of a file that is rewritten in place",
    sample: { request: `HASH algo=sha256 /${SERVED.rewritten}\n`, answer: /^OK 65 / },
    run: askInTurn(
      { connections: 32, request: () => `HASH algo=sha256 /${SERVED.rewritten}\n` },
      rewriting(),
    ),
  },
  {
    name: "read-rewritten",
    does: "32 pipelines download a file that is rewritten in place",
    sample: { request: `READ /${SERVED.rewritten}\n`, answer: /^OK 8388608 / },
    run: keepAsking({ connections: 32, request: () => `READ /${SERVED.rewritten}\n` }, rewriting()),
  },
];
