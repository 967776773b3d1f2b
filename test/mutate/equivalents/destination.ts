/** Mutants of `src/destination` that are not for a test to tell, with reasons. */
import type { Equivalent } from "../equivalent.ts";

export const DESTINATION_EQUIVALENTS: readonly Equivalent[] = [
  {
    path: "src/destination/staging.ts",
    operator: "number",
    before: "for (let tries = 0; fd === -ERRNO.ENOENT && tries < TRIES_MAX; tries++) {",
    after: "for (let tries = 1; fd === -ERRNO.ENOENT && tries < TRIES_MAX; tries++) {",
    reason: "one try less of a bound that no text promises: other runs end seven times between",
  },
  {
    path: "src/destination/staging.ts",
    operator: "number",
    before: "const uid = process.geteuid?.() ?? 0;",
    after: "const uid = process.geteuid?.() ?? 1;",
    reason: "every system that it runs on has geteuid",
  },
];
