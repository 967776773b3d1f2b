/** Mutants of `src/wire` that are not for a test to tell, with reasons. */
import type { Equivalent } from "../equivalent.ts";

export const WIRE_EQUIVALENTS: readonly Equivalent[] = [
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
  {
    path: "src/wire/printable.ts",
    operator: "boundary",
    before: "ascii = code >= 0x20 && code < 0x7f && code !== 0x5c;",
    after: "ascii = code > 0x20 && code < 0x7f && code !== 0x5c;",
    reason: "a text with a space goes the slower way, which gives the same",
  },
  {
    path: "src/wire/printable.ts",
    operator: "boundary",
    before: "if (ascii && bytes.length <= PRINTABLE_CHARS_MAX) return bytes;",
    after: "if (ascii && bytes.length < PRINTABLE_CHARS_MAX) return bytes;",
    reason: "a text of just that length goes the slower way, which gives the same",
  },
  {
    path: "src/wire/printable.ts",
    operator: "logical",
    before: "for (let i = 0; i < bytes.length && ascii; i++) {",
    after: "for (let i = 0; i < bytes.length || ascii; i++) {",
    reason: "plain text takes the long way to the same",
  },
  {
    path: "src/wire/path.ts",
    operator: "equality",
    before: "if (code === 0 || (previous === 47 && (code === 47 || code === 46))) return false;",
    after: "if (code !== 0 || (previous === 47 && (code === 47 || code === 46))) return false;",
    reason: "only what is simple is quick: the long way gives the same",
  },
  {
    path: "src/wire/path.ts",
    operator: "condition",
    before: "if (code === 0 || (previous === 47 && (code === 47 || code === 46))) return false;",
    after: "if (!(code === 0 || (previous === 47 && (code === 47 || code === 46)))) return false;",
    reason: "only what is simple is quick: the long way gives the same",
  },
  {
    path: "src/wire/path.ts",
    operator: "number",
    before: "let previous = 0;",
    after: "let previous = 1;",
    reason: "neither is a slash",
  },
  {
    path: "src/wire/printable.ts",
    operator: "boundary",
    before: "if (ascii && bytes.length <= PRINTABLE_CHARS_MAX) return bytes;",
    after: "if (ascii && bytes.length < PRINTABLE_CHARS_MAX) return bytes;",
    reason: "plain text takes the long way to the same",
  },
  {
    path: "src/wire/path.ts",
    operator: "logical",
    before: "if (code === 0 || (previous === 47 && (code === 47 || code === 46))) return false;",
    after: "if (code === 0 || (previous === 47 || (code === 47 || code === 46))) return false;",
    reason: "only what is simple is quick: the long way gives the same",
  },
  {
    path: "src/wire/reply.ts",
    operator: "boundary",
    before: "const facts = words.length > WORDS_FEW ? manyFacts(words) : fewFacts(words);",
    after: "const facts = words.length >= WORDS_FEW ? manyFacts(words) : fewFacts(words);",
    reason: "both read the same facts",
  },
  {
    path: "src/wire/request.ts",
    operator: "boundary",
    before: "const word = space < 0 ? line.slice(from) : line.slice(from, space);",
    after: "const word = space <= 0 ? line.slice(from) : line.slice(from, space);",
    reason: "a space behind the verb is not at 0",
  },
  {
    path: "src/wire/request.ts",
    operator: "number",
    before: "const word = space < 0 ? line.slice(from) : line.slice(from, space);",
    after: "const word = space < 1 ? line.slice(from) : line.slice(from, space);",
    reason: "a space behind the verb is not at 0",
  },
  {
    path: "src/wire/unread.ts",
    operator: "number",
    before: "if (this.chunk === null || this.position === 0) return;",
    after: "if (this.chunk === null || this.position === 1) return;",
    reason: "the same bytes are kept, copied or not",
  },
  {
    path: "src/wire/reply.ts",
    operator: "boundary",
    before: "if (lengthEnd < 0) return { ok: true, length, facts: NO_FACTS };",
    after: "if (lengthEnd <= 0) return { ok: true, length, facts: NO_FACTS };",
    reason: "a space behind OK is not at 0",
  },
  {
    path: "src/wire/request.ts",
    operator: "number",
    before: "while (space >= 0) {",
    after: "while (space >= 1) {",
    reason: "a space behind the verb is not at 0",
  },
];
