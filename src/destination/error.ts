/**
 * What fails on this machine: a full disk, a file in the way, a closed pipe. Thrown at the call
 * that failed, so that nothing goes on as if it had not.
 */
import { getSystemErrorMap } from "node:util";
import { errnoName } from "../sys/errno.ts";
import { EXIT, type ExitStatus } from "../wire/errors.ts";

/** This side could not take the bytes: a full disk, a closed pipe, a refusal. */
export class LocalError extends Error {
  override name = "LocalError";
  /** The system's name for it, as "ENOSPC". */
  readonly code: string;
  /** The exit status for it. */
  readonly exit: ExitStatus;

  /** `message` is one line for a person and does not repeat the code. */
  constructor(code: string, message: string, exit: ExitStatus = EXIT.localDisk) {
    super(message);
    this.code = code;
    this.exit = exit;
  }
}

/** The error for a row's answer `failed` (-errno); `doing` names what was tried, printable. */
export function localError(failed: number, doing: string): LocalError {
  const [name, text] = getSystemErrorMap().get(failed) ?? [errnoName(-failed), "failed"];
  return new LocalError(name, `${doing}: ${text}`);
}

/** `answer` itself when it is no error; else throws localError(). */
export function must(answer: number, doing: () => string): number {
  if (answer < 0) throw localError(answer, doing());
  return answer;
}
