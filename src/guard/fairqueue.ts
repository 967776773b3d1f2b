/**
 * A queue that is fair between peers: whoever waits has a place in the queue of its own peer, and
 * the peers take turns. However much one peer has waiting, another waits for one turn of each.
 *
 * It owns the order and nothing else. Invariant: between two turns of a peer that has something
 * waiting every other such peer has exactly one. Bounded by what is added: one or two places for
 * each connection.
 */

/** What stands in a queue, and for whom. */
export interface Place<T> {
  readonly peer: string;
  readonly item: T;
}

/**
 * One turn of a peer in so many goes to what has waited longest, whatever its weight: beside n
 * others of its peer an item waits for 4 (n + 1) of the peer's turns at most, and light ones lose a
 * quarter of them.
 */
export const LONGEST_WAIT_EVERY = 4;

/**
 * Places by peer; within a peer first in, first out, or, where items have a weight, the lightest
 * first. take() then looks at all items of the peer.
 */
export class FairQueue<T> {
  /** The peer whose turn it is first. A peer with nothing waiting is not in it. */
  readonly #peers = new Map<string, Line<T>>();
  readonly #weight: ((item: T) => number) | null;
  #size = 0;

  /** `weight` is what is left to do for an item, in any unit: asked each time. */
  constructor(weight: ((item: T) => number) | null = null) {
    this.#weight = weight;
  }

  /** Places taken. */
  get size(): number {
    return this.#size;
  }

  /** Peers that have something waiting. */
  get peers(): number {
    return this.#peers.size;
  }

  /** Gives `item` a place behind those of its peer. */
  add(peer: string, item: T): void {
    const line = this.#peers.get(peer);
    if (line === undefined) this.#peers.set(peer, new Line(item));
    else line.add(item);
    this.#size += 1;
  }

  /**
   * The item whose turn it is, which loses its place; undefined when nothing waits. Peers for which
   * `may` is false are passed over and keep their turn.
   */
  take(may?: (peer: string) => boolean): Place<T> | undefined {
    for (const [peer, line] of this.#peers) {
      if (may?.(peer) === false) continue;
      const item = line.take(this.#weight);
      this.#size -= 1;
      // Behind all others: its peer has had its turn.
      this.#peers.delete(peer);
      if (line.size > 0) this.#peers.set(peer, line);
      return { peer, item };
    }
    return undefined;
  }

  /** Takes away the places of all that `keeps` is false for. */
  sift(keeps: (item: T) => boolean): void {
    for (const [peer, line] of this.#peers) {
      this.#size -= line.sift(keeps);
      if (line.size === 0) this.#peers.delete(peer);
    }
  }

  /** Takes away all places. */
  clear(): void {
    this.#peers.clear();
    this.#size = 0;
  }
}

// --- internal ---

/** Taken items that are still in the array: below, moving the others costs more than it frees. */
const TAKEN_MAX = 64;

/** One peer's places: an array whose start moves, since shifting moves every item each time. */
class Line<T> {
  #items: T[];
  #start = 0;
  #turns = 0;

  constructor(first: T) {
    this.#items = [first];
  }

  get size(): number {
    return this.#items.length - this.#start;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  /** Only while `size` > 0. */
  take(weight: ((item: T) => number) | null): T {
    this.#turns += 1;
    if (weight !== null && this.#turns % LONGEST_WAIT_EVERY !== 0) return this.#lightest(weight);
    const item = this.#items[this.#start] as T;
    this.#start += 1;
    if (this.#start > TAKEN_MAX && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start);
      this.#start = 0;
    }
    return item;
  }

  /** How many were taken away. */
  sift(keeps: (item: T) => boolean): number {
    const before = this.size;
    this.#items = this.#items.slice(this.#start).filter(keeps);
    this.#start = 0;
    return before - this.size;
  }

  // --- internal ---

  #lightest(weight: (item: T) => number): T {
    let best = this.#start;
    let least = Number.POSITIVE_INFINITY;
    for (let at = this.#start; at < this.#items.length; at++) {
      const now = weight(this.#items[at] as T);
      if (now >= least) continue;
      least = now;
      best = at;
    }
    return this.#items.splice(best, 1)[0] as T;
  }
}
