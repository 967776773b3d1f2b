/**
 * One range of one object on its way out of a cache: says which bytes can be sent next, from which
 * place on the disk, or what is awaited. It holds one block at a time and keeps that from being
 * evicted; a reader that stalls keeps 4 MiB.
 */
import type { Entry } from "../../wire/entry.ts";
import type { OpenFile } from "../store.ts";
import type { Fill, FillEnd, FillReader } from "./fill.ts";
import { BLOCK_BYTES, slotAt } from "./layout.ts";
import { type BlockTable, type CachedObject, SLOT } from "./table.ts";

/** What next() came to, beside bytes. */
export type Unread =
  /** Bytes are on their way: `awake` will be called. */
  | "wait"
  /** The cache can't give them: the origin is asked past it. */
  | "bypass"
  /** The origin has failed. */
  | "failed"
  /** This version is gone. */
  | "changed";

/** Who has readers. */
export interface ReaderOwner {
  readonly table: BlockTable<Fill>;
  /** The descriptor that blocks are in; -1 when it is closed. */
  readonly data: number;
  /** The disk is done without: what is asked of it may never be answered. */
  readonly off: boolean;
  /** Brings `block` for `reader`, which joins; null: it can't be brought. */
  fill(reader: BlockReader, block: number): Fill | null;
  /** Has the block in `slot` compared with its checksum, and wakes `reader` behind that. */
  check(reader: BlockReader, slot: number): void;
  /** A block begins to be read; `missed`: it had to be brought. */
  entered(slot: number, missed: boolean): void;
  /** Its bytes could not be read. */
  unreadable(slot: number): void;
  /** `reader` is closed. */
  closed(reader: BlockReader): void;
}

/** A block that is sent from, as the branches of send/ know files. */
export class BlockView implements OpenFile {
  readonly entry: Entry;
  readonly body = null;
  readonly headroom = 0;
  readonly source = null;
  readonly headAt = null;
  readonly base: bigint;
  readonly slot: number;
  head = null;
  reply = null;
  digest = null;
  residentUntil = 0;
  readonly #owner: ReaderOwner;
  #users = 0;

  /** `entry` is the object's. Kept in its slot while somebody has retained it. */
  constructor(owner: ReaderOwner, entry: Entry, slot: number) {
    this.entry = entry;
    this.slot = slot;
    this.base = slotAt(slot);
    this.#owner = owner;
  }

  get fd(): number {
    return this.#owner.data;
  }

  retain(): void {
    this.#users += 1;
    if (this.#users === 1) this.#owner.table.pin(this.slot);
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#owner.table.unpin(this.slot);
  }

  /** What is in a slot is not changed while it is kept. */
  revalidate(): "same" {
    return "same";
  }

  expire(): void {
    // A version is what it is.
  }
}

/** Reads `length` bytes of an object from `start`. */
export class BlockReader implements FillReader {
  readonly object: CachedObject<Fill>;
  readonly entry: Entry;
  readonly end: number;
  readonly peer: string;
  position: number;
  /**
   * Since when its branch waits for a read of the disk, in clock.now's milliseconds; 0: it does
   * not.
   */
  diskSince = 0;
  /** The disk does not answer: what waits for it must not go on. */
  stuck = false;
  /** How many bytes are in `view` from `position` on, as of the last next(). */
  available = 0;
  /** Where they are: from `view.base + position % BLOCK_BYTES` on. */
  view: BlockView | null = null;
  readonly #owner: ReaderOwner;
  readonly #awake: () => void;
  /** What brings the block that it waits for, and what brings those behind it. */
  #fill: Fill | null = null;
  #ahead: Fill | null = null;
  #ended: FillEnd | null = null;
  #waits = false;
  /** The last block that was not there when it was asked for. */
  #missed = -1;
  #closed = false;

