/**
 * What peers owe: bytes that they were sent at once, beyond the rate that is theirs. A debt is paid
 * off at that rate. Only who owes is remembered, and DEBTORS_MAX of them: beyond it the oldest debt
 * is forgiven. Pure; it decides nothing.
 */

/** 100 bytes each. A debt is paid within seconds, so that it takes a crowd to get there. */
export const DEBTORS_MAX = 65_536;

/** The debts. */
export class Debts {
  readonly #owed = new Map<string, number>();

  /** Who owes something. */
  get peers(): IterableIterator<string> {
    return this.#owed.keys();
  }

  /** Bytes that `peer` owes. */
  of(peer: string): number {
    return this.#owed.get(peer) ?? 0;
  }

  /**
   * `peer` owes `bytes` more (less, where they are negative), but not more than `most` by this
   * call: what it owed beyond that before stays.
   */
  charge(peer: string, bytes: number, most = Number.POSITIVE_INFINITY): void {
    const before = this.of(peer);
    const owed = Math.min(before + bytes, Math.max(before, most));
    if (owed <= 0) this.#owed.delete(peer);
    else this.#owed.set(peer, owed);
    if (this.#owed.size <= DEBTORS_MAX) return;
    for (const oldest of this.#owed.keys()) {
      this.#owed.delete(oldest);
      return;
    }
  }

  /** `seconds` have passed: each pays what `rateOf` gives it, in bytes a second. */
  pay(seconds: number, rateOf: (peer: string) => number): void {
    for (const peer of this.#owed.keys()) this.charge(peer, -seconds * rateOf(peer));
  }
}
