/**
 * Numbers of several processes put together: as many fields as the first one has, of the same
 * kinds, so that text of a process that is not trusted adds nothing of another shape. Pure.
 */

/** Numbers by name, of any depth. */
export interface Tally {
  readonly [name: string]: number | readonly number[] | Tally;
}

/** How two numbers of one name become one. */
export type Merge = (one: number, other: number) => number;

/** Counts of several. */
export const sum: Merge = (one, other) => one + other;

/** The worst of several. */
export const most: Merge = (one, other) => Math.max(one, other);

/** `one` with what `other` has under the same names; what it has not, or no number, counts as 0. */
export function merged<T extends Tally>(one: T, other: unknown, merge: Merge): T {
  const fields = Object.entries(one).map(([name, mine]) => {
    const theirs = fieldOf(other, name);
    if (typeof mine === "number") return [name, merge(mine, numberOf(theirs))];
    if (!isList(mine)) return [name, merged(mine, theirs, merge)];
    return [name, mine.map((number, nth) => merge(number, numberOf(fieldOf(theirs, `${nth}`))))];
  });
  return Object.fromEntries(fields) as T;
}

// --- internal ---

function isList(value: readonly number[] | Tally): value is readonly number[] {
  return Array.isArray(value);
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0;
}
