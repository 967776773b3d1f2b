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

/** Who keeps the counts. Times are clock.now's milliseconds. */
export interface FailureCounts {
  /** Milliseconds that `peer` has to wait from `now` on; 0: it may try. */
  waitMs(peer: string, now: number): number;
  /** Another wrong token of `peer`. */
  note(peer: string, now: number): void;
  /** A right token of `peer`. */
  forget(peer: string): void;
}

/** Milliseconds to wait from `now` on behind `count` failures, the last one at `last`. */
export function waitOf(count: number, last: number, now: number): number {
  if (count < FREE) return 0;
  const full = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** (count - FREE));
  return Math.max(0, last + full - now);
}

/** Whether a failure at `last` still counts at `now`. */
export function recent(last: number, now: number): boolean {
  return now - last < FORGOTTEN_MS;
}

/** The counts of one process. */
export class Failures implements FailureCounts {
  /** The peer that failed last is the last one. */
  readonly #peers = new Map<string, Peer>();

  waitMs(peer: string, now: number): number {
    const failed = this.#peers.get(peer);
    return failed === undefined ? 0 : waitOf(failed.count, failed.last, now);
  }

  note(peer: string, now: number): void {
    const before = this.#peers.get(peer);
    const more = before !== undefined && recent(before.last, now);
    this.#peers.delete(peer);
    this.#peers.set(peer, { count: more ? before.count + 1 : 1, last: now });
    if (this.#peers.size <= PEERS_MAX) return;
    for (const oldest of this.#peers.keys()) {
      this.#peers.delete(oldest);
      return;
    }
  }

  forget(peer: string): void {
    this.#peers.delete(peer);
  }
}
