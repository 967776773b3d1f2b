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
import { loginAdvice } from "../output/login.ts";
import { bounded } from "../output/message.ts";
import { FirstFailure, isPipeClosed } from "../output/exit.ts";
import type { SourceProgress } from "../../download/progress.ts";
import { rateText, sizeText } from "../output/amount.ts";
import { type ProgressDisplay, startProgress } from "../progress/progress.ts";
import { plan, summary } from "../progress/summary.ts";
import { AGAIN, Outage } from "./outage.ts";
import { onSignals } from "./signals.ts";
import { transferOptions, type TransferValues } from "./transfer.ts";

const STDERR = 2;

/** What a command adds to what both do. */
export interface Attended {
  /** No progress, where the content itself goes to the terminal. */
  readonly silent?: boolean;
  /** Whether -v names what is here already. */
  readonly namesUnchanged?: boolean;
  /** False where the same command would not go on from what has come. */
  readonly resumes?: boolean;
  /** It is a dry run: its last line is the sum of what was planned. */
  readonly plans?: boolean;
  /** Given at the prompt: its abort is Ctrl-C, and no signal of the process is meant for it. */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Begins an operation by `begin`, which gets the shared flags as options, shows it to its end, and
 * gives the exit status. Throws UsageError when the options are wrong.
 */
export async function attend(
  values: TransferValues,
  begin: (options: TransferOptions) => Operation<Snapshot>,
  attended: Attended,
): Promise<number> {
  return new Attendant(values, attended).run(begin);
}

// --- internal ---

/** Ctrl-C at the prompt ends a command like that on a command line. */
const STOPPED = 130;

/** Ends what was begun. */
type Undo = () => void;

/** How long what was interrupted may take to close what it has open, in milliseconds. */
const CLOSING_MS_MAX = 1000;

/** What the command line calls the way out of a failure. */
const ADVICE: Readonly<Record<Exclude<Remedy, "log-in">, string>> = {
  replace: " (--force replaces it)",
  raise: " (--max-delete)",
  rename: ", use -o",
  "copy-folder": ": -r copies it",
  "copy-folders": ": cli6 mirror copies folders",
  "copy-file": ": cli6 get copies it",
};

/** Room for the longest size, "1023 GiB". */
const SIZE_CHARS = 8;

/** The line of a dry run for one file: what would be done, how much is fetched, its name. */
function planned({ action, size, name }: TransferEvent & { type: "planned" }): string {
  const bytes = size === null ? "" : sizeText(size);
  return `${action.padEnd(7)}  ${bytes.padStart(SIZE_CHARS)}  ${name}`;
}

function withAdvice({ message, remedy }: Failure): string {
  if (remedy === "log-in") return bounded(message) + loginAdvice(message);
  return bounded(message) + (remedy === null ? "" : ADVICE[remedy]);
}

/** `new      NAME`. */
function actionLine(action: string, name: string): string {
  return `${action.padEnd(8)} ${name}`;
}

/** A file that came: its name, and of a mirror why. */
function itemised({ file, change }: Extract<TransferEvent, { type: "done" }>): string {
  if (change === undefined) return file.name;
  const { why, path } = change;
  return why === "new" ? actionLine(why, path) : `${actionLine("changed", path)} (${why})`;
}

/** `  51 MiB from s6://nas:6464 (98 MiB/s)`. */
function shareLine({ server, received, bytesPerSecond, left }: SourceProgress): string {
  const rate = rateText(bytesPerSecond);
  return `  ${sizeText(received)} from ${server} (${left ? "left out, " : ""}${rate})`;
}

/** Who shows one operation to a person. */
class Attendant {
  readonly #values: TransferValues;
  readonly #namesUnchanged: boolean;
  readonly #silent: boolean;
  readonly #resumes: boolean;
  readonly #plans: boolean;
  /** What a dry run would remove. */
  #toRemove = 0;
  readonly #first = new FirstFailure();
  readonly #ending = new AbortController();
  #progress: ProgressDisplay | null = null;
  #outage: Outage | null = null;
  /** Null: the process's signals end it, and the process with it. */
  readonly #stop: AbortSignal | null;
  /** The status that a signal or the deadline has decided. */
  #ended: number | null = null;
  /** Ends the process when closing takes too long. */
  #closing: NodeJS.Timeout | null = null;

