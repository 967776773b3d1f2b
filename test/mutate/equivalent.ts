/**
 * A mutant that no test can tell from the program, or that changes what is no promise, with its
 * reason. It is found again by what its line says and not by its number.
 */
import type { Mutant } from "./operators.ts";

export interface Equivalent extends Pick<Mutant, "path" | "operator" | "before" | "after"> {
  readonly reason: string;
}

/** Of bounds of ours, as how much is read and thrown away. */
export const ONE_MORE = "one step more of a bound that no text promises; a peer can't tell";

/** A file's name in a folder, the operator, its line before and after, and the reason. */
export type EquivalentRow = readonly [
  file: string,
  operator: string,
  before: string,
  after: string,
  reason: string,
];

/** The entries of `rows`, whose files are in `folder`. */
export function equivalentsIn(folder: string, rows: readonly EquivalentRow[]): Equivalent[] {
  return rows.map(([file, operator, before, after, reason]) => ({
    ...{ path: `${folder}/${file}.ts`, operator, before, after, reason },
  }));
}
