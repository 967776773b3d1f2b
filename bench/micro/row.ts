/**
 * Owns what a micro benchmark is: a hot function and a naive twin, which is obviously right, checks
 * it on random input before anything is timed, and shows whether the cleverness pays.
 */

/** One of both sides: does the work `count` times and returns something of each. */
export type Work = (count: number) => number;

export interface Row {
  readonly name: string;
  /** What the twin does instead. */
  readonly twin: string;
  readonly fast: Work;
  readonly naive: Work;
  /** Throws when the two differ on random input. */
  check(): void;
}

/** Compares by JSON, bigints as text. */
export function same(what: string, fast: unknown, naive: unknown): void {
  const [one, other] = [text(fast), text(naive)];
  if (one !== other) throw new Error(`${what}: ${one} is not ${other}`);
}

/** Calls `one` with 0, 1, 2 ... and adds up what it gives. */
export function repeated(one: (nth: number) => number): Work {
  return (count) => {
    let sum = 0;
    for (let nth = 0; nth < count; nth++) sum += one(nth);
    return sum;
  };
}

// --- internal ---

function text(value: unknown): string {
  return (
    JSON.stringify(value, (_key, it: unknown) => (typeof it === "bigint" ? `${it}n` : it)) ?? ""
  );
}
