/**
 * Numbers on the wire: `0|[1-9][0-9]{0,15}` and nothing else. No sign, no hex, no exponent, no
 * leading zero, never rounded: 16 digits pass 2^53, so the value is a bigint.
 */

const DIGIT_0 = 48;
const DIGIT_9 = 57;

/** Most digits in a request's number. */
export const DIGITS_MAX = 16;

/** The largest number of a request. */
export const NUMBER_MAX = 10n ** BigInt(DIGITS_MAX) - 1n;

/** Most digits accepted in a reply's number: mtime in nanoseconds and 64-bit sizes have 19. */
export const REPLY_DIGITS_MAX = 19;

/**
 * The value of `text`, or -1n when it is not a number of the grammar with at most `digitsMax`
 * digits.
 */
export function parseNumber(text: string, digitsMax: number = DIGITS_MAX): bigint {
  const count = text.length;
  if (count === 0 || count > digitsMax) return -1n;
  for (let i = 0; i < count; i++) {
    const code = text.charCodeAt(i);
    if (code < DIGIT_0 || code > DIGIT_9) return -1n;
  }
  if (count > 1 && text.charCodeAt(0) === DIGIT_0) return -1n;
  return BigInt(text);
}

/**
 * Like parseNumber, for counts that must fit a double exactly; -1 when malformed or over 2^53-1.
 */
export function parseCount(text: string, digitsMax: number = DIGITS_MAX): number {
  const value = parseNumber(text, digitsMax);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? -1 : Number(value);
}
