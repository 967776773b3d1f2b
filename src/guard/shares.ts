/**
 * How much of one resource each peer holds, of a bound in all and a bound for each. It counts and
 * decides; whoever asks acts on it. Invariant: the sum over all peers never exceeds the whole.
 */

/** The counts of one resource, in units of the caller's. */
export class Shares {
  readonly #whole: number;
  readonly #each: number;
  readonly #held = new Map<string, number>();
  #sum = 0;

  /** At most `whole` units in all, and `each` for one peer. */
  constructor(whole: number, each: number) {
    this.#whole = whole;
    this.#each = each;
  }

  /** Units held in all. */
  get sum(): number {
    return this.#sum;
  }

  /** Peers that are remembered: those that hold something. */
  get peers(): number {
    return this.#held.size;
  }

  /** Units that `peer` holds. */
  of(peer: string): number {
    return this.#held.get(peer) ?? 0;
  }

  /** Takes `units` for `peer`; false, and nothing is taken, when that is over a bound. */
  take(peer: string, units: number): boolean {
    const held = this.of(peer) + units;
    if (held > this.#each || this.#sum + units > this.#whole) return false;
    this.#held.set(peer, held);
    this.#sum += units;
    return true;
  }

  /** Pays back `units` of `peer`. */
  give(peer: string, units: number): void {
    const held = this.of(peer) - units;
    if (held > 0) this.#held.set(peer, held);
    else this.#held.delete(peer);
    this.#sum -= units;
  }

  /** True when `units` more are within what one peer may hold: only the whole can refuse them. */
  fits(peer: string, units: number): boolean {
    return this.of(peer) + units <= this.#each;
  }

  /** The peer that holds most; "" when nobody holds anything. */
  largest(): string {
    let largest = "";
    for (const [peer, held] of this.#held) if (held > this.of(largest)) largest = peer;
    return largest;
  }
}
