/**
 * Which block gives way: S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for
 * cache eviction", SOSP 2023). What is new stands in a small queue, a tenth of the bytes, and
 * leaves by its end unless it was used twice by then; the rest is one queue in which what was used
 * goes round again. So a scan, which uses everything once, flushes the small queue alone. SIEVE
 * (Zhang et al., NSDI 2024) is simpler, and its authors say that it does not withstand scans; a
 * server of files sees those with each mirror.
 *
 * Pure: slots are numbers, sizes are bytes. Each operation takes constant time; evict() may pass
 * over some that can't go.
 */

/** The small queue's part of all bytes, one in so many. */
const SMALL_PART = 10;

/** Uses that are counted of one slot (two bits, as in the paper). */
const USES_MAX = 3;

/** From so many uses on a slot of the small queue is kept. */
const KEPT_USES = 2;

/**
 * Slots passed over in one evict() before it gives up, in all: what is being filled or sent can't
 * go. At most 30 us.
 */
export const PASSED_MAX = 4096;

const NONE = -1;
const SMALL = 1;
const MAIN = 2;

/** A queue of slots, linked by numbers. */
interface Queue {
  head: number;
  tail: number;
  bytes: number;
}

/** The order of a cache of `slots` slots. */
export class S3Fifo {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #sizes: Int32Array;
  readonly #uses: Uint8Array;
  readonly #where: Uint8Array;
  readonly #keys: Float64Array;
  readonly #small: Queue = { head: NONE, tail: NONE, bytes: 0 };
  readonly #main: Queue = { head: NONE, tail: NONE, bytes: 0 };
  /** Keys of what left the small queue, the oldest first: no more than slots stand in it. */
  readonly #ghosts = new Set<number>();
  #count = 0;

  constructor(slots: number) {
    this.#next = new Int32Array(slots).fill(NONE);
    this.#previous = new Int32Array(slots).fill(NONE);
    this.#sizes = new Int32Array(slots);
    this.#uses = new Uint8Array(slots);
    this.#where = new Uint8Array(slots);
    this.#keys = new Float64Array(slots);
  }

  /** Bytes of all slots that stand in it. */
  get bytes(): number {
    return this.#small.bytes + this.#main.bytes;
  }

  /** Slots that stand in it. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds `slot`, which does not stand in it, with `bytes` of content known as `key` (any number).
   * It is kept from the start where its key has left not long ago.
   */
  add(slot: number, bytes: number, key: number): void {
    this.#sizes[slot] = bytes;
    this.#uses[slot] = 0;
    this.#keys[slot] = key;
    this.#count += 1;
    this.#push(this.#ghosts.delete(key) ? MAIN : SMALL, slot);
  }

  /** Notes a use. */
  use(slot: number): void {
    const uses = this.#uses[slot] ?? 0;
    if (uses < USES_MAX) this.#uses[slot] = uses + 1;
  }

  /** Takes `slot` out for another reason than room; nothing where it does not stand in it. */
  remove(slot: number): void {
    if (this.#where[slot] === 0) return;
    this.#take(slot);
    this.#count -= 1;
  }

  /** The slot that goes, taken out; -1: none of those looked at can. `held` says which can't. */
  evict(held: (slot: number) => boolean): number {
    for (let passed = 0; passed < PASSED_MAX && this.#count > 0; passed++) {
      const small = this.#small.bytes * SMALL_PART >= this.bytes || this.#main.tail === NONE;
      const slot = small ? this.#small.tail : this.#main.tail;
      const uses = this.#uses[slot] ?? 0;
      this.#take(slot);
      if (held(slot)) {
        this.#push(small ? SMALL : MAIN, slot);
      } else if (small && uses >= KEPT_USES) {
        this.#uses[slot] = 0;
        this.#push(MAIN, slot);
      } else if (!small && uses > 0) {
        this.#uses[slot] = uses - 1;
        this.#push(MAIN, slot);
      } else {
        this.#count -= 1;
        if (small) this.#remember(this.#keys[slot] ?? 0);
        return slot;
      }
    }
    return NONE;
  }

  // --- internal ---

  #queue(where: number): Queue {
    return where === SMALL ? this.#small : this.#main;
  }

  /** Puts it at the head: tails go first. */
  #push(where: number, slot: number): void {
    const queue = this.#queue(where);
    this.#where[slot] = where;
    this.#next[slot] = queue.head;
    this.#previous[slot] = NONE;
    if (queue.head === NONE) queue.tail = slot;
    else this.#previous[queue.head] = slot;
    queue.head = slot;
    queue.bytes += this.#sizes[slot] ?? 0;
  }

  #take(slot: number): void {
    const queue = this.#queue(this.#where[slot] ?? 0);
    const next = this.#next[slot] ?? NONE;
    const previous = this.#previous[slot] ?? NONE;
    if (previous === NONE) queue.head = next;
    else this.#next[previous] = next;
    if (next === NONE) queue.tail = previous;
    else this.#previous[next] = previous;
    this.#where[slot] = 0;
    queue.bytes -= this.#sizes[slot] ?? 0;
  }

  #remember(key: number): void {
    this.#ghosts.add(key);
    for (const oldest of this.#ghosts) {
      if (this.#ghosts.size <= this.#count) return;
      this.#ghosts.delete(oldest);
    }
  }
}
