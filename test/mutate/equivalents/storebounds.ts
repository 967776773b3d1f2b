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
  [
    "digester",
    "number",
    "const BROUGHT_INLINE_BYTES_MAX = { xxh3: 1_048_576, sha256: 65_536 } as const;",
    "const BROUGHT_INLINE_BYTES_MAX = { xxh3: 1048577, sha256: 65_536 } as const;",
  ],
  ["directory", "number", "const NAMES_REFUSED = 4096;", "const NAMES_REFUSED = 4097;"],
  ["disk", "number", "const ARENA_USES_MIN = 4;", "const ARENA_USES_MIN = 5;"],
  [
    "disk",
    "number",
    "export const HELD_BYTES_MAX = 16 * 1024 * 1024;",
    "export const HELD_BYTES_MAX = 16 * 1025 * 1024;",
  ],
  [
    "disk",
    "number",
    "export const HELD_BYTES_MAX = 16 * 1024 * 1024;",
    "export const HELD_BYTES_MAX = 16 * 1024 * 1025;",
  ],
  ["disk", "number", "const LOOK_UP_COST = 3;", "const LOOK_UP_COST = 4;"],
  ["diskread", "number", "export const RESIDENT_MS = 10;", "export const RESIDENT_MS = 11;"],
  [
    "diskread",
    "number",
    "export const READS_MAX = { prefetch: 4, readahead: 4, window: 16 } as const;",
    "export const READS_MAX = { prefetch: 5, readahead: 4, window: 16 } as const;",
  ],
  [
    "diskread",
    "number",
    "export const READS_MAX = { prefetch: 4, readahead: 4, window: 16 } as const;",
    "export const READS_MAX = { prefetch: 4, readahead: 5, window: 16 } as const;",
  ],
  [
    "diskread",
    "number",
    "export const READS_MAX = { prefetch: 4, readahead: 4, window: 16 } as const;",
    "export const READS_MAX = { prefetch: 4, readahead: 4, window: 17 } as const;",
  ],
  ["diskread", "number", "const DROPPED_MAX = 256;", "const DROPPED_MAX = 257;"],
  ["folderpage", "number", "const RECORDS_ASKED = 524_288;", "const RECORDS_ASKED = 524289;"],
  ["lines", "number", "export const LOOKS_PER_STEP = 128;", "export const LOOKS_PER_STEP = 129;"],
  ["lines", "number", "const PAGE_BYTES_MAX = 131_072;", "const PAGE_BYTES_MAX = 131073;"],
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
  [
    "looks",
    "number",
    "for (let begun = 0; this.#sent.length < LOOKS_SENT_MAX; begun++) {",
    "for (let begun = 1; this.#sent.length < LOOKS_SENT_MAX; begun++) {",
  ],
  [
    "looks",
    "number",
    "this.#waitingMax = Math.max(WAITING_MIN, 2 * this.#waiting.size);",
    "this.#waitingMax = Math.max(WAITING_MIN, 3 * this.#waiting.size);",
  ],
  ["namesahead", "number", "const MEMORY_US = 20;", "const MEMORY_US = 21;"],
  ["namesahead", "boundary", "if (ms < SLOW_MS) return false;", "if (ms <= SLOW_MS) return false;"],
  ["pages", "number", "export const SHORT_WAITS_MAX = 16;", "export const SHORT_WAITS_MAX = 17;"],
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
  [
    "root",
    "boundary",
    "for (let tries = 1; tries < RETRIES_MAX && fd === -ERRNO.EAGAIN; tries++) {",
    "for (let tries = 1; tries <= RETRIES_MAX && fd === -ERRNO.EAGAIN; tries++) {",
  ],
];

export const STORE_BOUND_EQUIVALENTS: readonly Equivalent[] = BOUNDS.map(
  ([file, operator, before, after]) => ({
    ...{ path: `src/store/${file}.ts`, operator, before, after },
    reason: ONE_MORE,
  }),
);
