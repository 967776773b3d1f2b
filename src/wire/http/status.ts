/** Status codes of HTTP: their reasons, and which of them says what an errno name of ours says. */
import type { WireCode } from "../errors.ts";

/** Reasons by status, all that the server answers with (RFC 9110 15; 431 is of RFC 6585). */
const REASONS = {
  200: "OK",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  416: "Range Not Satisfiable",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
} as const;

/** A status that the server answers with. */
export type Status = keyof typeof REASONS;

/**
 * Status by errno name. A name that is too long can't be there, so that is a 404 as with nginx; a
 * file too large for one reply is no fault of the request.
 */
const STATUSES = {
  ENOENT: 404,
  EACCES: 403,
  EISDIR: 403,
  ENOTDIR: 404,
  EINVAL: 400,
  ERANGE: 416,
  ESTALE: 412,
  EBUSY: 503,
  ENAMETOOLONG: 404,
  E2BIG: 431,
  EOVERFLOW: 500,
  EIO: 500,
  ETIMEDOUT: 408,
  ENOSYS: 501,
  EPROTO: 400,
} as const satisfies Record<WireCode, Status>;

/** The words behind `status` in a reply's first line. */
export function reasonOf(status: Status): string {
  return REASONS[status];
}

/** The status that tells of `code`. */
export function statusOf(code: WireCode): Status {
  return STATUSES[code];
}
