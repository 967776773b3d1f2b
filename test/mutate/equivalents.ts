/**
 * All mutants that are taken for equivalent, room by room. A test fails when there is no such
 * mutant any more.
 */
import type { Equivalent } from "./equivalent.ts";
import { DESTINATION_EQUIVALENTS } from "./equivalents/destination.ts";
import { GUARD_EQUIVALENTS } from "./equivalents/guard.ts";
import { HTTP_EQUIVALENTS } from "./equivalents/http.ts";
import { PLAN_EQUIVALENTS } from "./equivalents/plan.ts";
import { SEND_EQUIVALENTS } from "./equivalents/send.ts";
import { STORE_EQUIVALENTS } from "./equivalents/store.ts";
import { STORE_BOUND_EQUIVALENTS } from "./equivalents/storebounds.ts";
import { STORE_FOLDER_EQUIVALENTS } from "./equivalents/storefolders.ts";
import { STORE_FD_EQUIVALENTS } from "./equivalents/storefds.ts";
import { WIRE_EQUIVALENTS } from "./equivalents/wire.ts";
import type { Mutant } from "./operators.ts";

export const EQUIVALENTS: readonly Equivalent[] = [
  ...DESTINATION_EQUIVALENTS,
  ...GUARD_EQUIVALENTS,
  ...HTTP_EQUIVALENTS,
  ...PLAN_EQUIVALENTS,
  ...SEND_EQUIVALENTS,
  ...STORE_EQUIVALENTS,
  ...STORE_BOUND_EQUIVALENTS,
  ...STORE_FOLDER_EQUIVALENTS,
  ...STORE_FD_EQUIVALENTS,
  ...WIRE_EQUIVALENTS,
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
