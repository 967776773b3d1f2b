/**
 * Failures (failures.ts) that hold in all processes of a server: a table in memory that they share,
 * so that guessing at several processes gains nothing. Each writes it: two wrong tokens of one peer
 * at the same moment may count once, which no peer can rely on.
 *
 * Bounded: a peer has WAYS places by a hash with a secret of this server's, and takes that of who
 * failed there longest ago.
 */
import { monotonic } from "../sys/processes.ts";
import { type FailureCounts, recent, waitOf } from "./failures.ts";

const SETS = 2048;
const WAYS = 8;

/** A peer's tag, its failures, and when the last one was. */
const ENTRY_BYTES = 16;

/** Bytes of the table: 16,384 peers. */
export const FAILURES_BYTES = SETS * WAYS * ENTRY_BYTES;

/** The table as one process sees it. */
export class SharedFailures implements FailureCounts {
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #seed: bigint;
  /** What makes of this process's clock the one that all have: milliseconds. */
  readonly #shift: number;

  /** `memory` has FAILURES_BYTES from `at` on. */
  constructor(memory: ArrayBuffer, at: number, seed: bigint) {
    this.#words = new Int32Array(memory, at, FAILURES_BYTES / 4);
    this.#times = new Float64Array(memory, at, FAILURES_BYTES / 8);
    this.#seed = seed;
    this.#shift = monotonic() / 1000 - performance.now();
  }

  waitMs(peer: string, now: number): number {
    const entry = this.#find(peer).at;
    if (entry < 0) return 0;
    const last = (this.#times[entry * 2 + 1] ?? 0) - this.#shift;
    return waitOf(Atomics.load(this.#words, entry * 4 + 1), last, now);
  }

  note(peer: string, now: number): void {
    const { at, tag, oldest } = this.#find(peer);
    const entry = at < 0 ? oldest : at;
    const last = (this.#times[entry * 2 + 1] ?? 0) - this.#shift;
    if (at < 0 || !recent(last, now)) {
      Atomics.store(this.#words, entry * 4, tag);
      Atomics.store(this.#words, entry * 4 + 1, 0);
    }
    this.#times[entry * 2 + 1] = now + this.#shift;
    Atomics.add(this.#words, entry * 4 + 1, 1);
  }

  forget(peer: string): void {
    const { at } = this.#find(peer);
    if (at >= 0) Atomics.store(this.#words, at * 4, 0);
  }

  // --- internal ---

  /** The entry of `peer`, or -1; its tag, and the entry that it would take. */
  #find(peer: string): { at: number; tag: number; oldest: number } {
    const hash = Bun.hash.wyhash(peer, this.#seed);
    // 0 is nobody's.
    const tag = Number(BigInt.asIntN(32, hash)) || 1;
    const first = Number(BigInt.asUintN(32, hash >> 32n) % BigInt(SETS)) * WAYS;
    let oldest = first;
    let oldestTime = Number.POSITIVE_INFINITY;
    for (let entry = first; entry < first + WAYS; entry++) {
      const there = Atomics.load(this.#words, entry * 4);
      if (there === tag) return { at: entry, tag, oldest: entry };
      const time = there === 0 ? Number.NEGATIVE_INFINITY : (this.#times[entry * 2 + 1] ?? 0);
      if (time < oldestTime) [oldest, oldestTime] = [entry, time];
    }
    return { at: -1, tag, oldest };
  }
}
