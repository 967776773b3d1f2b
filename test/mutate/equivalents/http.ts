/** Mutants of `src/wire/http` that are not for a test to tell, with reasons. */
import type { Equivalent } from "../equivalent.ts";

export const HTTP_EQUIVALENTS: readonly Equivalent[] = [
  {
    path: "src/wire/http/head.ts",
    operator: "boundary",
    before:
      "const formed = first > 0 && second > first + 1 && isMethod(method) && isVersion(version);",
    after:
      "const formed = first >= 0 && second > first + 1 && isMethod(method) && isVersion(version);",
    reason: "in front of a space that comes first there is no method",
  },
];
