/**
 * Random numbers that a seed repeats, and what `make fuzz` sets: SEED= repeats a run, RUNS= makes
 * it longer. Each execution has a seed of its own, so that one that failed can run alone.
 */

/** True where SEED= says which. */
export const SEED_GIVEN = process.env["SEED"] !== undefined;

/** The first execution's seed. */
export const SEED = Number(
  process.env["SEED"] ??
    (process.env["RUNS"] === undefined ? 1 : Math.floor(Math.random() * 2 ** 31)),
);

/** Executions of a run, when RUNS does not say. */
const RUNS_DEFAULT = 50_000;

/** Executions of this run. */
export const RUNS = Number(process.env["RUNS"] ?? RUNS_DEFAULT);

/** About as many pieces as one input is cut into. */
const PIECES_MAX = 400;

/** A source of random numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not give neighbouring numbers.
    this.#state = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b) | 0;
  }

  /** 0 to `end` - 1. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let it = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    it = (it + Math.imul(it ^ (it >>> 7), 61 | it)) ^ it;
    return ((it ^ (it >>> 14)) >>> 0) % end;
  }

  /** One of `choices`. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** `bytes` cut at random places; the pieces joined are `bytes` again. */
  cut(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    // Small steps as often as large ones: most faults sit at a boundary of one byte. But a reader
    // that copies what it holds with each piece must not be given thousands of them.
    const shortest = Math.ceil(bytes.length / PIECES_MAX);
    const longest = Math.max(shortest, this.pick([1, 2, 7, 64, bytes.length + 1]));
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + 1 + this.below(longest));
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    return pieces;
  }
}
