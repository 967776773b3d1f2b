/**
 * Why a request or a connection failed, in one class: what a script reads (exit status, code) and
 * what a person reads. Messages are printable already, name the server, and say what can be done
 * about it.
 */
import type { LocalError } from "../destination/error.ts";
import { EXIT, type ExitStatus, exitOf } from "../wire/errors.ts";

/**
 * A failed request or connection. `message` is one line: "ENOENT: no such file: /x (s6://h:6464)".
 */
export class ClientError extends Error {
  override name = "ClientError";
  /** The exit status that cli6 gives it. */
  readonly exit: ExitStatus;
  /**
   * An errno name: the server's (ENOENT), or what it resembles on our side (ECONNREFUSED, EPROTO).
   */
  readonly code: string;
  /**
   * True when not one byte of an answer came: asking again on another connection repeats nothing.
   */
  readonly unanswered: boolean;

  /** `message` is printable. */
  constructor(exit: ExitStatus, code: string, message: string, unanswered = false) {
    super(message);
    this.exit = exit;
    this.code = code;
    this.unanswered = unanswered;
  }
}

/** The request or the address was wrong before anything was sent. */
export function usageError(text: string): ClientError {
  return new ClientError(EXIT.usage, "EINVAL", text);
}

/** The server refused with an errno name; `text` is its message, made printable. */
export function refusedError(code: string, text: string, unanswered = false): ClientError {
  return new ClientError(exitOf(code), code, `${code}: ${text}`, unanswered);
}

/** No connection came about. `code` is the system's name for why. */
export function unconnectedError(code: string, text: string): ClientError {
  const exit = code === "ETIMEDOUT" ? EXIT.timedOut : EXIT.noConnection;
  return new ClientError(exit, code, `${code}: ${text}`, true);
}

/** The peer does not keep to S6/1: nothing it says can be trusted any more. */
export function protocolError(text: string): ClientError {
  return new ClientError(EXIT.protocol, "EPROTO", `EPROTO: ${text}`);
}

/** The connection ended before every promised byte had come. */
export function incompleteError(text: string, unanswered: boolean): ClientError {
  return new ClientError(EXIT.incomplete, "ECONNRESET", `ECONNRESET: ${text}`, unanswered);
}

/** Nothing came for too long. */
export function stalledError(text: string): ClientError {
  return new ClientError(EXIT.timedOut, "ETIMEDOUT", `ETIMEDOUT: ${text}`);
}

/** This side could not take the bytes. */
export function localFailure({ exit, code }: LocalError, text: string): ClientError {
  return new ClientError(exit, code, `${code}: ${text}`);
}
