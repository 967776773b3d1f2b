/** Mutants of `src/guard` that are not for a test to tell, with reasons. */
import { type Equivalent, ONE_MORE } from "../equivalent.ts";

/** Of a queue's array whose start moves. */
const SHORTENED = "the array is only shortened sooner or later; what is in it, and its order, stay";

/** Of a default that only the types ask for. */
const COUNTED = "there is one for each: the default is never taken";

/** What the calls of a table are refused for; nothing reads it but people. */
const FORBIDDEN_FOR = [
  "other programs",
  "other processes",
  "files of others",
  "another user",
  "another view of the system",
  "the kernel itself",
] as const;

export const GUARD_EQUIVALENTS: readonly Equivalent[] = [
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
    path: "src/guard/rates.ts",
    operator: "number",
    before: "bound(rates.address) / (peers.get(peer) ?? 1),",
    after: "bound(rates.address) / (peers.get(peer) ?? 0),",
    reason: COUNTED,
  },
  {
    path: "src/guard/rates.ts",
    operator: "number",
    before: "token === null ? Infinity : bound(tokenRate) / (tokens.get(token) ?? 1),",
    after: "token === null ? Infinity : bound(tokenRate) / (tokens.get(token) ?? 0),",
    reason: COUNTED,
  },
  {
    path: "src/guard/rates.ts",
    operator: "number",
    before: "else own.push(bounds[nth] ?? 0);",
    after: "else own.push(bounds[nth] ?? 1);",
    reason: COUNTED,
  },
  {
    path: "src/guard/rates.ts",
    operator: "number",
    before: "if (own === undefined) byPeer.set(peer, [bounds[nth] ?? 0]);",
    after: "if (own === undefined) byPeer.set(peer, [bounds[nth] ?? 1]);",
    reason: COUNTED,
  },
  {
    path: "src/guard/rates.ts",
    operator: "number",
    before: "return all.map(({ peer }, nth) => Math.min(bounds[nth] ?? 0, levels.get(peer) ?? 0));",
    after: "return all.map(({ peer }, nth) => Math.min(bounds[nth] ?? 1, levels.get(peer) ?? 0));",
    reason: COUNTED,
  },
  {
    path: "src/guard/rates.ts",
    operator: "number",
    before: "return all.map(({ peer }, nth) => Math.min(bounds[nth] ?? 0, levels.get(peer) ?? 0));",
    after: "return all.map(({ peer }, nth) => Math.min(bounds[nth] ?? 0, levels.get(peer) ?? 1));",
    reason: COUNTED,
  },
  {
    path: "src/guard/grantedpath.ts",
    operator: "boundary",
    before: "return [...new Set(names)].sort((a, b) => (a < b ? -1 : 1));",
    after: "return [...new Set(names)].sort((a, b) => (a <= b ? -1 : 1));",
    reason: "no two names of a set are the same",
  },
  {
    path: "src/guard/networks.ts",
    operator: "boundary",
    before: "return most < 0 || prefix > most ? null : { address, prefix };",
    after: "return most <= 0 || prefix > most ? null : { address, prefix };",
    reason: "it is 32, 128 or -1",
  },
  {
    path: "src/guard/forbidden.ts",
    operator: "number",
    before: "return sometimes(0)[name]?.[0][at] ?? null;",
    after: "return sometimes(1)[name]?.[0][at] ?? null;",
    reason: "a call's number is the same whatever the process's is",
  },
  {
    path: "src/guard/networks.ts",
    operator: "number",
    before: "return most < 0 || prefix > most ? null : { address, prefix };",
    after: "return most < 1 || prefix > most ? null : { address, prefix };",
    reason: "it is 32, 128 or -1",
  },
  ...FORBIDDEN_FOR.map((what) => ({
    path: "src/guard/forbidden.ts",
    operator: "string",
    before: `"${what}": {`,
    after: `"": {`,
    reason: "a heading for readers: the calls below it are the same",
  })),
];
