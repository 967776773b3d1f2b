/** The flags that `get` and `mirror` have in common, and what they are as options of download/. */
import { STALL_TIMEOUT_MS } from "../../client/stall.ts";
import type { TransferOptions } from "../../download/options.ts";
import { RETRIES_DEFAULT } from "../../download/retry.ts";
import { CONNECTIONS_DEFAULT, CONNECTIONS_MAX } from "../../download/settings.ts";
import { connectionFlags } from "../flags/connection.ts";
import { shownOf } from "../flags/shown.ts";
import { trustOf } from "../flags/trust.ts";
import { OUTPUT, QUIET_FLAG } from "../flags/general.ts";
import type { FlagTable, Values } from "../flags/flags.ts";
import { PROGRESS_FLAG } from "../progress/progress.ts";
import { count, duration, size } from "../flags/values.ts";

/** Heading of the help. */
export const TRANSFER = "Transfer";

const DAY_MS = 86_400_000;

/** The flags that `get` and `mirror` share. */
export const TRANSFER_FLAGS = {
  ...connectionFlags(STALL_TIMEOUT_MS),
  "max-time": {
    type: "string",
    group: "Connection",
    valueHint: "time",
    reader: duration({ min: 1, max: 365 * DAY_MS }),
    description: "give up the whole command after this time; default: never",
  },
  retry: {
    type: "string",
    group: "Connection",
    valueHint: "n",
    reader: count({ min: 0, max: 1_000_000 }),
    description: "tries after a lost connection, in a row without progress",
    default: String(RETRIES_DEFAULT),
  },
  "retry-connrefused": {
    type: "boolean",
    group: "Connection",
    description: "try again too when the first connection is refused: to wait for a server",
  },
  connections: {
    type: "string",
    alias: "x",
    group: TRANSFER,
    valueHint: "n",
    reader: count({ min: 1, max: CONNECTIONS_MAX }),
    description: "most connections; they are added only while that makes it faster",
    default: String(CONNECTIONS_DEFAULT),
  },
  "limit-rate": {
    type: "string",
    group: TRANSFER,
    valueHint: "size",
    reader: size({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    description: "most bytes a second, all connections together",
  },
  verify: {
    type: "boolean",
    group: TRANSFER,
    description: "compare each chunk with the server's digest; --no-verify trusts the network",
    default: true,
  },
  "whole-file": {
    type: "boolean",
    group: TRANSFER,
    description: "fetch all of a file that is replaced, also what is the same in the old one",
  },
  progress: PROGRESS_FLAG,
  quiet: QUIET_FLAG,
  verbose: { type: "boolean", alias: "v", group: OUTPUT, description: "a line for each file" },
} as const satisfies FlagTable;

/** What the shared flags say. */
export type TransferValues = Values<typeof TRANSFER_FLAGS>;

/** The shared flags as options. */
export function transferOptions(values: TransferValues): TransferOptions {
  const limitRate = values["limit-rate"];
  return {
    server: values.server,
    connections: values.connections,
    retries: values.retry,
    retryRefused: values["retry-connrefused"],
    verify: values.verify,
    wholeFile: values["whole-file"],
    connectTimeoutMs: values["connect-timeout"],
    stallTimeoutMs: values.timeout,
    trust: trustOf(values),
    ...shownOf(values),
    ...(limitRate !== undefined && { limitRate }),
  };
}
