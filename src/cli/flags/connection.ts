/**
 * The flags and operands of every command that talks to a server: which server, which timeouts,
 * which paths and URLs. They are here once, so that they mean the same in every command.
 */
import {
  parseServer,
  parseTarget,
  type ServerAddress,
  type Target,
  urlOf,
} from "../../client/address.ts";
import { CONNECT_TIMEOUT_MS } from "../../client/dial.ts";
import { ClientError } from "../../client/error.ts";
import type { ConnectionSettings } from "../../client/wireclient.ts";
import { PORT_DEFAULT } from "../../wire/vocabulary.ts";
import { type FlagTable, type Operand, UsageError, type Values } from "./flags.ts";
import { CONNECTION } from "./general.ts";
import { SHOWN_FLAGS, shownOf } from "./shown.ts";
import { TRUST_FLAGS, trustOf } from "./trust.ts";
import { duration, parsed } from "./values.ts";

/** Bounds of a timeout in milliseconds, up to a day: longer than any pause of a transfer. */
const WAIT = { min: 1, max: 86_400_000 };

/** `--server`. */
export const SERVER_FLAG = {
  type: "string",
  alias: "s",
  group: CONNECTION,
  valueHint: "host:port",
  reader: parsed(
    "HOST, HOST:PORT, IPv6 or [IPv6]:PORT behind s6:// or, by TLS, s6s://",
    parseServer,
  ),
  description: "server for paths that are no URL",
  default: `127.0.0.1:${PORT_DEFAULT}`,
} as const;

/** `--server`, `--connect-timeout` and `--timeout`, whose default is `timeoutMs`. */
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
    ...TRUST_FLAGS,
    ...SHOWN_FLAGS,
  } as const satisfies FlagTable;
}

/** The timeouts, and whom to believe, that the flags give. */
export function connectionSettingsOf(
  values: Values<typeof TRUST_FLAGS> &
    Values<typeof SHOWN_FLAGS> & {
      readonly "connect-timeout": number;
      readonly timeout: number;
    },
): ConnectionSettings {
  return {
    connectTimeoutMs: values["connect-timeout"],
    stallTimeoutMs: values.timeout,
    trust: trustOf(values),
    ...shownOf(values),
  };
}

/**
 * All operands as targets. Throws UsageError for the first that is none, before any is asked for.
 */
export function targetsOf(operands: readonly Operand[], server: ServerAddress): Target[] {
  return operands.map(({ text }) => meant(() => parseTarget(text, server)));
}

/** The same for what only a server of S6/1 can do: `what` completes "... can't". */
export function s6TargetsOf(
  operands: readonly Operand[],
  server: ServerAddress,
  what: string,
): Target[] {
  const targets = targetsOf(operands, server);
  for (const { server: each, path } of targets) {
    if (each.http !== undefined) throw new UsageError(`${urlOf(each, path)}: HTTP can't ${what}`);
  }
  return targets;
}

/** The result of `parse`, whose ClientError becomes a UsageError: a mistake on the command line. */
export function meant<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof ClientError ? new UsageError(error.message) : error;
  }
}
