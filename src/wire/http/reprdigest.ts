/**
 * The digest of a whole representation, and who asks for one (RFC 9530): Repr-Digest and
 * Want-Repr-Digest. Only sha-256 is told: it is what the store computes. Text in, values out.
 */
import type { ByteString } from "../bytes.ts";
import { field } from "./responsehead.ts";

/** Repr-Digest of the content whose SHA-256 is `hex`, 64 digits, however much of it is sent. */
export function reprDigestField(hex: string): string {
  return field("Repr-Digest", `sha-256=:${Buffer.from(hex, "hex").toString("base64")}:`);
}

/**
 * True when `value`, a Want-Repr-Digest, has sha-256 with a weight of 1 to 10 (RFC 9530 4). It is a
 * wish: of what is no dictionary of structured fields (RFC 9651 4.2.2) nothing is believed, and
 * what another member says is nobody's business.
 */
export function wantsSha256(value: ByteString): boolean {
  let wanted = false;
  MEMBER.lastIndex = 0;
  for (let end = 0; end < value.length; end = MEMBER.lastIndex) {
    const match = MEMBER.exec(value);
    if (match === null) return false;
    const [, key, integer] = match;
    // NaN where there is none, which is in no range.
    const weight = Number(integer);
    // Of a key that comes twice the last one counts.
    if (key === "sha-256") wanted = weight >= 1 && weight <= WEIGHT_MAX;
  }
  return wanted;
}

// --- internal ---

/** The strongest wish. */
const WEIGHT_MAX = 10;

// The grammar of RFC 9651 3. No two alternatives begin alike, so that matching is linear.
const KEY = "[a-z*][a-z0-9_\\-.*]*";
const INTEGER = "-?[0-9]{1,15}(?![0-9.])";
const ITEM = [
  "-?[0-9]{1,12}\\.[0-9]{1,3}",
  INTEGER,
  '"(?:[ !#-\\[\\]-~]|\\\\["\\\\])*"',
  "[A-Za-z*][!#$%&'*+\\-.^_`|~0-9A-Za-z:/]*",
  ":[A-Za-z0-9+/=]*:",
  "\\?[01]",
  "@-?[0-9]{1,15}(?![0-9.])",
  '%"(?:[ !#$&-~]|%[0-9a-f]{2})*"',
].join("|");
const PARAMETERS = `(?:; *${KEY}(?:=(?:${ITEM}))?)*`;
const ELEMENT = `(?:${ITEM})${PARAMETERS}`;
const INNER_LIST = `\\( *(?:${ELEMENT}(?: +${ELEMENT})*)? *\\)`;

/** A member and the comma behind it, which another one must follow. */
const MEMBER = new RegExp(
  `(${KEY})(?:=(?:(${INTEGER})|${ITEM}|${INNER_LIST}))?${PARAMETERS}(?:[ \\t]*,[ \\t]*(?=[^])|$)`,
  "y",
);
