/**
 * Range requests of HTTP (RFC 9110 14): one range of bytes. Whatever else a Range says is answered
 * with the whole file, which is always right. Sizes are bigints, and nothing is rounded.
 */
import type { ByteString } from "../bytes.ts";

/** A part of a file that is not empty. */
export interface ByteRange {
  readonly start: bigint;
  readonly length: bigint;
}

/** One first-last, first- or -suffix; the unit's name has no case. */
const ONE = /^bytes=[ \t]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[ \t]*$/i;

/** Digits of a 64-bit size. A number with more lies past the end of any file. */
const DIGITS_MAX = 19;
const BEYOND = 10n ** BigInt(DIGITS_MAX);

/**
 * The range of a file of `size` bytes that `field` asks for. "whole" when it asks for several, is
 * malformed or names another unit; "unsatisfiable" when it starts past the end. The last bytes of
 * an empty file are the whole of it: no Content-Range could name them.
 */
export function rangeOf(field: ByteString, size: bigint): ByteRange | "whole" | "unsatisfiable" {
  const match = ONE.exec(field);
  if (match === null) return "whole";
  const [, first, last, suffix] = match;
  if (first === undefined) {
    const count = numberOf(suffix ?? "");
    if (count === 0n) return "unsatisfiable";
    if (size === 0n) return "whole";
    return count >= size ? { start: 0n, length: size } : { start: size - count, length: count };
  }
  const start = numberOf(first);
  const end = last === undefined || last === "" ? BEYOND : numberOf(last);
  if (end < start) return "whole";
  if (start >= size) return "unsatisfiable";
  return { start, length: (end < size ? end + 1n : size) - start };
}

/** Content-Range of a 206. */
export function contentRange({ start, length }: ByteRange, size: bigint): string {
  return `bytes ${start}-${start + length - 1n}/${size}`;
}

/** Content-Range of a 416. */
export function unsatisfiedRange(size: bigint): string {
  return `bytes */${size}`;
}

// --- internal ---

function numberOf(digits: string): bigint {
  if (digits.length <= DIGITS_MAX) return BigInt(digits);
  const significant = digits.replace(/^0+/, "");
  return significant.length > DIGITS_MAX ? BEYOND : BigInt(`0${significant}`);
}
