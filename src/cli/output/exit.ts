/**
 * The exit statuses of cli6 and serv6, as the contract numbers them, and which failure gets which:
 * the one place that knows. The first failure's status is the command's.
 */
import type { Failure, FailureKind } from "../../wire/failure.ts";

/** What a script reads. */
export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  incomplete: 5,
  changed: 6,
  noConnection: 7,
  corrupt: 8,
  localDisk: 9,
  timedOut: 10,
  protocol: 11,
} as const;

/**
 * Exit status of a program whose reader of stdout went away: 128 and the number of SIGPIPE, as a
 * shell shows the end of other programs. Bun ignores that signal, and the write fails with EPIPE.
 */
export const PIPE_CLOSED = 141;

/** One of the exit statuses above. */
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT] | typeof PIPE_CLOSED;

/** True when the reader of stdout went away: it has all that it wanted (`| head`). */
export function isPipeClosed({ kind, code }: Failure): boolean {
  return kind === "local" && code === "EPIPE";
}

const STATUS: Readonly<Record<FailureKind, ExitStatus>> = {
  usage: EXIT.usage,
  "not-found": EXIT.notFound,
  denied: EXIT.denied,
  incomplete: EXIT.incomplete,
  changed: EXIT.changed,
  "no-connection": EXIT.noConnection,
  corrupt: EXIT.corrupt,
  local: EXIT.localDisk,
  "timed-out": EXIT.timedOut,
  protocol: EXIT.protocol,
  // A signal has statuses of its own (128 and its number); whoever handles it gives those.
  aborted: EXIT.unexpected,
  unexpected: EXIT.unexpected,
};

/** The exit status of a failure of that kind. */
export function exitOf(kind: FailureKind): ExitStatus {
  return STATUS[kind];
}

/** The exit status of a command that may fail at several things. */
export class FirstFailure {
  #status: ExitStatus = EXIT.done;

  /** The first failure's status, or 0; PIPE_CLOSED when the reader of stdout went away. */
  get status(): ExitStatus {
    return this.#status;
  }

  /** Something failed. */
  note(failure: Failure): void {
    if (isPipeClosed(failure)) this.#status = PIPE_CLOSED;
    else if (this.#status === EXIT.done) this.#status = exitOf(failure.kind);
  }
}