  constructor(
    owner: ReaderOwner,
    object: CachedObject<Fill>,
    entry: Entry,
    start: number,
    length: number,
    peer: string,
    awake: () => void,
  ) {
    this.#owner = owner;
    this.object = object;
    this.entry = entry;
    this.position = start;
    this.end = start + length;
    this.peer = peer;
    this.#awake = awake;
    object.readers += 1;
  }

  /** Looks for the bytes at `position`: null, and they are `available` in `view`; or why not. */
  next(): Unread | null {
    if (this.#ended !== null) return this.#ended;
    if (this.#owner.off) return (this.#ended = "bypass");
    const block = Math.floor(this.position / BLOCK_BYTES);
    const slot = this.object.blocks.get(block) ?? -1;
    const { table } = this.#owner;
    const state = table.stateOf(slot);
    if (slot < 0 || state === SLOT.free) return this.#bring(block);
    if (state === SLOT.unchecked) {
      this.#waits = true;
      this.#owner.check(this, slot);
      return "wait";
    }
    const filled = table.filledOf(slot) - (this.position % BLOCK_BYTES);
    if (filled <= 0) return this.#bring(block);
    if (this.view?.slot !== slot) this.#enter(slot, block);
    this.available = Math.min(filled, this.end - this.position);
    return null;
  }

  /** `count` bytes were sent. The block that they came from may be evicted when it is done with. */
  take(count: number): void {
    this.position += count;
    if (this.position % BLOCK_BYTES === 0) this.view = null;
    if (this.#fill !== null && this.#fill.pausedAt > 0) this.#fill.advanced();
    if (this.#ahead !== null && this.#ahead.pausedAt > 0) this.#ahead.advanced();
  }

  /**
   * The bytes at `position` can't be read from the disk: they are asked of the origin from now on.
   */
  unreadable(): void {
    this.#leave();
    this.#ended ??= "bypass";
    if (this.view !== null) this.#owner.unreadable(this.view.slot);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waits = false;
    this.object.readers -= 1;
    this.#leave();
    this.#owner.closed(this);
    this.#owner.table.idle(this.object);
  }

  // --- its cache's ---

  /** Something that it waited for has come, or won't. */
  filled(): void {
    if (!this.#waits) return;
    this.#waits = false;
    this.#awake();
  }

  fillEnded(fill: Fill, why: FillEnd | null): void {
    // What fails ahead is met again when it is needed.
    if (fill === this.#ahead) this.#ahead = null;
    if (fill !== this.#fill) return;
    this.#fill = null;
    this.#ended ??= why;
    // In an event of its own: another reader, which is being asked, may have needed its place.
    if (this.#waits) setImmediate(() => this.filled());
  }

  /** The disk does not answer: the origin is asked, also where a branch waits for a read. */
  giveUp(): void {
    this.stuck = true;
    this.diskSince = 0;
    this.#leave();
    this.#ended ??= "bypass";
    this.#waits = false;
    this.#awake();
  }

  // --- internal ---

  #bring(block: number): Unread {
    const fill = this.#owner.fill(this, block);
    if (fill !== this.#fill) this.#fill?.leave(this);
    if (fill === this.#ahead) this.#ahead = null;
    this.#fill = fill;
    if (fill === null) return (this.#ended ??= "bypass");
    this.#missed = block;
    this.#waits = true;
    return "wait";
  }

  /** Begins to read a block: it counts as one use, and the one behind it is brought in time. */
  #enter(slot: number, block: number): void {
    this.view = new BlockView(this.#owner, this.entry, slot);
    this.#owner.entered(slot, block === this.#missed);
    const following = (block + 1) * BLOCK_BYTES;
    if (following >= this.end || this.object.blocks.has(block + 1)) return;
    // One that ends with this block, as those of digests do, would have it wait for a request.
    if (this.#fill !== null && !this.#fill.over && this.#fill.end > following) return;
    if (this.#ahead !== null && !this.#ahead.over) return;
    this.#ahead = this.#owner.fill(this, block + 1);
  }

  #leave(): void {
    this.#fill?.leave(this);
    this.#ahead?.leave(this);
    this.#fill = null;
    this.#ahead = null;
  }
}
