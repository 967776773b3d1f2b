/**
 * Mutants that no test can tell from the program, or that change what is no promise, each with its
 * reason. An entry is found again by what its line says and not by its number; a test fails when
 * there is no such mutant any more.
 */
import type { Mutant } from "./operators.ts";

export interface Equivalent extends Pick<Mutant, "path" | "operator" | "before" | "after"> {
  readonly reason: string;
}

/** Of bounds of ours, as how much is read and thrown away. */
const ONE_MORE = "one step more of a bound that no text promises; a peer can't tell";

/** Of a queue's array whose start moves. */
const SHORTENED = "the array is only shortened sooner or later; what is in it, and its order, stay";

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
    path: "src/destination/staging.ts",
    operator: "number",
    before: "for (let tries = 0; fd === -ERRNO.ENOENT && tries < TRIES_MAX; tries++) {",
    after: "for (let tries = 1; fd === -ERRNO.ENOENT && tries < TRIES_MAX; tries++) {",
    reason: "one try less of a bound that no text promises: other runs end seven times between",
  },
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
    path: "src/send/transfer.ts",
    operator: "number",
    before: "unfit: 7,",
    after: "unfit: 8,",
    reason: "a name for what a step came to: it only has to differ from the others",
  },
  {
    path: "src/guard/limits.ts",
    operator: "number",
    before: "export const LINGER_MS = 5000;",
    after: "export const LINGER_MS = 5001;",
    reason: ONE_MORE,
  },
  {
    path: "src/guard/limits.ts",
    operator: "number",
    before: "export const BACKLOG_BYTES_MAX = 16_384;",
    after: "export const BACKLOG_BYTES_MAX = 16385;",
    reason: ONE_MORE,
  },
  {
    path: "src/guard/limits.ts",
    operator: "number",
    before: "export const COST_LATE_MAX = 8;",
    after: "export const COST_LATE_MAX = 9;",
    reason: ONE_MORE,
  },
  {
    path: "src/guard/limits.ts",
    operator: "number",
    before: "export const LINE_BYTES_PER_REQUEST = 256;",
    after: "export const LINE_BYTES_PER_REQUEST = 257;",
    reason: ONE_MORE,
  },
  {
    path: "src/guard/fairqueue.ts",
    operator: "number",
    before: "if (this.#start > TAKEN_MAX && this.#start * 2 > this.#items.length) {",
    after: "if (this.#start > TAKEN_MAX && this.#start * 3 > this.#items.length) {",
    reason: SHORTENED,
  },
  {
    path: "src/guard/fairqueue.ts",
    operator: "boundary",
    before: "if (this.#start > TAKEN_MAX && this.#start * 2 > this.#items.length) {",
    after: "if (this.#start >= TAKEN_MAX && this.#start * 2 > this.#items.length) {",
    reason: SHORTENED,
  },
  {
    path: "src/guard/fairqueue.ts",
    operator: "arithmetic",
    before: "if (this.#start > TAKEN_MAX && this.#start * 2 > this.#items.length) {",
    after: "if (this.#start > TAKEN_MAX && this.#start / 2 > this.#items.length) {",
    reason: SHORTENED,
  },
  {
    path: "src/guard/fairqueue.ts",
    operator: "condition",
    before: "if (this.#start > TAKEN_MAX && this.#start * 2 > this.#items.length) {",
    after: "if (!(this.#start > TAKEN_MAX && this.#start * 2 > this.#items.length)) {",
    reason: SHORTENED,
  },
  {
    path: "src/guard/fairqueue.ts",
    operator: "boundary",
    before: "if (this.#start > TAKEN_MAX && this.#start * 2 > this.#items.length) {",
    after: "if (this.#start > TAKEN_MAX && this.#start * 2 >= this.#items.length) {",
    reason: SHORTENED,
  },
  {
    path: "src/guard/fairqueue.ts",
    operator: "logical",
    before: "if (this.#start > TAKEN_MAX && this.#start * 2 > this.#items.length) {",
    after: "if (this.#start > TAKEN_MAX || this.#start * 2 > this.#items.length) {",
    reason: SHORTENED,
  },
  {
    path: "src/guard/fairqueue.ts",
    operator: "number",
    before: "const TAKEN_MAX = 64;",
    after: "const TAKEN_MAX = 65;",
    reason: SHORTENED,
  },
  {
    path: "src/guard/address.ts",
    operator: "number",
    before:
      'tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);',
    after:
      'tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 1 : tail.split(":").length);',
    reason: "the first four groups are the same: only the half that is cut off differs",
  },
  {
    path: "src/guard/address.ts",
    operator: "number",
    before:
      'tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);',
    after:
      'tail === undefined ? 1 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);',
    reason: "the first four groups are the same: only the half that is cut off differs",
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
    path: "src/store/snapshot.ts",
    operator: "number",
    before: 'const failed = this.#fd < 0 ? this.#fd : kernel.statx(this.#fd, "", this.stat);',
    after: 'const failed = this.#fd < 1 ? this.#fd : kernel.statx(this.#fd, "", this.stat);',
    reason: "0 is standard input, and never a folder's",
  },
  {
    path: "src/store/names.ts",
    operator: "boundary",
    before:
      "const name = right === undefined || (left !== undefined && left <= right) ? left : right;",
    after:
      "const name = right === undefined || (left !== undefined && left < right) ? left : right;",
    reason: "they differ where both are the same name",
  },
  {
    path: "src/store/directory.ts",
    operator: "boundary",
    before: "if (this.#names.length > 2 * (this.#kept + 1)) this.#trim();",
    after: "if (this.#names.length >= 2 * (this.#kept + 1)) this.#trim();",
    reason: "only when it sorts: what is looked at is sorted and cut once more",
  },
  {
    path: "src/store/snapshot.ts",
    operator: "number",
    before: "export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1024;",
    after: "export const SNAPSHOT_BYTES_MAX = 33 * 1024 * 1024;",
    reason: "one step more of a bound that no text promises; a peer can't tell",
  },
  {
    path: "src/store/snapshot.ts",
    operator: "number",
    before: "export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1024;",
    after: "export const SNAPSHOT_BYTES_MAX = 32 * 1025 * 1024;",
    reason: "one step more of a bound that no text promises; a peer can't tell",
  },
  {
    path: "src/store/snapshot.ts",
    operator: "number",
    before: "export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1024;",
    after: "export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1025;",
    reason: "one step more of a bound that no text promises; a peer can't tell",
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
    path: "src/destination/staging.ts",
    operator: "number",
    before: "const uid = process.geteuid?.() ?? 0;",
    after: "const uid = process.geteuid?.() ?? 1;",
    reason: "every system that it runs on has geteuid",
  },
  {
    path: "src/wire/reply.ts",
    operator: "boundary",
    before: "if (lengthEnd < 0) return { ok: true, length, facts: NO_FACTS };",
    after: "if (lengthEnd <= 0) return { ok: true, length, facts: NO_FACTS };",
    reason: "a space behind OK is not at 0",
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
