/**
 * Wrong tokens, by peer: after a few of them the peer waits, twice as long each time, whether the
 * next one is right or not. So guessing costs time, and what is answered meanwhile tells nothing.
 *
 * Bounded: PEERS_MAX are remembered, and the one that failed longest ago makes room.
 */

/** Wrong tokens that cost nothing: a person's mistakes. */
const FREE = 5;

const FIRST_WAIT_MS = 1000;
const WAIT_MS_MAX = 60_000;

/** Without a failure for so long a peer is as new. Milliseconds. */
const FORGOTTEN_MS = 600_000;

/** 100 bytes each. */
const PEERS_MAX = 10_000;

interface Peer {
  count: number;
  last: number;
}

/** The counts. Times are clock.now's milliseconds. */
export class Failures {
  /** The peer that failed last is the last one. */
  readonly #peers = new Map<string, Peer>();

  /** Milliseconds that `peer` has to wait from `now` on; 0: it may try. */
  waitMs(peer: string, now: number): number {
    const failed = this.#peers.get(peer);
    if (failed === undefined || failed.count < FREE) return 0;
    const full = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** (failed.count - FREE));
    return Math.max(0, failed.last + full - now);
  }

  /** Another wrong token of `peer`. */
  note(peer: string, now: number): void {
    const before = this.#peers.get(peer);
    const recent = before !== undefined && now - before.last < FORGOTTEN_MS;
    this.#peers.delete(peer);
    this.#peers.set(peer, { count: recent ? before.count + 1 : 1, last: now });
    if (this.#peers.size <= PEERS_MAX) return;
    for (const oldest of this.#peers.keys()) {
      this.#peers.delete(oldest);
      return;
    }
  }

  /** A right token of `peer`. */
  forget(peer: string): void {
    this.#peers.delete(peer);
  }
}
