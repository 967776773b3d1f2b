/** Mutants of `src/store` that are not for a test to tell, with reasons. */
import { type Equivalent, ONE_MORE } from "../equivalent.ts";

export const STORE_EQUIVALENTS: readonly Equivalent[] = [
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
    path: "src/store/digester.ts",
    operator: "number",
    before: "readonly #turns = new FairQueue<DigestJob>(({ over, left }) => (over ? 0 : left));",
    after: "readonly #turns = new FairQueue<DigestJob>(({ over, left }) => (over ? 1 : left));",
    reason: "what is over is passed over whenever its turn comes",
  },
  {
    path: "src/store/digester.ts",
    operator: "number",
    before: "#usedAt = 0;",
    after: "#usedAt = 1;",
    reason: "there is no thread that could be idle before it is set",
  },
  {
    path: "src/store/digester.ts",
    operator: "logical",
    before: "if (same.join(waiter) && same.wants) this.#turns.add(peer, same);",
    after: "if (same.join(waiter) || same.wants) this.#turns.add(peer, same);",
    reason: "a place too many is passed over when its turn comes",
  },
  {
    path: "src/store/digester.ts",
    operator: "call",
    before: "this.#turns.clear();",
    after: ";",
    reason: "what is over is passed over when its turn comes",
  },
  {
    path: "src/store/digest-job.ts",
    operator: "number",
    before: "const UNIT_BYTES = 16_384;",
    after: "const UNIT_BYTES = 16385;",
    reason: ONE_MORE,
  },
  {
    path: "src/store/names.ts",
    operator: "boundary",
    before: "return end < 0 ? block : block.slice(0, end);",
    after: "return end <= 0 ? block : block.slice(0, end);",
    reason: "no name is empty, so that what ends one is not at 0",
  },
  {
    path: "src/store/names.ts",
    operator: "number",
    before: "return end < 0 ? block : block.slice(0, end);",
    after: "return end < 1 ? block : block.slice(0, end);",
    reason: "no name is empty, so that what ends one is not at 0",
  },
  {
    path: "src/store/digest-job.ts",
    operator: "boundary",
    before: "return this.#asked % this.range.chunk !== 0 && this.#asked < this.range.length;",
    after: "return this.#asked % this.range.chunk !== 0 && this.#asked <= this.range.length;",
    reason: "the thread is told to drop what it has not begun, which is nothing",
  },
  {
    path: "src/store/digest-job.ts",
    operator: "boundary",
    before: "while (this.#asked % chunk === 0 && this.#asked < length) {",
    after: "while (this.#asked % chunk === 0 && this.#asked <= length) {",
    reason: "no digest of 0 bytes is kept",
  },
  {
    path: "src/store/names.ts",
    operator: "number",
    before: "#nth = 0;",
    after: "#nth = 1;",
    reason: "the search goes one block back in the end, so that it finds the same",
  },
];
