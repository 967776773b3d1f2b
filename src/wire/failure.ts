/**
 * What a program may know of a failure: a stable errno name and a word for its kind. It knows no
 * command line: which exit status a kind gets is the command's.
 */

/**
 * What went wrong, for a program that has to decide what to do next:
 *
 * - `usage`: the call was wrong; asking again changes nothing
 * - `not-found`, `denied`: the server has no such path, or does not show it
 * - `incomplete`: the connection ended before every promised byte had come
 * - `changed`: the file became another version meanwhile
 * - `no-connection`: nobody answers, or the server is full
 * - `corrupt`: what arrived is not what it should be
 * - `local`: this machine refused: a full disk, a file in the way, a closed pipe
 * - `timed-out`: nothing came for too long
 * - `protocol`: the peer does not keep to the protocol, or does not know the request
 * - `aborted`: the caller stopped it
 * - `unexpected`: none of these
 */
export type FailureKind =
  | "usage"
  | "not-found"
  | "denied"
  | "incomplete"
  | "changed"
  | "no-connection"
  | "corrupt"
  | "local"
  | "timed-out"
  | "protocol"
  | "aborted"
  | "unexpected";

/**
 * What the caller could do about a failure, for whoever knows what that is called where it was
 * called from: replace what is there, copy a folder or a file by the other call, ask for another
 * name, let more be removed, show a token.
 */
export type Remedy =
  "replace" | "copy-folder" | "copy-folders" | "copy-file" | "rename" | "raise" | "log-in";

/** The base of every error that this package throws on purpose. */
export class Failure extends Error {
  override name = "Failure";
  /** An errno name, as "ENOENT". */
  readonly code: string;
  readonly kind: FailureKind;
  /** Null where nothing in particular would help. */
  remedy: Remedy | null = null;

  /** `message` is one printable line. */
  constructor(kind: FailureKind, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.code = code;
  }
}
