/**
 * Mutants that no test can tell from the program, or that change what is no promise, each with its
 * reason. An entry is found again by what its line says and not by its number; a test fails when
 * there is no such mutant any more.
 */
import type { Mutant } from "./operators.ts";

export interface Equivalent extends Pick<Mutant, "path" | "operator" | "before" | "after"> {
  readonly reason: string;
}

export const EQUIVALENTS: readonly Equivalent[] = [
  {
    path: "src/download/plan.ts",
    operator: "boundary",
    before: "this.#lowest = found < 0 ? this.count : found;",
    after: "this.#lowest = found <= 0 ? this.count : found;",
    reason: "take() sets it anew where one was found",
  },
  {
    path: "src/download/plan.ts",
    operator: "number",
    before: "this.#lowest = found < 0 ? this.count : found;",
    after: "this.#lowest = found < 1 ? this.count : found;",
    reason: "take() sets it anew where one was found",
  },
  {
    path: "src/wire/request.ts",
    operator: "boundary",
    before: "} else if (number < BigInt(LIST_ENTRIES_MAX)) request.limit = Number(number);",
    after: "} else if (number <= BigInt(LIST_ENTRIES_MAX)) request.limit = Number(number);",
    reason: "the limit is LIST_ENTRIES_MAX already",
  },
  {
    path: "src/wire/request.ts",
    operator: "boundary",
    before:
      'if (equals < 1) return refuse("EINVAL", `expected key=value or /path, got ${quote(word)}`);',
    after:
      'if (equals <= 1) return refuse("EINVAL", `expected key=value or /path, got ${quote(word)}`);',
    reason: "no key has one letter: only the words of the refusal differ",
  },
];

/** The entry that speaks of `mutant`. */
export function equivalentOf(mutant: Mutant, entries = EQUIVALENTS): Equivalent | undefined {
  return entries.find(
    (entry) =>
      entry.path === mutant.path &&
      entry.operator === mutant.operator &&
      entry.before === mutant.before &&
      entry.after === mutant.after,
  );
}
