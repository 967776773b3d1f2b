/**
 * Why a request or a connection failed, in one class: what a program reads (kind, code) and what a
 * person reads. Messages are printable already, name the server, and say what can be done about it.
 */
import type { LocalError } from "../destination/error.ts";
import { failureKindOf, wantsToken } from "../wire/errors.ts";
import { Failure, type FailureKind } from "../wire/failure.ts";

/**
 * A failed request or connection. `code` is the server's errno name (ENOENT), or what it resembles
 * on this side (ECONNREFUSED, EPROTO); `message` is one line that repeats it: "ENOENT: no such
 * file: /x (s6://h:6464)".
 */
export class ClientError extends Failure {
  override name = "ClientError";
  /**
   * True when not one byte of an answer came: asking again on another connection repeats nothing.
   */
  readonly unanswered: boolean;
  /** Milliseconds that the server asks to wait before another try; 0 when it says nothing. */
  retryAfterMs = 0;

  /** `message` is printable. */
  constructor(kind: FailureKind, code: string, message: string, unanswered = false) {
    super(kind, code, message);
    this.unanswered = unanswered;
  }
}

/** The request or the address was wrong before anything was sent. */
export function usageError(text: string): ClientError {
  return new ClientError("usage", "EINVAL", text);
}

/** A folder where a file is needed; `path` is printable. */
export function folderError(path: string): ClientError {
  return Object.assign(usageError(`${path} is a folder`), { remedy: "copy-folder" as const });
}

/** The caller stopped it; `reason` is the caller's own. */
export function abortedError(reason: unknown): ClientError {
  if (reason instanceof ClientError) return reason;
  const late = reason instanceof Error && reason.name === "TimeoutError";
  const error = late
    ? stalledError("it was not done in the time that the caller gave it")
    : new ClientError("aborted", "ECANCELED", "ECANCELED: it was stopped by the caller");
  error.cause = reason;
  return error;
}

/** The server refused with an errno name; `text` is its message, made printable. */
export function refusedError(code: string, text: string, unanswered = false): ClientError {
  return new ClientError(failureKindOf(code), code, `${code}: ${text}`, unanswered);
}

/** The same as a server of S6/1 said it, `message` being its words and `text` what is told. */
export function saidError(code: string, message: string, text: string, unanswered = false) {
  const error = refusedError(code, text, unanswered);
  if (code === "EACCES" && wantsToken(message)) error.remedy = "log-in";
  return error;
}

/** No connection came about. `code` is the system's name for why. */
export function unconnectedError(code: string, text: string): ClientError {
  const kind = code === "ETIMEDOUT" ? "timed-out" : "no-connection";
  return new ClientError(kind, code, `${code}: ${text}`, true);
}

/** The peer does not keep to S6/1: nothing it says can be trusted any more. */
export function protocolError(text: string): ClientError {
  return new ClientError("protocol", "EPROTO", `EPROTO: ${text}`);
}

/** The connection ended before every promised byte had come. */
export function incompleteError(text: string, unanswered: boolean): ClientError {
  return new ClientError("incomplete", "ECONNRESET", `ECONNRESET: ${text}`, unanswered);
}

/** Nothing came for too long. */
export function stalledError(text: string): ClientError {
  return new ClientError("timed-out", "ETIMEDOUT", `ETIMEDOUT: ${text}`);
}

/** The same failure as the client's own: `message` begins with its code. */
export function asClientError({ kind, code, message }: Failure): ClientError {
  return new ClientError(kind, code, message);
}

/** This side could not take the bytes. */
export function localFailure({ kind, code }: LocalError, text: string): ClientError {
  return new ClientError(kind, code, `${code}: ${text}`);
}
