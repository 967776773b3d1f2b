/**
 * How many connections each peer holds in all processes of a server, in memory that they share.
 * Each process has a plane of its own, which it alone writes; what a peer holds is read from all
 * planes. So there is no lock that a killed process could keep, and its plane is cleared by whoever
 * sees it die.
 *
 * A plane has no keys: a peer counts in one column of each of ROWS rows, by a hash with a secret of
 * this server's, and holds at most the least of them. Peers that share all of their columns with
 * others are counted as holding more than they do, never as less: with 10,000 peers 1 in 200.
 */

/** A peer that only one row would count too high is counted right by the others. */
const ROWS = 4;

/** 15 bits of a hash for each row. */
const COLUMN_BITS = 15;
const COLUMNS = 1 << COLUMN_BITS;
const MASK = COLUMNS - 1;

/** Words of a plane; the last one counts all connections. */
export const PEER_PLANE_WORDS = ROWS * COLUMNS + 1;
const SUM_AT = ROWS * COLUMNS;

/** The counts as one process sees and makes them. */
export class PeerCounts {
  readonly #planes: readonly Int32Array[];
  readonly #own: Int32Array;
  readonly #seeds: readonly [number, number];
  /** The numbers of planes that count. */
  readonly #live: () => readonly number[];

  /** `planes` are those of all processes, and `own` the number of this one's. */
  constructor(
    planes: readonly Int32Array[],
    own: number,
    live: () => readonly number[],
    seed: bigint,
  ) {
    this.#planes = planes;
    this.#own = planes[own]!;
    this.#live = live;
    this.#seeds = [Number(BigInt.asUintN(32, seed)), Number(BigInt.asUintN(32, seed >> 32n))];
  }

  /** Connections of all peers, in all processes. */
  get sum(): number {
    return this.#sumOf(SUM_AT, this.#live());
  }

  /** Connections of `peer`, in all processes. */
  of(peer: string): number {
    return this.#least(this.#columns(peer), this.#live());
  }

  /** Counts a connection of `peer`; false, and nothing is counted, when that is over a bound. */
  take(peer: string, each: number, whole: number): boolean {
    const columns = this.#columns(peer);
    // Counted before it is looked at: two processes at once find one too many, not one too few.
    this.#add(columns, 1);
    const live = this.#live();
    const fits = this.#least(columns, live) <= each;
    if (fits && (whole === Infinity || this.#sumOf(SUM_AT, live) <= whole)) return true;
    this.#add(columns, -1);
    return false;
  }

  /** Counts a connection of `peer` out. */
  give(peer: string): void {
    this.#add(this.#columns(peer), -1);
  }

  // --- internal ---

  /** Two hashes of 32 bits: one of 64 is a bigint, and costs four times as much. */
  #columns(peer: string): readonly number[] {
    const first = Bun.hash.xxHash32(peer, this.#seeds[0]);
    const second = Bun.hash.xxHash32(peer, this.#seeds[1]);
    return [
      first & MASK,
      COLUMNS + ((first >>> COLUMN_BITS) & MASK),
      2 * COLUMNS + (second & MASK),
      3 * COLUMNS + ((second >>> COLUMN_BITS) & MASK),
    ];
  }

  #add(columns: readonly number[], by: number): void {
    for (const column of columns) Atomics.add(this.#own, column, by);
    Atomics.add(this.#own, SUM_AT, by);
  }

  #least(columns: readonly number[], live: readonly number[]): number {
    let least = Number.POSITIVE_INFINITY;
    for (const column of columns) least = Math.min(least, this.#sumOf(column, live));
    return least;
  }

  #sumOf(column: number, live: readonly number[]): number {
    let sum = 0;
    for (const nth of live) sum += Atomics.load(this.#planes[nth]!, column);
    return sum;
  }
}
