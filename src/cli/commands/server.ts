/**
 * What all commands that talk to a server have in common on the command line: which server, and how
 * long to wait for it. One place, so that a flag means the same everywhere.
 */
import { parseServer, parseTarget, type ServerAddress, type Target } from "../../client/address.ts";
import { CONNECT_TIMEOUT_MS } from "../../client/dial.ts";
import { ClientError } from "../../client/error.ts";
import type { Patience } from "../../client/wireclient.ts";
import { PORT_DEFAULT } from "../../wire/vocabulary.ts";
import { type FlagTable, type Operand, UsageError } from "../flags/flags.ts";
import { CONNECTION } from "../flags/general.ts";
import { duration, parsed } from "../flags/values.ts";

/** Milliseconds: a day outlasts any transfer's pause. */
const WAIT = { min: 1, max: 86_400_000 };

/** `--server`, alone for who needs to know it before the rest. */
export const SERVER_FLAG = {
  type: "string",
  alias: "s",
  group: CONNECTION,
  valueHint: "host:port",
  reader: parsed("HOST, HOST:PORT or [IPv6]:PORT (TLS is not supported yet)", parseServer),
  description: "server for paths that are no URL",
  default: `127.0.0.1:${PORT_DEFAULT}`,
} as const;

/** `--server`, `--connect-timeout` and `--timeout`, which is `timeoutMs` unless given. */
export function connectionFlags(timeoutMs: number) {
  return {
    server: SERVER_FLAG,
    "connect-timeout": {
      type: "string",
      group: CONNECTION,
      valueHint: "time",
      reader: duration(WAIT),
      description: "give up connecting after this time",
      default: `${CONNECT_TIMEOUT_MS / 1000}`,
    },
    timeout: {
      type: "string",
      group: CONNECTION,
      valueHint: "time",
      reader: duration(WAIT),
      description: "give up when nothing has come for this time",
      default: `${timeoutMs / 1000}`,
    },
  } as const satisfies FlagTable;
}

/** The times that the flags say. */
export function patienceOf(values: {
  readonly "connect-timeout": number;
  readonly timeout: number;
}): Patience {
  return { connectTimeoutMs: values["connect-timeout"], stallTimeoutMs: values.timeout };
}

/** All operands as targets, or UsageError for the first that is none: then nothing is asked. */
export function targetsOf(operands: readonly Operand[], server: ServerAddress): Target[] {
  return operands.map(({ text }) => meant(() => parseTarget(text, server)));
}

/** What `parse` gives; a ClientError of it is a mistake on the command line. */
export function meant<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof ClientError ? new UsageError(error.message) : error;
  }
}
