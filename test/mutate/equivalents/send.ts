/** Mutants of `src/send` that are not for a test to tell, with reasons. */
import type { Equivalent } from "../equivalent.ts";

export const SEND_EQUIVALENTS: readonly Equivalent[] = [
  {
    path: "src/send/transfer.ts",
    operator: "number",
    before: "unfit: 7,",
    after: "unfit: 8,",
    reason: "a name for what a step came to: it only has to differ from the others",
  },
];
