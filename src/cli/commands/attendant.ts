/**
 * A person in front of an operation of the library: the progress, a line for what happens, the
 * deadline, Ctrl-C, the exit status. It moves nothing itself.
 */
import { ClientError, stalledError } from "../../client/error.ts";
import type { TransferEvent } from "../../download/events.ts";
import type { Operation, Snapshot } from "../../download/operation.ts";
import type { TransferOptions } from "../../download/options.ts";
import type { Waited } from "../../download/retry.ts";
import { kernel } from "../../sys/kernel.ts";
import { Failure, type Remedy } from "../../wire/failure.ts";
import { UsageError } from "../flags/flags.ts";
import { FirstFailure } from "../output/exit.ts";
import { type ProgressDisplay, startProgress } from "../progress/progress.ts";
import { summary } from "../progress/summary.ts";
import { transferOptions, type TransferValues } from "./transfer.ts";

const STDERR = 2;

/** What a command adds to what both do. */
export interface Attended {
  /** No progress, where the content itself goes to the terminal. */
  readonly silent?: boolean;
  /** Whether -v names what is here already. */
  readonly namesUnchanged?: boolean;
  /** Its abort is Ctrl-C at the prompt: the operation ends, and the program goes on. */
  readonly stop?: AbortSignal;
}

/**
 * Begins an operation by `begin`, which gets the shared flags as options, shows it to its end, and
 * gives the exit status. Throws UsageError when the options are wrong.
 */
export async function attend(
  values: TransferValues,
  begin: (options: TransferOptions) => Operation<Snapshot>,
  { silent = false, namesUnchanged = false, stop }: Attended,
): Promise<number> {
  const attendant = new Attendant(values, silent, namesUnchanged);
  stop?.addEventListener("abort", () => attendant.stop());
  return attendant.run(begin);
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
  #progress: ProgressDisplay | null = null;
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

  /** Ends the operation alone, as Ctrl-C does the program. */
  stop(): void {
    this.#interrupt();
    this.#ended ??= SIGNALS.SIGINT;
    this.#ending.abort();
  }

  // --- internal ---

  #begun(begin: (options: TransferOptions) => Operation<Snapshot>): Operation<Snapshot> {
    try {
      return begin({
        ...transferOptions(this.#values),
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
    this.#interrupt();
    this.#end(status, null);
  }

  #interrupt(): void {
    this.#progress?.stop();
    this.#say(`cli6: interrupted; ${AGAIN}`);
  }

  /** Ends the operation, and the program when that takes too long: a sync may. */
  #end(status: number, reason: Failure | null): void {
    this.#ended ??= status;
    setTimeout(() => process.exit(status), CLOSING_MS_MAX);
    this.#ending.abort(reason ?? undefined);
  }
}
