/** The flag that says how many processes serve. */
import os from "node:os";
import { PLANES_MAX } from "../../server/colleagues.ts";
import type { Reader } from "../flags/values.ts";

/** A reload has twice as many for a while, and those of the one before may still finish. */
const WORKERS_MAX = PLANES_MAX / 4;

const AUTO = "auto";

const workers: Reader<number> = {
  takes: `a whole number from 1 to ${WORKERS_MAX}, or ${AUTO}`,
  words: [AUTO],
  read(given) {
    if (given === AUTO) return Math.min(WORKERS_MAX, os.availableParallelism());
    if (!/^[1-9][0-9]{0,2}$/.test(given)) return null;
    const count = Number(given);
    return count <= WORKERS_MAX ? count : null;
  },
};

/** Part of the table of serv6. */
export const WORKER_FLAGS = {
  workers: {
    type: "string",
    group: "Limits",
    valueHint: "n",
    reader: workers,
    description: "processes that share the port, auto: one a core; from 2 on SIGHUP reloads",
    default: "1",
  },
} as const;
