/**
 * What `get` and `mirror` have in common: their flags, and a person in front of the operation: the
 * progress, the lines, the deadline, Ctrl-C, the exit status. What is brought is download/'s.
 */
import { ClientError, stalledError } from "../../client/error.ts";
import { STALL_TIMEOUT_MS } from "../../client/stall.ts";
import type { TransferEvent } from "../../download/events.ts";
import type { Operation, Snapshot } from "../../download/operation.ts";
import {
  CONNECTIONS_DEFAULT,
  CONNECTIONS_MAX,
  type TransferOptions,
} from "../../download/options.ts";
import { RETRIES_DEFAULT, type Waited } from "../../download/retry.ts";
import { kernel } from "../../sys/kernel.ts";
import { Failure, type Remedy } from "../../wire/failure.ts";
import { connectionFlags } from "./server.ts";
import { OUTPUT, QUIET_FLAG } from "../flags/general.ts";
import { type FlagTable, UsageError, type Values } from "../flags/flags.ts";
import { FirstFailure } from "../output/exit.ts";
import { type Progress, PROGRESS_FLAG, startProgress } from "../progress/progress.ts";
import { summary } from "../progress/summary.ts";
import { count, duration, size } from "../flags/values.ts";

const STDERR = 2;

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
  progress: PROGRESS_FLAG,
  quiet: QUIET_FLAG,
  verbose: { type: "boolean", alias: "v", group: OUTPUT, description: "a line for each file" },
} as const satisfies FlagTable;

/** What the shared flags say. */
export type TransferValues = Values<typeof TRANSFER_FLAGS>;

/** What a command adds to what both do. */
export interface Attended {
  /** No progress, where the content itself goes to the terminal. */
  readonly silent?: boolean;
  /** Whether -v names what is here already. */
  readonly namesUnchanged?: boolean;
}

/**
 * Begins an operation by `begin`, which gets the shared flags as options, shows it to its end, and
 * gives the exit status. Throws UsageError when the options are wrong.
 */
export async function attend(
  values: TransferValues,
  begin: (options: TransferOptions) => Operation<Snapshot>,
  { silent = false, namesUnchanged = false }: Attended,
): Promise<number> {
  return new Attendant(values, silent, namesUnchanged).run(begin);
}

// --- internal ---

/** Exit status of a program that a signal ended. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** How long what was interrupted may take to close what it has open, in milliseconds. */
const CLOSING_MS_MAX = 1000;

const AGAIN = "the same command goes on where it stopped";

/** What the command line calls the way out of a failure. */
const ADVICE: Readonly<Record<Remedy, string>> = {
  replace: " (--force replaces it)",
  raise: " (--max-delete)",
  rename: ", use -o",
  "copy-folder": ": cli6 mirror copies it",
  "copy-folders": ": cli6 mirror copies folders",
  "copy-file": ": cli6 get copies it",
};

function withAdvice({ message, remedy }: Failure): string {
  return remedy === null ? message : `${message}${ADVICE[remedy]}`;
}

/** Who shows one operation to a person. */
class Attendant {
  readonly #values: TransferValues;
  readonly #namesUnchanged: boolean;
  readonly #silent: boolean;
  readonly #first = new FirstFailure();
  readonly #ending = new AbortController();
  #progress: Progress | null = null;
  /** The status that a signal or the deadline has decided. */
  #ended: number | null = null;

  constructor(values: TransferValues, silent: boolean, namesUnchanged: boolean) {
    this.#values = values;
    this.#silent = silent;
    this.#namesUnchanged = namesUnchanged;
  }

