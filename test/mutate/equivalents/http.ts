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
  {
    path: "src/wire/http/folderquantity.ts",
    operator: "boundary",
    before: "const milliseconds = Number((mtime < 0n ? mtime - 999_999n : mtime) / 1_000_000n);",
    after: "const milliseconds = Number((mtime <= 0n ? mtime - 999_999n : mtime) / 1_000_000n);",
    reason: "what is less than a millisecond from 0 is 0, as 0 is",
  },
  {
    path: "src/wire/http/validator.ts",
    operator: "logical",
    before: "if (first === undefined || last === undefined || size === undefined) return null;",
    after: "if (first === undefined || last === undefined && size === undefined) return null;",
    reason: "what the pattern matched are three numbers: only the types ask",
  },
  {
    path: "src/wire/http/validator.ts",
    operator: "logical",
    before: "if (first === undefined || last === undefined || size === undefined) return null;",
    after: "if (first === undefined && last === undefined || size === undefined) return null;",
    reason: "what the pattern matched are three numbers: only the types ask",
  },
  {
    path: "src/wire/http/head.ts",
    operator: "number",
    before: 'const lines = parseFields(lineEnd < 0 ? "" : head.slice(lineEnd));',
    after: 'const lines = parseFields(lineEnd < 1 ? "" : head.slice(lineEnd));',
    reason:
      "a head that begins with the end of a line has no method, and is refused with any fields",
  },
  {
    path: "src/wire/http/validator.ts",
    operator: "number",
    before: 'const date = parseHttpDate(fields.get("date") ?? "", 0n);',
    after: 'const date = parseHttpDate(fields.get("date") ?? "", 1n);',
    reason: "a second later is the same year, which is all that it is told for",
  },
  {
    path: "src/wire/http/replystatus.ts",
    operator: "number",
    before: 'return CODES.get(status) ?? (status < 500 ? "EINVAL" : "EBUSY");',
    after: 'return CODES.get(status) ?? (status < 501 ? "EINVAL" : "EBUSY");',
    reason: "500 has its own code",
  },
];
