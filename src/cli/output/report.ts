/**
 * The failures of one command: a line each on stderr, and the exit status, which is the first
 * failure's. It escapes nothing: messages are printable when they arrive here.
 */
import { writeFully } from "../../sys/shortcount.ts";
import { Failure } from "../../wire/failure.ts";
import { bounded } from "./message.ts";
import { FirstFailure, isPipeClosed } from "./exit.ts";
import { loginAdvice } from "./login.ts";

const STDERR = 2;

/** What a person can do about a refusal of a server with that code. */
const ADVICE: Readonly<Record<string, string>> = {
  EISDIR: "; cli6 ls lists it, cli6 mirror copies it",
};

/** Failures so far. */
export class Report {
  readonly #quiet: boolean;
  readonly #first = new FirstFailure();
  /** Stdout has failed: later failures only follow from that and are not reported. */
  #broken = false;
  readonly #over = Promise.withResolvers<void>();

  /** `quiet`: no lines, the exit status alone. */
  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  /** The first failure's exit status, or 0; PIPE_CLOSED when the reader of stdout went away. */
  get status(): number {
    return this.#first.status;
  }

  /** Resolves when the command can't go on: stdout takes no more bytes. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** True once `over` has resolved. */
  get ended(): boolean {
    return this.#broken;
  }

  /** Reports what failed. Anything but a Failure is a bug and is thrown on. */
  fail(error: unknown): void {
    if (!(error instanceof Failure)) throw error;
    if (this.#broken) return;
    this.#first.note(error);
    const local = error.kind === "local";
    // A reader that closed its end has all that it wanted: no message.
    if (!isPipeClosed(error)) this.say(`cli6: ${bounded(error.message)}${adviceOn(error)}`);
    if (!local) return;
    this.#broken = true;
    this.#over.resolve();
  }

  /** A line on stderr for the person. Nothing depends on its being written. */
  say(line: string): void {
    if (!this.#quiet) writeFully(STDERR, Buffer.from(`${line}\n`));
  }
}

// --- internal ---

function adviceOn({ kind, code, message, remedy }: Failure): string {
  if (remedy === "log-in") return loginAdvice(message);
  return kind === "local" ? "" : (ADVICE[code] ?? "");
}
