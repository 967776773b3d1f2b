/** What a refused request is answered with: a status, and a line of text for a person. */
import { type Refusal, Unauthorized } from "../errors.ts";
import { ALLOW, type Connection } from "./head.ts";
import { HeadRefusal } from "./headrefusal.ts";
import { field, responseHead, RETRY_AFTER_SECONDS, typeFields } from "./responsehead.ts";
import { reasonOf, type Status, statusOf } from "./status.ts";

/**
 * The whole reply to a refused request, in UTF-8 when it goes out. `seconds` since 1970 is its
 * Date. A HeadRefusal closes the connection whatever `connection` says. `bodyless`: the request was
 * HEAD, so the length is told and no body follows. `fields` are added, as the Content-Range of a
 * 416.
 */
export function refusalReply(
  refusal: Refusal,
  seconds: bigint,
  connection: Connection,
  bodyless: boolean,
  fields: string = "",
): string {
  const status = statusOfRefusal(refusal);
  const text = `${status} ${reasonOf(status)}\n${refusal.code} ${refusal.message}\n`;
  const ends = refusal instanceof HeadRefusal ? "close" : connection;
  const all = typeFields("text/plain;charset=utf-8") + adviceFields(status) + fields;
  const head = responseHead(status, seconds, Buffer.byteLength(text), ends, all);
  return bodyless ? head : head + text;
}

/** The status that `refusal` is told by. */
export function statusOfRefusal(refusal: Refusal): Status {
  if (refusal instanceof HeadRefusal) return refusal.status;
  return refusal instanceof Unauthorized ? 401 : statusOf(refusal.code);
}

// --- internal ---

/** Bearer is for programs, Basic for browsers: any user, and the token as password (RFC 7617). */
const CHALLENGE = 'Bearer realm="serv6", Basic realm="serv6", charset="UTF-8"';

/** What the client may do instead, where the status wants it said (RFC 9110 15.5, 10.2.3). */
function adviceFields(status: Status): string {
  if (status === 401) return field("WWW-Authenticate", CHALLENGE);
  if (status === 405) return field("Allow", ALLOW);
  return status === 503 ? field("Retry-After", `${RETRY_AFTER_SECONDS}`) : "";
}
