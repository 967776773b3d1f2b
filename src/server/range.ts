/** Which bytes of a file a READ gets: pure arithmetic, exact past 2^53. */
import type { Entry } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { TO_THE_END } from "../wire/request.ts";

/** A range that lies in the file. */
export interface ByteRange {
  readonly start: bigint;
  readonly length: number;
}

const LENGTH_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * `offset` and `length` clipped to the file: ERANGE past the end (at the end itself 0 bytes are
 * right), EOVERFLOW for more than 2^53-1 bytes in one reply, which nobody could count.
 */
export function rangeOf(entry: Entry, offset: bigint, length: bigint): ByteRange | Refusal {
  if (offset > entry.size) return new Refusal("ERANGE", `${offset} of ${entry.size} bytes`);
  const left = entry.size - offset;
  const wanted = length === TO_THE_END || length > left ? left : length;
  if (wanted > LENGTH_MAX) return new Refusal("EOVERFLOW", `${wanted} bytes`);
  return { start: offset, length: Number(wanted) };
}
