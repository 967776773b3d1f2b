/**
 * What an object store answers where it does not give what was asked, as the wire's errors. What
 * passes by itself is EBUSY, so that clients try again: no connection, no answer in time, too few
 * nodes. That it does not take our credentials is no client's fault: EIO.
 */
import { codeOf } from "../../sys/errno.ts";
import { Refusal, type WireCode } from "../../wire/errors.ts";

const STATUS: Readonly<Record<number, WireCode>> = {
  404: "ENOENT",
  410: "ENOENT",
  412: "ESTALE",
  416: "ERANGE",
  408: "EBUSY",
  409: "EBUSY",
  429: "EBUSY",
};

/** The refusal for `status` of a reply; `shown` is what was asked for, printable. */
export function refusalOfStatus(status: number, shown: string): Refusal {
  const code = STATUS[status] ?? (status >= 500 ? "EBUSY" : "EIO");
  const why = code === "EIO" ? `the object store answered ${status}: ` : "";
  return new Refusal(code, why + shown);
}

/** Codes of S3 that trying again changes nothing about. */
const LASTING =
  /^(?:AccessDenied|.*Signature.*|Invalid.*|Authorization.*|.*Malformed.*|Account.*)$/;

/** The words of what no certificate vouches for (openssl-verify(1)). */
const UNTRUSTED = /CERT|SIGNED|UNABLE_TO_|SELF_SIGNED|ERR_TLS/;

/** The refusal for what a request threw: no connection, no answer in time, or a code of S3. */
export function refusalOfError(error: unknown, shown: string): Refusal {
  const code = codeOf(error, error instanceof Error ? error.name : "");
  if (code === "NoSuchKey" || code === "NoSuchBucket") return new Refusal("ENOENT", shown);
  if (LASTING.test(code) || UNTRUSTED.test(code)) {
    return new Refusal("EIO", `the object store answered ${code}: ${shown}`);
  }
  return new Refusal("EBUSY", `the object store does not answer: ${shown}`);
}
