/**
 * What `get` and `mirror` have in common: their flags, the progress, the deadline, Ctrl-C, and the
 * exit status of many files. Bringing bytes is client/'s.
 */
import { ClientError, stalledError } from "../../client/error.ts";
import type { FetchOptions } from "../../download/origin.ts";
import { RETRIES_DEFAULT, type Waited } from "../../download/retry.ts";
import { STALL_TIMEOUT_MS } from "../../client/stall.ts";
import { type FileTally, Tally } from "../../download/progress.ts";
import { Throttle } from "../../client/throttle.ts";
import { LocalError } from "../../destination/error.ts";
import { kernel } from "../../sys/kernel.ts";
import { type ExitStatus, FirstFailure } from "../output/exit.ts";
import { connectionFlags, patienceOf } from "./server.ts";
import { OUTPUT, QUIET_FLAG } from "../flags/general.ts";
import type { FlagTable, Values } from "../flags/flags.ts";
import { type Progress, PROGRESS_FLAG, startProgress } from "../progress/progress.ts";
import { summary } from "../progress/summary.ts";
import { count, duration, size } from "../flags/values.ts";

const STDERR = 2;

/** Heading of the help. */
export const TRANSFER = "Transfer";

/** Connections that one file may get unless -x says otherwise. */
const CONNECTIONS_DEFAULT = 16;

/** More would be one server's whole share of a peer. */
const CONNECTIONS_MAX = 1024;

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

/** Exit status of a program that a signal ended. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** One run of `get` or `mirror`. */
export class Transfer {
  readonly tally = new Tally();
  readonly options: FetchOptions;
  readonly #values: TransferValues;
  readonly #progress: Progress;
  readonly #began = performance.now();
  readonly #first = new FirstFailure();

  /** `silent`: no progress, where the content itself goes to the terminal. */
  constructor(values: TransferValues, silent = false) {
    this.#values = values;
    const rate = values["limit-rate"];
    this.options = {
      patience: {
        ...patienceOf(values),
        ...(rate === undefined ? {} : { throttle: new Throttle(rate) }),
      },
      connections: values.connections,
      retries: values.retry,
      verify: values.verify,
      waited: (waited) => this.#tellWait(waited),
      note: (line) => this.say(line),
    };
    const mode = values.quiet || silent ? "none" : values.progress;
    this.#progress = startProgress(this.tally, mode);
  }

  /** The exit status so far: the first failure's. */
  get status(): ExitStatus {
    return this.#first.status;
  }

  /**
   * Does `work` and gives the exit status. `resumable` ends the line that Ctrl-C leaves, as "run it
   * again to go on". Whatever it throws that is no failure of ours is a bug.
   */
  async run(work: () => Promise<void>): Promise<ExitStatus> {
    const deadline = this.#values["max-time"];
    const timer = deadline === undefined ? null : setTimeout(() => this.#late(deadline), deadline);
    for (const [signal, status] of Object.entries(SIGNALS)) {
      process.once(signal, () => this.#interrupted(status));
    }
    try {
      await work();
    } catch (error) {
      this.fail(error);
    }
    if (timer !== null) clearTimeout(timer);
    const told = !this.#values.quiet && (this.#values.verbose || kernel.isTerminal(STDERR));
    const some = this.tally.done + this.tally.unchanged > 0;
    if (told && some) this.#progress.stop(summary(this.tally, performance.now() - this.#began));
    else this.#progress.stop();
    return this.#first.status;
  }

  /** A line for the person. `line` is printable. */
  say(line: string): void {
    if (!this.#values.quiet) this.#progress.say(line);
  }

  /** The same when -v was given. */
  detail(line: string): void {
    if (this.#values.verbose) this.say(line);
  }

  /** A file is done or has failed, for programs that follow. */
  ended(file: FileTally): void {
    this.#progress.ended(file);
  }

  /** Something failed; the first one's status is the command's. */
  fail(error: unknown): void {
    if (error instanceof LocalError) {
      this.#note(error, `${error.code}: ${error.message}`);
    } else if (error instanceof ClientError) {
      this.#note(error, error.message);
    } else {
      this.#progress.stop();
      throw error;
    }
  }

  // --- internal ---

  #note(error: ClientError | LocalError, message: string): void {
    this.#first.note(error);
    this.say(`cli6: ${message}`);
  }

  #tellWait({ error, waitMs, nth, most }: Waited): void {
    const seconds = (waitMs / 1000).toFixed(1);
    this.say(`cli6: ${error.message}; again in ${seconds} s (${nth} of ${most})`);
  }

  /** The command's time is up. What is on the disk stays for the next run. */
  #late(deadlineMs: number): void {
    this.fail(stalledError(`not done within ${deadlineMs / 1000} s (--max-time); ${AGAIN}`));
    this.#progress.stop();
    process.exit(this.#first.status);
  }

  #interrupted(status: number): void {
    this.#progress.stop();
    this.say(`cli6: interrupted; ${AGAIN}`);
    process.exit(status);
  }
}

// --- internal ---

const AGAIN = "the same command goes on where it stopped";
