/** Mutants of `src/download/plan.ts` that are not for a test to tell, with reasons. */
import type { Equivalent } from "../equivalent.ts";

export const PLAN_EQUIVALENTS: readonly Equivalent[] = [
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
    path: "src/download/plan.ts",
    operator: "number",
    before: "good: 4,",
    after: "good: 5,",
    reason: "a state's number is a name: only those of two states must differ",
  },
  {
    path: "src/download/plan.ts",
    operator: "call",
    before: "this.#filled.delete(index);",
    after: ";",
    reason:
      "one of the two, of a chunk that has arrived: refuse() deletes it again, before anyone asks",
  },
];