  constructor(
    values: TransferValues,
    { silent = false, namesUnchanged = false, resumes = true, plans = false, stop }: Attended,
  ) {
    this.#stop = stop ?? null;
    this.#values = values;
    this.#silent = silent;
    this.#namesUnchanged = namesUnchanged;
    this.#resumes = resumes;
    this.#plans = plans;
  }

  async run(begin: (options: TransferOptions) => Operation<Snapshot>): Promise<number> {
    const operation = this.#begun(begin);
    const { quiet, progress: asked, "max-time": deadlineMs } = this.#values;
    const progress = startProgress(operation.progress, quiet || this.#silent ? "none" : asked);
    this.#progress = progress;
    this.#outage = new Outage(operation.progress);
    const late = (): void => this.#late(deadlineMs ?? 0);
    const timer = deadlineMs === undefined ? null : setTimeout(late, deadlineMs);
    const ignore = this.#onSignals();
    const last = await this.#settled(operation);
    ignore();
    if (timer !== null) clearTimeout(timer);
    if (this.#closing !== null) clearTimeout(this.#closing);
    if (last !== null) progress.stop(last);
    else progress.stop();
    return this.#ended ?? this.#first.status;
  }

  // --- internal ---

  /** Listens for Ctrl-C and its like; what it gives ends that. */
  #onSignals(): Undo {
    if (this.#stop !== null) {
      const stopped = (): void => this.#interrupted(STOPPED);
      this.#stop.addEventListener("abort", stopped);
      if (this.#stop.aborted) stopped();
      return () => this.#stop?.removeEventListener("abort", stopped);
    }
    return onSignals((status) => this.#interrupted(status));
  }

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
      const words = this.#ended === null ? (this.#outage?.last(this.#resumes) ?? null) : null;
      if (words !== null) this.#say(`cli6: ${words}`);
    }
    const { quiet, verbose } = this.#values;
    const { progress } = operation;
    if (this.#plans) return quiet || this.#ended !== null ? null : plan(progress, this.#toRemove);
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
        if (!this.#values.verbose) return;
        this.#say(itemised(event));
        for (const source of event.file.sources) this.#say(shareLine(source));
        return;
      case "failed":
        if (event.file !== null) this.#progress?.ended(event.file);
        return this.#fail(event.error);
      case "unchanged":
        if (this.#namesUnchanged) this.#detail(`${event.name} is here already`);
        return;
      case "removed":
        return this.#detail(actionLine("removed", event.name));
      case "not-removed":
        this.#toRemove = 0;
        return this.#say("cli6: not everything went well, so nothing is removed");
      case "planned":
        if (event.action === "removed") this.#toRemove += 1;
        return this.#say(planned(event));
      case "retry":
        return this.#tellWait(event);
      case "note":
        return this.#say(bounded(event.text));
    }
  }

  #tellWait(waited: Waited): void {
    const line = this.#outage?.waited(waited, performance.now()) ?? null;
    if (line !== null) this.#say(`cli6: ${bounded(line)}`);
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
    // A reader that closed its end (`-o - | head`) has all that it wanted: no message.
    if (isPipeClosed(error) || this.#outage?.isNews(error) === false) return;
    const code = error instanceof ClientError ? "" : `${error.code}: `;
    this.#say(`cli6: ${code}${withAdvice(error)}`);
  }

  /** The command's time is up. What is on the disk stays for the next run. */
  #late(deadlineMs: number): void {
    const again = this.#resumes ? `; ${AGAIN}` : "";
    const error = stalledError(`not done within ${deadlineMs / 1000} s (--max-time)${again}`);
    this.#fail(error);
    this.#progress?.stop();
    this.#end(this.#first.status, error);
  }

  #interrupted(status: number): void {
    this.#progress?.stop();
    this.#say(`cli6: interrupted${this.#resumes ? `; ${AGAIN}` : ""}`);
    this.#end(status, null);
  }

  /** Ends the operation, and the program when that takes too long: a sync may. */
  #end(status: number, reason: Failure | null): void {
    this.#ended ??= status;
    if (this.#stop === null) this.#closing = setTimeout(() => process.exit(status), CLOSING_MS_MAX);
    this.#ending.abort(reason ?? undefined);
  }
}