  async run(begin: (options: TransferOptions) => Operation<Snapshot>): Promise<number> {
    const operation = this.#begun(begin);
    const { quiet, progress: asked, "max-time": deadlineMs } = this.#values;
    const progress = startProgress(operation.progress, quiet || this.#silent ? "none" : asked);
    this.#progress = progress;
    const late = (): void => this.#late(deadlineMs ?? 0);
    const timer = deadlineMs === undefined ? null : setTimeout(late, deadlineMs);
    for (const [signal, status] of Object.entries(SIGNALS)) {
      process.once(signal, () => this.#interrupted(status));
    }
    const last = await this.#settled(operation);
    if (timer !== null) clearTimeout(timer);
    if (last !== null) progress.stop(last);
    else progress.stop();
    return this.#ended ?? this.#first.status;
  }

  // --- internal ---

  #begun(begin: (options: TransferOptions) => Operation<Snapshot>): Operation<Snapshot> {
    const { server, connections, retry, verify, timeout, ...values } = this.#values;
    const limitRate = values["limit-rate"];
    try {
      return begin({
        server,
        connections,
        retries: retry,
        verify,
        connectTimeoutMs: values["connect-timeout"],
        stallTimeoutMs: timeout,
        ...(limitRate !== undefined && { limitRate }),
        signal: this.#ending.signal,
        onEvent: (event) => this.#tell(event),
      });
    } catch (error) {
      throw error instanceof Failure ? new UsageError(withAdvice(error)) : error;
    }
  }

  /** Waits for the end; the line that says what has become of it, if there is something to say. */
  async #settled(operation: Operation<Snapshot>): Promise<string | null> {
    const began = performance.now();
    try {
      await operation;
    } catch (error) {
      if (!(error instanceof Failure)) {
        this.#progress?.stop();
        throw error;
      }
      // It was told when it happened.
      this.#first.note(error);
    }
    const { quiet, verbose } = this.#values;
    const { progress } = operation;
    const told = !quiet && (verbose || kernel.isTerminal(STDERR));
    const some = progress.done + progress.unchanged > 0;
    if (!told || !some || this.#ending.signal.aborted) return null;
    return summary(progress, performance.now() - began);
  }

  #tell(event: TransferEvent): void {
    switch (event.type) {
      case "done":
        this.#progress?.ended(event.file);
        // Most names are never shown, and each is made when it is asked for.
        return this.#values.verbose ? this.#say(event.file.name) : undefined;
      case "failed":
        if (event.file !== null) this.#progress?.ended(event.file);
        return this.#fail(event.error);
      case "unchanged":
        if (this.#namesUnchanged) this.#detail(`${event.name} is here already`);
        return;
      case "removed":
        return this.#detail(`removed ${event.name}`);
      case "not-removed":
        return this.#say("cli6: not everything went well, so nothing is removed");
      case "planned":
        return this.#say(`${event.action.padEnd(8)} ${event.name}`);
      case "retry":
        return this.#tellWait(event);
      case "note":
        return this.#say(event.text);
    }
  }

  /** A line for the person. `line` is printable. */
  #say(line: string): void {
    if (!this.#values.quiet) this.#progress?.say(line);
  }

  /** The same when -v was given. */
  #detail(line: string): void {
    if (this.#values.verbose) this.#say(line);
  }

  #fail(error: Failure): void {
    this.#first.note(error);
    const code = error instanceof ClientError ? "" : `${error.code}: `;
    this.#say(`cli6: ${code}${withAdvice(error)}`);
  }

  #tellWait({ error, waitMs, nth, most }: Waited): void {
    const seconds = (waitMs / 1000).toFixed(1);
    this.#say(`cli6: ${error.message}; again in ${seconds} s (${nth} of ${most})`);
  }

  /** The command's time is up. What is on the disk stays for the next run. */
  #late(deadlineMs: number): void {
    const error = stalledError(`not done within ${deadlineMs / 1000} s (--max-time); ${AGAIN}`);
    this.#fail(error);
    this.#progress?.stop();
    this.#end(this.#first.status, error);
  }

  #interrupted(status: number): void {
    this.#progress?.stop();
    this.#say(`cli6: interrupted; ${AGAIN}`);
    this.#end(status, null);
  }

  /** Ends the operation, and the program when that takes too long: a sync may. */
  #end(status: number, reason: Failure | null): void {
    this.#ended ??= status;
    setTimeout(() => process.exit(status), CLOSING_MS_MAX);
    this.#ending.abort(reason ?? undefined);
  }
}
