/**
 * A read-through cache on a local disk, of blocks of objects that live behind a network. It owns
 * the table of what is where, the fills and the thread of the disk, and decides when it does
 * without the disk. Nothing here waits: readers are woken.
 *
 * What goes wrong with the disk costs nobody a byte: who reads is told to ask the origin, one line
 * says what happened, and after a while that grows the disk is tried again.
 */
import { tick } from "../../sys/clock.ts";
import { errnoName } from "../../sys/errno.ts";
import type { Entry } from "../../wire/entry.ts";
import { printableText } from "../../wire/printable.ts";
import { Backoff } from "./backoff.ts";
import { AHEAD_BLOCKS, Fill, type FillOwner, PIECES_PER_FILL } from "./fill.ts";
import { type CacheFolder, closeFolder, readRecords, sweepFolder } from "./folder.ts";
import type { WriteJob } from "./job.ts";
import { JobQueue } from "./jobqueue.ts";
import { BLOCK_BYTES, PIECE_BYTES } from "./layout.ts";
import type { ObjectOrigin } from "./origin.ts";
import { BlockReader, type ReaderOwner } from "./reader.ts";
import { BlockTable, type CachedObject, SLOT } from "./table.ts";
import type { MakeDisk } from "./thread.ts";

/**
 * Requests to the origin at once: each has 512 KiB of memory for what is on its way to the disk, 24
 * MiB in all. Who would need one more is served past the cache.
 */
export const FILLS_MAX = 48;

/** Blocks that one request asks for: 1 GiB. */
const SPAN_BLOCKS_MAX = 256;

/** A fill is joined by whoever wants a block that it reaches within so many. */
const JOIN_BLOCKS = 2 * AHEAD_BLOCKS;

/** A disk that takes longer for one job, or for one read, is done without, in milliseconds. */
export const SLOW_MS = 2000;

/** The origin may give nothing for so long, in milliseconds; then who waits for it fails. */
export const SILENT_MS = 15_000;

/**
 * So long a fill may wait for readers that are slower, in milliseconds, with its connection to the
 * origin open; then, or when another one needs its place, the rest is brought when they need it.
 */
export const PAUSED_MS = 5000;

/** What a cache holds and has done. */
export interface CacheFacts {
  readonly bytes: number;
  readonly blocks: number;
  /** Blocks that readers found, and such as they had to wait for. */
  readonly hits: number;
  readonly misses: number;
  /** Requests to the origin, and readers that were sent past the cache. */
  readonly fills: number;
  readonly bypasses: number;
  /** Requests that wait for slower readers now. */
  readonly paused: number;
  /** Blocks that had another checksum than the index said. */
  readonly wrong: number;
  /** True while nothing is added. */
  readonly off: boolean;
}

/** The cache in one folder. */
export class BlockCache implements FillOwner, ReaderOwner {
  readonly table: BlockTable<Fill>;
  hits = 0;
  misses = 0;
  fills = 0;
  bypasses = 0;
  wrong = 0;
  #folder: CacheFolder;
  readonly #say: (line: string) => void;
  readonly #jobs: JobQueue;
  readonly #bytes: Uint8Array;
  /** Places in the memory that no fill has. */
  readonly #places: number[];
  readonly #placeOf = new Map<Fill, number>();
  readonly #readers = new Set<BlockReader>();
  /** Who waits for a checksum, by slot. */
  readonly #checks = new Map<number, Set<BlockReader>>();
  readonly #origins = new WeakMap<CachedObject<Fill>, { origin: ObjectOrigin; size: number }>();
  readonly #backoff = new Backoff();
  #closed = false;

  /**
   * Takes over `folder`, for blocks of `capacity` bytes in all; blocks that are in it already are
   * checked when they are first asked for, and room that no block has is given back: some us a
   * block, at once. `say` is told what goes wrong.
   */
  constructor(
    folder: CacheFolder,
    capacity: number,
    makeDisk: MakeDisk,
    say: (line: string) => void,
    fillsMax = FILLS_MAX,
  ) {
    const memory = new SharedArrayBuffer(fillsMax * PIECES_PER_FILL * PIECE_BYTES);
    this.#bytes = new Uint8Array(memory);
    this.#places = Array.from({ length: fillsMax }, (_, nth) => nth);
    this.#folder = folder;
    this.#jobs = new JobQueue(folder, memory, makeDisk, () => this.#lost());
    this.#say = say;
    const drop = (slot: number): void => {
      this.#jobs.do({ op: "drop", slot }, (answer) => this.#noted(answer));
    };
    this.table = new BlockTable(folder.header.slots, capacity, drop);
    readRecords(folder, (slot, record) => void this.table.restore(slot, record));
    this.table.restored();
    this.#noted(sweepFolder(folder, (slot) => this.table.lengthOf(slot)));
  }

