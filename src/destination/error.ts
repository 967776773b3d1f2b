/**
 * What fails on this machine: a full disk, a file in the way, a closed pipe. Thrown at the call
 * that failed, so that nothing goes on as if it had not.
 */
import { getSystemErrorMap } from "node:util";
import { errnoName } from "../sys/errno.ts";
import { Failure, type FailureKind } from "../wire/failure.ts";

/** This side could not take the bytes: a full disk, a closed pipe, a refusal. */
export class LocalError extends Failure {
  override name = "LocalError";

  /**
   * `code` is the system's name for it, as "ENOSPC"; `message` is one line for a person and does
   * not repeat it.
   */
  constructor(code: string, message: string, kind: FailureKind = "local") {
    super(kind, code, message);
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
