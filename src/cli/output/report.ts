/**
 * What cli6 tells of failures: one line each on stderr, the first one's exit status. It decides
 * nothing else; what comes from a peer is printable when it arrives here.
 */
import { ClientError } from "../../client/error.ts";
import { writeFully } from "../../sys/shortcount.ts";
import { type ExitStatus, FirstFailure } from "./exit.ts";

const STDERR = 2;

/** Failures so far. */
export class Report {
  readonly #quiet: boolean;
  readonly #first = new FirstFailure();
  /** Standard output has failed: what fails from now on is only its echo. */
  #broken = false;
  readonly #over = Promise.withResolvers<void>();

  /** `quiet`: the exit status alone tells. */
  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  /** The first failure's exit status, or 0. */
  get status(): ExitStatus {
    return this.#first.status;
  }

  /** Resolves when nothing more can be done: standard output takes no more bytes. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** True once nothing more can be done. */
  get ended(): boolean {
    return this.#broken;
  }

  /** Tells of a failed request. Anything but a ClientError is a bug and is thrown on. */
  fail(error: unknown): void {
    if (!(error instanceof ClientError)) throw error;
    if (this.#broken) return;
    this.#first.note(error);
    // A reader that has seen enough (`| head`) is no accident: it hears nothing.
    if (error.code !== "EPIPE") this.say(`cli6: ${error.message}`);
    if (error.kind !== "local") return;
    this.#broken = true;
    this.#over.resolve();
  }

  /** A line for the person, not for a program. It may get lost: nothing depends on stderr. */
  say(line: string): void {
    if (!this.#quiet) writeFully(STDERR, Buffer.from(`${line}\n`));
  }
}
