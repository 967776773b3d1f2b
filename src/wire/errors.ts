/**
 * Every error that crosses the wire: its POSIX name, the words for a person, and the exit status
 * cli6 gives it. One table, so that a code can't have two meanings in two doors.
 */

/** Exit status of cli6, as the contract numbers them. */
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

/** One of the exit statuses above. */
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

const TABLE = {
  ENOENT: { text: "no such file", exit: EXIT.notFound },
  EACCES: { text: "permission denied", exit: EXIT.denied },
  EISDIR: { text: "is a directory", exit: EXIT.usage },
  ENOTDIR: { text: "not a directory", exit: EXIT.notFound },
  EINVAL: { text: "invalid request", exit: EXIT.usage },
  ERANGE: { text: "offset past the end", exit: EXIT.usage },
  ESTALE: { text: "the file has changed", exit: EXIT.changed },
  EBUSY: { text: "server is busy, try again", exit: EXIT.noConnection },
  ENAMETOOLONG: { text: "name too long", exit: EXIT.notFound },
  E2BIG: { text: "request line too long", exit: EXIT.usage },
  EOVERFLOW: { text: "too large for one reply, ask for ranges", exit: EXIT.usage },
  EIO: { text: "the server could not read the file", exit: EXIT.unexpected },
  ETIMEDOUT: { text: "timed out", exit: EXIT.timedOut },
  ENOSYS: { text: "not supported by this server", exit: EXIT.protocol },
  EPROTO: { text: "protocol violated", exit: EXIT.protocol },
} as const;

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

/**
 * The exit status for an errno name from the wire; a name this table does not know is "unexpected".
 */
export function exitOf(name: string): ExitStatus {
  return isWireCode(name) ? TABLE[name].exit : EXIT.unexpected;
}

/** A request that can't be met, as a value: these are expected, so nothing is thrown for them. */
export class Refusal {
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
