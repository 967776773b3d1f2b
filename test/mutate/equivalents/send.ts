/** Mutants of `src/send` that are not for a test to tell, with reasons. */
import { type Equivalent, ONE_MORE } from "../equivalent.ts";

export const SEND_EQUIVALENTS: readonly Equivalent[] = [
  {
    path: "src/send/transfer.ts",
    operator: "number",
    before: "unfit: 7,",
    after: "unfit: 8,",
    reason: "a name for what a step came to: it only has to differ from the others",
  },
  {
    path: "src/send/sendfile.ts",
    operator: "number",
    before: "#resident = 0;",
    after: "#resident = 1;",
    reason: "what was seen at the start of the program is no longer believed at the first step",
  },
  {
    path: "src/send/sendfile.ts",
    operator: "number",
    before: "#residentAt = 0;",
    after: "#residentAt = 1;",
    reason: "what was seen at the start of the program is no longer believed at the first step",
  },
  {
    path: "src/send/sendfile.ts",
    operator: "boundary",
    before:
      "if (this.#readsAhead && this.#resident - this.sent < LOOKAHEAD_BYTES) this.#readNext();",
    after:
      "if (this.#readsAhead && this.#resident - this.sent <= LOOKAHEAD_BYTES) this.#readNext();",
    reason: ONE_MORE,
  },
  {
    path: "src/send/sendfile.ts",
    operator: "boundary",
    before: "if (got < 0) return got === -ERRNO.EINTR ? STEP.more : STEP.failed;",
    after: "if (got <= 0) return got === -ERRNO.EINTR ? STEP.more : STEP.failed;",
    reason: "0 has been answered the line before",
  },
  {
    path: "src/send/sendfile.ts",
    operator: "number",
    before: "if (got < 0) return got === -ERRNO.EINTR ? STEP.more : STEP.failed;",
    after: "if (got < 1) return got === -ERRNO.EINTR ? STEP.more : STEP.failed;",
    reason: "0 has been answered the line before",
  },
  {
    path: "src/send/copy.ts",
    operator: "boundary",
    before: "if (window === undefined || window.filled < 0) {",
    after: "if (window === undefined || window.filled <= 0) {",
    reason: "a window in which nothing came has an error, which is answered the line before",
  },
  {
    path: "src/send/copy.ts",
    operator: "number",
    before: "if (window === undefined || window.filled < 0) {",
    after: "if (window === undefined || window.filled < 1) {",
    reason: "a window in which nothing came has an error, which is answered the line before",
  },
  {
    path: "src/send/transfer.ts",
    operator: "number",
    before: "export const LONG_BYTES = 131_072;",
    after: "export const LONG_BYTES = 131073;",
    reason: ONE_MORE,
  },
  {
    path: "src/send/turns.ts",
    operator: "number",
    before: "#dueAt = 0;",
    after: "#dueAt = 1;",
    reason: "it is read only while a round is due, and set whenever one becomes due",
  },
];
