/**
 * Which block is in which slot, and how much of it: the memory of a cache. It bounds what all of
 * them take of the disk; a block that is being filled counts as whole. It touches no file: who uses
 * it is told which slots to give back.
 */
import { type BlockRecord, ID_BYTES, roomOf } from "./layout.ts";
import { S3Fifo } from "./s3fifo.ts";

/** What is in a slot. */
export const SLOT = {
  free: 0,
  /** As many bytes as are `filled`. */
  filling: 1,
  /** All of it, as the index says: not compared with its checksum since the start. */
  unchecked: 2,
  /** All of it. */
  whole: 3,
} as const;

/** One of SLOT. */
export type SlotState = (typeof SLOT)[keyof typeof SLOT];

/** The blocks of one version of an object. */
export class CachedObject<F = unknown> {
  /** ID_BYTES. */
  readonly id: Uint8Array;
  /** Slots by the number of the block. */
  readonly blocks = new Map<number, number>();
  /** Those who bring blocks of it. */
  readonly fills = new Set<F>();
  /** Those who read it now. */
  readers = 0;

  constructor(id: Uint8Array) {
    this.id = id;
  }

  /** Nothing needs it. */
  get idle(): boolean {
    return this.readers === 0 && this.blocks.size === 0 && this.fills.size === 0;
  }
}

/** The slots of a cache. */
export class BlockTable<F = unknown> {
  readonly #capacity: number;
  readonly #slots: number;
  readonly #drop: (slot: number) => void;
  readonly #order: S3Fifo;
  readonly #objects = new Map<string, CachedObject<F>>();
  readonly #states: Uint8Array;
  readonly #lengths: Int32Array;
  readonly #filled: Int32Array;
  readonly #pins: Int32Array;
  readonly #numbers: Int32Array;
  /** Whose block is in a slot. */
  readonly #owners: (CachedObject<F> | undefined)[] = [];
  /** Checksums of blocks that are unchecked. */
  readonly #sums = new Map<number, bigint>();
  readonly #free: number[] = [];
  /** Slots from here on were never used. */
  #fresh = 0;

  /** For `capacity` bytes in `slots` slots; `drop` is told what is to be given back at once. */
  constructor(slots: number, capacity: number, drop: (slot: number) => void) {
    this.#slots = slots;
    this.#capacity = capacity;
    this.#drop = drop;
    this.#order = new S3Fifo(slots);
    this.#states = new Uint8Array(slots);
    this.#lengths = new Int32Array(slots);
    this.#filled = new Int32Array(slots);
    this.#pins = new Int32Array(slots);
    this.#numbers = new Int32Array(slots);
  }

  /** Bytes of the disk that blocks take, those that are being filled as whole ones. */
  get bytes(): number {
    return this.#order.bytes;
  }

  /** Blocks, those that are being filled too. */
  get count(): number {
    return this.#order.count;
  }

  /** The version that `id` names. Dropped by idle(). */
  object(id: Uint8Array): CachedObject<F> {
    const key = Buffer.from(id.buffer, id.byteOffset, ID_BYTES).toString("latin1");
    const known = this.#objects.get(key);
    if (known !== undefined) return known;
    const made = new CachedObject<F>(id);
    this.#objects.set(key, made);
    return made;
  }

