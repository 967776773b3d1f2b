/**
 * Owns what the value of a flag may be: a number within bounds, one of some words. Pure.
 * Invariant: whatever else is given is an Error that names the flag, what it takes and what it got.
 */

/** Where a benchmark runs: a network namespace of its own, or the machine's. */
export const NETWORKS = ["private", "host"] as const;

/** One of `allowed`, or an Error. */
export function oneOf<T extends string>(flag: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === text);
  if (found === undefined) throw new Error(`${flag} is one of ${allowed.join(", ")}: ${text}`);
  return found;
}

/** A decimal number from `min` to `max`, both included, or an Error. */
export function number(flag: string, text: string, min: number, max: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`${flag} is a number from ${min} to ${max}: ${text}`);
}

/** Like `number`, and whole. */
export function whole(flag: string, text: string, min: number, max: number): number {
  const value = number(flag, text, min, max);
  if (!Number.isInteger(value)) throw new Error(`${flag} is a whole number: ${text}`);
  return value;
}

/** The words between spaces, as `--serv6-args` has them. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