  get data(): number {
    return this.#closed ? -1 : this.#folder.data;
  }

  get off(): boolean {
    return this.#backoff.off;
  }

  get facts(): CacheFacts {
    const { hits, misses, fills, bypasses, wrong } = this;
    const { bytes, count: blocks } = this.table;
    const paused = [...this.#placeOf.keys()].filter(({ idle }) => idle).length;
    return {
      bytes,
      blocks,
      hits,
      misses,
      fills,
      bypasses,
      paused,
      wrong,
      off: this.#backoff.writesOff,
    };
  }

  /**
   * Begins to read `length` > 0 bytes from `start` of the object that `id` and `entry` tell, for a
   * connection of `peer`. `awake` is called when what it waited for is there or won't come, never
   * from inside a call of the reader. Null: the cache can't be used now.
   */
  read(
    id: Uint8Array,
    entry: Entry,
    origin: ObjectOrigin,
    range: { readonly start: number; readonly length: number },
    peer: string,
    awake: () => void,
  ): BlockReader | null {
    if (this.#backoff.off) {
      this.bypasses += 1;
      return null;
    }
    const object = this.table.object(id);
    if (!this.#origins.has(object)) this.#origins.set(object, { origin, size: Number(entry.size) });
    const reader = new BlockReader(this, object, entry, range.start, range.length, peer, awake);
    this.#readers.add(reader);
    return reader;
  }

  /** Looks after what takes too long. About once a second. */
  sweep(): void {
    const now = tick();
    const slow = this.#jobs.waited(now) > SLOW_MS;
    const stuck = [...this.#readers].some(
      ({ diskSince }) => diskSince > 0 && now - diskSince > SLOW_MS,
    );
    if (slow || stuck) this.#doWithout(`it has not answered for ${SLOW_MS / 1000} s`);
    for (const fill of [...this.#placeOf.keys()]) {
      if (!fill.held && now - fill.askedAt > SILENT_MS) fill.stop("failed");
      if (fill.pausedAt > 0 && now - fill.pausedAt > PAUSED_MS) fill.stop(null);
    }
    if (this.#backoff.off || this.#closed || !this.#jobs.idle) return;
    this.#jobs.do({ op: "epoch" }, (epoch) => this.#epochIs(epoch));
  }

  /** Ends all of it; nobody is told. */
  close(): void {
    if (this.#closed) return;
    for (const fill of [...this.#placeOf.keys()]) fill.stop("failed");
    this.#closed = true;
    this.#jobs.end();
    closeFolder(this.#folder);
  }

  // --- for readers ---

  fill(reader: BlockReader, block: number): Fill | null {
    const { object } = reader;
    const under = [...object.fills].find(
      (fill) => fill.block <= block && block * BLOCK_BYTES < fill.end,
    );
    if (under !== undefined && block - under.block <= JOIN_BLOCKS) {
      under.readers.add(reader);
      // It may wait for readers that are slower; this one needs what comes next.
      under.advanced();
      return under;
    }
    // A block whose last write is under way has no fill that brings it, and is awaited.
    const writing = this.#writing(object, block);
    if (writing !== null) {
      writing.readers.add(reader);
      return writing;
    }
    const known = this.#origins.get(object);
    const place = this.#backoff.writesOff ? undefined : this.#takePlace();
    if (place === undefined || known === undefined) {
      this.bypasses += 1;
      return null;
    }
    if (under !== undefined) under.end = block * BLOCK_BYTES;
    const end = this.#endOf(reader, block, known.size);
    const from = place * PIECES_PER_FILL * PIECE_BYTES;
    const fill = new Fill(object, known.size, block * BLOCK_BYTES, end, this.#bytes, from, this);
    this.fills += 1;
    this.#placeOf.set(fill, place);
    object.fills.add(fill);
    fill.readers.add(reader);
    fill.begin(known.origin);
    return fill;
  }

  entered(slot: number, missed: boolean): void {
    this.table.use(slot);
    if (missed) this.misses += 1;
    else this.hits += 1;
  }

  check(reader: BlockReader, slot: number): void {
    const waiting = this.#checks.get(slot);
    if (waiting !== undefined) {
      waiting.add(reader);
      return;
    }
    this.#checks.set(slot, new Set([reader]));
    const length = this.table.lengthOf(slot);
    const sum = this.table.sumOf(slot);
    this.table.pin(slot);
    this.#jobs.do({ op: "check", slot, length, sum }, (answer) => {
      if (answer === 1) this.table.checked(slot);
      else {
        if (answer === 0) this.wrong += 1;
        this.table.forget(slot);
      }
      this.table.unpin(slot);
      const readers = this.#checks.get(slot) ?? [];
      this.#checks.delete(slot);
      if (answer < 0) this.#doWithout(errnoName(-answer));
      for (const each of readers) each.filled();
    });
  }

  unreadable(slot: number): void {
    // What is still written into must not become another block's: its fill lets go of it.
    if (this.table.stateOf(slot) !== SLOT.filling) this.table.forget(slot);
    this.#doWithout("a block can't be read");
  }

  closed(reader: BlockReader): void {
    this.#readers.delete(reader);
  }

  // --- for fills ---

  place(object: CachedObject<Fill>, block: number, length: number): number {
    return this.#backoff.writesOff ? -1 : this.table.place(object, block, length);
  }

  write(job: WriteJob, done: (answer: number) => void): void {
    this.#jobs.do(job, done);
  }

  grown(slot: number, filled: number): void {
    this.table.grown(slot, filled);
    if (this.table.stateOf(slot) === SLOT.whole) this.#backoff.succeeded();
  }

  abandon(slot: number): void {
    this.table.forget(slot);
  }

  over(fill: Fill): void {
    fill.object.fills.delete(fill);
  }

  rests(fill: Fill): void {
    const place = this.#placeOf.get(fill);
    this.#placeOf.delete(fill);
    if (place !== undefined) this.#places.push(place);
    this.table.idle(fill.object);
  }

  failed(errno: number): void {
    this.#doWithout(errnoName(errno), true);
  }

  // --- internal ---

  #noted(answer: number): void {
    if (answer < 0) this.failed(-answer);
  }

  /** Memory for a fill; one that waits for slow readers gives way. */
  #takePlace(): number | undefined {
    if (this.#places.length === 0) {
      for (const fill of this.#placeOf.keys()) {
        if (!fill.idle) continue;
        fill.stop(null);
        break;
      }
    }
    return this.#places.pop();
  }

  /** The fill whose last writes belong to `block`. */
  #writing(object: CachedObject<Fill>, block: number): Fill | null {
    const slot = object.blocks.get(block);
    if (slot === undefined || this.table.stateOf(slot) !== SLOT.filling) return null;
    for (const fill of this.#placeOf.keys())
      if (fill.object === object && fill.has(slot)) return fill;
    return null;
  }

  /** Behind the last block that one request brings. */
  #endOf({ object, end }: BlockReader, block: number, size: number): number {
    const wanted = Math.min(Math.ceil(end / BLOCK_BYTES), block + SPAN_BLOCKS_MAX);
    let last = block + 1;
    while (last < wanted && !object.blocks.has(last)) last += 1;
    for (const { block: begun } of object.fills) if (begun > block) last = Math.min(last, begun);
    return Math.min(last * BLOCK_BYTES, size);
  }

  /**
   * Does without the disk for a while: who reads is served past it, or who has to wait for blocks
   * where only `filling` is what it can't do.
   */
  #doWithout(why: string, filling = false): void {
    const off = filling ? this.#backoff.writesOff : this.#backoff.off;
    if (this.#closed || off) return;
    const wait = this.#backoff.failed(filling);
    this.#tell(`${why}; ${filling ? "adding nothing to it" : "serving without it"} ${wait}`);
    this.#stopUses(filling);
  }

  #tell(what: string): void {
    this.#say(`cache ${printableText(this.#folder.label)}: ${what}`);
  }

  /** Ends what is under way, in an event of its own: a reader may have brought this about. */
  #stopUses(filling: boolean): void {
    const fills = [...this.#placeOf.keys()];
    setImmediate(() => {
      for (const fill of fills) fill.stop("bypass");
      if (filling) return;
      for (const reader of [...this.#readers]) if (reader.diskSince > 0) reader.giveUp();
      for (const readers of this.#checks.values()) for (const each of readers) each.giveUp();
    });
  }

  /**
   * Nothing that was sent to the disk is answered any more. Which slots were given back is unknown,
   * and what was not must not be written again while sockets may send it: the cache is over.
   */
  #lost(): void {
    this.#backoff.over = true;
    this.#tell("its thread has ended; serving without it from now on");
    this.#stopUses(false);
  }

  /** Another program has said that all is to be forgotten. */
  #epochIs(epoch: number): void {
    if (epoch < 0 || epoch === this.#folder.header.epoch) return;
    this.#folder = { ...this.#folder, header: { ...this.#folder.header, epoch } };
    this.table.forgetAll();
  }
}
