/**
 * Every error that crosses the wire: its POSIX name, the words for a person, and the kind of
 * failure it is. One table, so that a code can't have two meanings in two doors.
 */
import type { FailureKind } from "./failure.ts";

const TABLE = {
  ENOENT: { text: "no such file", kind: "not-found" },
  EACCES: { text: "permission denied", kind: "denied" },
  EISDIR: { text: "is a directory", kind: "usage" },
  ENOTDIR: { text: "not a directory", kind: "not-found" },
  EINVAL: { text: "invalid request", kind: "usage" },
  ERANGE: { text: "offset past the end", kind: "usage" },
  ESTALE: { text: "the file has changed", kind: "changed" },
  EBUSY: { text: "server is busy, try again", kind: "no-connection" },
  ENAMETOOLONG: { text: "name too long", kind: "not-found" },
  E2BIG: { text: "request line too long", kind: "usage" },
  EOVERFLOW: { text: "too large for one reply, ask for ranges", kind: "usage" },
  EIO: { text: "the server could not read the file", kind: "unexpected" },
  ETIMEDOUT: { text: "timed out", kind: "timed-out" },
  ENOSYS: { text: "not supported by this server", kind: "protocol" },
  EPROTO: { text: "protocol violated", kind: "protocol" },
} as const satisfies Record<string, { text: string; kind: FailureKind }>;

/** The errno names that a reply may carry. */
export type WireCode = keyof typeof TABLE;

/** What a person reads for `code`, without path or peer. */
export function textOf(code: WireCode): string {
  return TABLE[code].text;
}

/**
 * True when `word` is a name of the table: a reply with another one comes from a newer or foreign
 * server.
 */
export function isWireCode(word: string): word is WireCode {
  return Object.hasOwn(TABLE, word);
}

/** The kind of an errno name from the wire; a name this table does not know is "unexpected". */
export function failureKindOf(name: string): FailureKind {
  return isWireCode(name) ? TABLE[name].kind : "unexpected";
}

/** A request that can't be met, as a value: these are expected, so nothing is thrown for them. */
export class Refusal {
  readonly kind = "refusal";
  readonly code: WireCode;
  readonly message: string;

  /**
   * `detail` is printable already (see printable.ts) and replaces nothing: it follows the code's
   * own words.
   */
  constructor(code: WireCode, detail = "") {
    this.code = code;
    this.message = detail === "" ? textOf(code) : `${textOf(code)}: ${detail}`;
  }
}

/** Why a token, or another one, would help: what a server says, and a client knows it by. */
export const TOKEN_WANTED = {
  none: "a token is needed",
  wrong: "no such token",
  ended: "the token has ended",
} as const;

/** True for the message of a refusal (EACCES) that a token would have helped against. */
export function wantsToken(message: string): boolean {
  return Object.values(TOKEN_WANTED).some((why) => message === `${textOf("EACCES")}: ${why}`);
}

/** Nobody who may ask has shown who he is: another try with a token may go well. */
export class Unauthorized extends Refusal {
  /** `detail` as of any Refusal. */
  constructor(detail: string) {
    super("EACCES", detail);
  }
}