  /** Lets go of `object` where nothing needs it. */
  idle(object: CachedObject<F>): void {
    const key = Buffer.from(object.id).toString("latin1");
    // A fill that outlives its object lets go of it a second time: another may be known by then.
    if (object.idle && this.#objects.get(key) === object) this.#objects.delete(key);
  }

  stateOf(slot: number): SlotState {
    return (this.#states[slot] ?? SLOT.free) as SlotState;
  }

  /** Bytes that can be read. */
  filledOf(slot: number): number {
    return this.#filled[slot] ?? 0;
  }

  /** Bytes that its block has, or will have; 0: it has none. */
  lengthOf(slot: number): number {
    return this.#lengths[slot] ?? 0;
  }

  sumOf(slot: number): bigint {
    return this.#sums.get(slot) ?? 0n;
  }

  /** Notes that a block is asked for. */
  use(slot: number): void {
    this.#order.use(slot);
  }

  /** Keeps the block in its slot until unpin(). */
  pin(slot: number): void {
    this.#pins[slot] = (this.#pins[slot] ?? 0) + 1;
  }

  unpin(slot: number): void {
    this.#pins[slot] = (this.#pins[slot] ?? 0) - 1;
    if (this.#pins[slot] === 0 && this.#states[slot] === SLOT.free) this.#giveBack(slot);
  }

  /** Puts back what the index says of `slot`; false where there is no room for it. */
  restore(slot: number, { id, block, length, sum }: BlockRecord): boolean {
    const object = this.object(id);
    const taken = object.blocks.has(block) || this.stateOf(slot) !== SLOT.free;
    if (taken || this.bytes + roomOf(length) > this.#capacity) {
      this.idle(object);
      return false;
    }
    while (this.#fresh <= slot) this.#free.push(this.#fresh++);
    this.#put(object, block, slot, length);
    this.#states[slot] = SLOT.unchecked;
    this.#filled[slot] = length;
    this.#sums.set(slot, sum);
    return true;
  }

  /** After the last restore(): which slots are free. */
  restored(): void {
    const free = this.#free.filter((slot) => this.#states[slot] === SLOT.free);
    this.#free.length = 0;
    for (const slot of free.reverse()) this.#free.push(slot);
  }

  /**
   * A slot to fill with `block` of `object`, which is `length` bytes; others give way. -1: none
   * can, as those that are filled or sent. One that has a slot, or would not fit at all, gets none.
   */
  place(object: CachedObject<F>, block: number, length: number): number {
    const room = roomOf(length);
    if (room > this.#capacity || object.blocks.has(block)) return -1;
    while (this.bytes + room > this.#capacity || !this.#hasFree) {
      const victim = this.#order.evict((slot) => this.#isHeld(slot));
      if (victim < 0) return -1;
      this.#forget(victim);
    }
    const slot = this.#free.pop() ?? this.#fresh++;
    this.#put(object, block, slot, length);
    this.#states[slot] = SLOT.filling;
    return slot;
  }

  /** So many bytes of a block that is being filled can be read; all of them: it is whole. */
  grown(slot: number, filled: number): void {
    this.#filled[slot] = filled;
    if (filled === this.#lengths[slot]) this.#states[slot] = SLOT.whole;
  }

  /**
   * A block has the checksum that the index names; nothing for one that was forgotten meanwhile.
   */
  checked(slot: number): void {
    if (this.#states[slot] !== SLOT.unchecked) return;
    this.#sums.delete(slot);
    this.#states[slot] = SLOT.whole;
  }

  /**
   * Forgets a block: nobody is given it any more. Its room is given back when nobody sends of it.
   */
  forget(slot: number): void {
    if (this.stateOf(slot) === SLOT.free) return;
    this.#order.remove(slot);
    this.#forget(slot);
  }

  /** Forgets all that are not being filled. */
  forgetAll(): void {
    for (let slot = 0; slot < this.#fresh; slot++) {
      if (this.stateOf(slot) !== SLOT.filling) this.forget(slot);
    }
  }

  // --- internal ---

  get #hasFree(): boolean {
    return this.#free.length > 0 || this.#fresh < this.#slots;
  }

  #isHeld(slot: number): boolean {
    return (this.#pins[slot] ?? 0) > 0 || this.#states[slot] === SLOT.filling;
  }

  #put(object: CachedObject<F>, block: number, slot: number, length: number): void {
    object.blocks.set(block, slot);
    this.#owners[slot] = object;
    this.#numbers[slot] = block;
    this.#lengths[slot] = length;
    this.#filled[slot] = 0;
    this.#order.add(slot, roomOf(length), keyOf(object.id, block));
  }

  #forget(slot: number): void {
    const object = this.#owners[slot];
    const block = this.#numbers[slot] ?? 0;
    this.#owners[slot] = undefined;
    this.#states[slot] = SLOT.free;
    this.#lengths[slot] = 0;
    this.#filled[slot] = 0;
    this.#sums.delete(slot);
    if (object?.blocks.get(block) === slot) object.blocks.delete(block);
    if (object !== undefined) this.idle(object);
    if ((this.#pins[slot] ?? 0) === 0) this.#giveBack(slot);
  }

  #giveBack(slot: number): void {
    this.#drop(slot);
    this.#free.push(slot);
  }
}

// --- internal ---

/** A number for a block, of 52 bits. */
function keyOf(id: Uint8Array, block: number): number {
  return Number(Bun.hash.xxHash3(id, BigInt(block)) >> 12n);
}
