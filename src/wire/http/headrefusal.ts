/**
 * Why a request head is not answered with a file. After each of them the connection is closed:
 * where the next request starts is not known for sure, and is never guessed.
 */
import { Refusal, type WireCode } from "../errors.ts";

/** What a head can be refused with, and the errno name that the log and the counts know it by. */
const CODES = {
  400: "EPROTO",
  405: "ENOSYS",
  413: "E2BIG",
  414: "E2BIG",
  421: "EACCES",
  431: "E2BIG",
  505: "ENOSYS",
} as const satisfies Record<number, WireCode>;

/** A status that parseHead() and HeadReader answer with. */
export type HeadStatus = keyof typeof CODES;

/** A refusal of a head, for a connection that ends behind it. */
export class HeadRefusal extends Refusal {
  readonly status: HeadStatus;

  /** `detail` is plain ASCII and holds nothing that the peer sent. */
  constructor(status: HeadStatus, detail: string) {
    super(CODES[status], detail);
    this.status = status;
  }
}

/**
 * Refuses a line that does not end in CRLF. Its bytes are a line's end to some readers and none to
 * others, which is how one request is made of two (RFC 9112 2.2, CVE-2023-30589).
 */
export function bareLineEnd(): HeadRefusal {
  return new HeadRefusal(400, "a control character or a bare CR or LF in the head");
}
