/** Mutants of bounds of `src/store`: a step more of what no text promises to the step. */
import { type Equivalent, ONE_MORE } from "../equivalent.ts";

/** A line before and after. */
type Bound = readonly [
  file: string,
  operator: "number" | "boundary",
  before: string,
  after: string,
];

const BOUNDS: readonly Bound[] = [
  [
    "digest-cache",
    "number",
    "export const KEPT_DIGESTS_MAX = 16_384;",
    "export const KEPT_DIGESTS_MAX = 16385;",
  ],
  ["digest-job", "number", "const UNIT_BYTES = 16_384;", "const UNIT_BYTES = 16385;"],
  ["disk", "number", "const ARENA_USES_MIN = 4;", "const ARENA_USES_MIN = 5;"],
  ["folderpage", "number", "const RECORDS_ASKED = 524_288;", "const RECORDS_ASKED = 524289;"],
  ["lines", "number", "export const LOOKS_PER_STEP = 128;", "export const LOOKS_PER_STEP = 129;"],
  ["look", "number", "const RECORDS_BYTES = 262_144;", "const RECORDS_BYTES = 262145;"],
  ["look", "boundary", "while (read < bytes) {", "while (read <= bytes) {"],
  ["looks", "number", "const WAITING_MIN = 256;", "const WAITING_MIN = 257;"],
  ["looks", "number", "const BEGUN_PER_ROUND = 64;", "const BEGUN_PER_ROUND = 65;"],
  ["looks", "number", "const IDLE_MS = 60_000;", "const IDLE_MS = 60001;"],
  [
    "looks",
    "boundary",
    "if (this.#waiting.size >= this.#waitingMax) this.#forgetGone();",
    "if (this.#waiting.size > this.#waitingMax) this.#forgetGone();",
  ],
  [
    "looks",
    "boundary",
    "if (clock.now - this.#usedAt > IDLE_MS) this.#end();",
    "if (clock.now - this.#usedAt >= IDLE_MS) this.#end();",
  ],
  ["namesahead", "number", "const MEMORY_US = 20;", "const MEMORY_US = 21;"],
  ["namesahead", "boundary", "if (ms < SLOW_MS) return false;", "if (ms <= SLOW_MS) return false;"],
  ["prefetch", "number", "const WAITING_MIN = 256;", "const WAITING_MIN = 257;"],
  [
    "prefetch",
    "number",
    "for (let answers = 0; !this.#reads.full;) {",
    "for (let answers = 1; !this.#reads.full;) {",
  ],
  [
    "snapshot",
    "number",
    "export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1024;",
    "export const SNAPSHOT_BYTES_MAX = 33 * 1024 * 1024;",
  ],
  [
    "snapshot",
    "number",
    "export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1024;",
    "export const SNAPSHOT_BYTES_MAX = 32 * 1025 * 1024;",
  ],
  [
    "snapshot",
    "number",
    "export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1024;",
    "export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1025;",
  ],
  ["snapshots", "number", "let bytes = 0;", "let bytes = 1;"],
  ["store", "number", "export const HEADROOM_BYTES = 384;", "export const HEADROOM_BYTES = 385;"],
];

export const STORE_BOUND_EQUIVALENTS: readonly Equivalent[] = BOUNDS.map(
  ([file, operator, before, after]) => ({
    ...{ path: `src/store/${file}.ts`, operator, before, after },
    reason: ONE_MORE,
  }),
);
