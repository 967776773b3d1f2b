/**
 * One request to the origin for blocks of one version that follow each other, on their way into
 * their slots. Whoever wants one of them reads what has been written so far. It goes as fast as the
 * origin and the disk, whatever its readers take; it ends
 *
 *   - at its end, which may be drawn nearer to the next block that is here already;
 *   - behind the block in which its last reader left: so that who comes again finds a block;
 *   - when it waits for too long AHEAD_BLOCKS before its foremost reader, or another fill needs
 *     its place: a reader that is slower has the rest brought later;
 *   - when the origin fails (its readers fail with it), or the disk (they are served past it).
 */
import { tick } from "../../sys/clock.ts";
import type { Refusal } from "../../wire/errors.ts";
import { BLOCK_BYTES, PIECE_BYTES } from "./layout.ts";
import type { WriteJob } from "./job.ts";
import type { CachedObject } from "./table.ts";
import type { ObjectOrigin, OriginSink } from "./origin.ts";

/** Blocks that are brought ahead of the foremost reader: 16 MiB, 0.1 s of a fast line. */
export const AHEAD_BLOCKS = 4;

/** Pieces of one fill: one is written while the other is filled. */
export const PIECES_PER_FILL = 2;

/** Who reads what a fill brings. */
export interface FillReader {
  /** Where in the object it reads. */
  readonly position: number;
  /** More bytes can be read. */
  filled(): void;
  /** `fill` is over: by its end (null), or for that reason. */
  fillEnded(fill: Fill, why: FillEnd | null): void;
}

/** Why a fill did not come to its end: its origin's words, or the disk's. */
export type FillEnd = "failed" | "changed" | "bypass";

/** Who has fills. */
export interface FillOwner {
  /** A slot for a block of `length` bytes, or -1. */
  place(object: CachedObject<Fill>, block: number, length: number): number;
  /** Does `job`; tells `done` what came of it. */
  write(job: WriteJob, done: (answer: number) => void): void;
  /** So many bytes of the slot are written. */
  grown(slot: number, filled: number): void;
  /** What is in the slot won't be whole. */
  abandon(slot: number): void;
  /** It is over. Its pieces may still be written from. */
  over(fill: Fill): void;
  /** They are not any more. */
  rests(fill: Fill): void;
  /** A write has failed. */
  failed(errno: number): void;
}

/** The memory of a piece. */
interface Piece {
  /** Where in the shared memory. */
  readonly from: number;
  /** Bytes in it, and those that were given to the disk. */
  filled: number;
  posted: number;
  /** Where in the block it begins. */
  at: number;
  busy: boolean;
}

/** Blocks on their way. */
export class Fill implements OriginSink {
  readonly object: CachedObject<Fill>;
  /** Where the next byte of the origin belongs. */
  next: number;
  /** Where it ends: the end of a block, or of the object. */
  end: number;
  /** Since when the origin has been asked for the next bytes, in clock.now's milliseconds. */
  askedAt = tick();
  over = false;
  /** Since when it waits for its readers, in clock.now's milliseconds; 0: it does not. */
  pausedAt = 0;
  readonly readers = new Set<FillReader>();
  readonly #size: number;
  readonly #memory: Uint8Array;
  readonly #owner: FillOwner;
  readonly #abort = new AbortController();
  readonly #pieces: Piece[];
  #piece: Piece | null = null;
  #slot = -1;
  /** Writes without an answer. */
  #writes = 0;
  #rest: Uint8Array | null = null;
  #room: (() => void) | null = null;
  /** Behind what was asked for: there the origin ends by itself. */
  readonly #asked: number;
  /** A write has failed: what was written behind it is not whole either. */
  #torn = false;
  /** Slots of blocks whose last write has no answer yet. */
  readonly #closing = new Set<number>();
  #rested = false;

  /** Brings [start, end) of `object`, `size` bytes long. `from` is its part of `memory`. */
  constructor(
    object: CachedObject<Fill>,
    size: number,
    start: number,
    end: number,
    memory: Uint8Array,
    from: number,
    owner: FillOwner,
  ) {
    this.object = object;
    this.#size = size;
    this.next = start;
    this.end = end;
    this.#asked = end;
    this.#memory = memory;
    this.#owner = owner;
    this.#pieces = Array.from({ length: PIECES_PER_FILL }, (_, nth) => ({
      ...{ from: from + nth * PIECE_BYTES, filled: 0, posted: 0, at: 0, busy: false },
    }));
  }

  /** The block that is being brought. */
  get block(): number {
    return Math.floor(this.next / BLOCK_BYTES);
  }

  /** It is writing the block in `slot`. */
  has(slot: number): boolean {
    return slot === this.#slot || this.#closing.has(slot);
  }

  /** It waits for the disk or its readers, and not for the origin. */
  get held(): boolean {
    return this.#room !== null;
  }

  /**
   * It waits for its readers, and all it brought is written: its place is free once it is ended.
   */
  get idle(): boolean {
    return this.pausedAt > 0 && this.#writes === 0;
  }

  /** `reader` has come further: what waited for that goes on, in an event of its own. */
  advanced(): void {
    if (this.pausedAt === 0 || this.#isFar(AHEAD_BLOCKS / 2)) return;
    this.pausedAt = 0;
    setImmediate(() => {
      if (!this.over && this.#absorb()) this.#makeRoom();
    });
  }

  /** Asks the origin. A promise for each fill; none for each piece but those of the origin. */
  begin(origin: ObjectOrigin): void {
    const wanted = this.end - this.next;
    const ended = (refusal: Refusal | null): void => {
      if (this.over) return;
      const whole = refusal === null && this.next >= this.end;
      this.#stop(whole ? null : refusal?.code === "ESTALE" ? "changed" : "failed");
    };
    // Not within this call: what comes at once would wake who is just asking.
    void Promise.resolve()
      .then(() => origin.bring(this.next, wanted, this, this.#abort.signal))
      .then(ended, () => this.stop("failed"));
  }

  push(bytes: Uint8Array): Promise<void> | null {
    this.askedAt = tick();
    if (this.over || bytes.length === 0) return null;
    this.#rest = bytes;
    if (this.#absorb()) return null;
    return new Promise((room) => {
      this.#room = room;
    });
  }

  /** `reader` has gone. */
  leave(reader: FillReader): void {
    this.readers.delete(reader);
    if (this.pausedAt > 0 && this.readers.size === 0) this.stop(null);
  }

  /**
   * Ends it for a reason of its owner; null: who still needs some of it begins another. Where it
   * has come to its end, a disk that hangs may never say so of its last writes: nobody waits then.
   */
  stop(why: FillEnd | null): void {
    if (!this.over) this.#stop(why);
    else if (why === "bypass") this.#tell(why);
  }

  // --- internal ---

  /** Takes as much as there is room for; true when all of it was taken. */
  #absorb(): boolean {
    while (this.#rest !== null && !this.over) {
      if (this.pausedAt > 0) return false;
      if (this.#slot < 0 && !this.#enter()) return true;
      const piece = this.#piece ?? this.#nextPiece();
      if (piece === null) return false;
      const count = Math.min(this.#rest.length, this.#left(piece));
      this.#memory.set(this.#rest.subarray(0, count), piece.from + piece.filled);
      piece.filled += count;
      this.next += count;
      this.#rest = count === this.#rest.length ? null : this.#rest.subarray(count);
      if (this.#left(piece) === 0) this.#post(piece);
    }
    this.#postSome();
    return true;
  }

  /** Begins a block. */
  #enter(): boolean {
    const { block } = this;
    this.#slot = this.#owner.place(this.object, block, this.#lengthOf(block));
    if (this.#slot < 0) this.#stop("bypass");
    return this.#slot >= 0;
  }

  #lengthOf(block: number): number {
    return Math.min(BLOCK_BYTES, this.#size - block * BLOCK_BYTES);
  }

  #nextPiece(): Piece | null {
    const piece = this.#pieces.find(({ busy }) => !busy) ?? null;
    if (piece === null) return null;
    Object.assign(piece, { filled: 0, posted: 0, at: this.next % BLOCK_BYTES, busy: true });
    this.#piece = piece;
    return piece;
  }

  /** Bytes that still belong into `piece`. */
  #left({ at, filled }: Piece): number {
    const block = Math.floor((this.next - filled) / BLOCK_BYTES);
    return Math.min(PIECE_BYTES, this.#lengthOf(block) - at) - filled;
  }

  /** What has come leaves at once where the disk has nothing else to do for this fill. */
  #postSome(): void {
    const piece = this.#piece;
    if (piece !== null && this.#writes === 0 && piece.filled > piece.posted) this.#post(piece);
  }

  #post(piece: Piece): void {
    const slot = this.#slot;
    const { posted, filled } = piece;
    const full = this.#left(piece) === 0;
    const block = Math.floor((this.next - 1) / BLOCK_BYTES);
    const at = piece.at + posted;
    const last = piece.at + filled === this.#lengthOf(block);
    piece.posted = filled;
    if (full) this.#piece = null;
    if (last) {
      this.#slot = -1;
      this.#closing.add(slot);
    }
    this.#writes += 1;
    const job: WriteJob = {
      ...{ op: "write", slot, at, from: piece.from + posted, count: filled - posted },
      piece: full ? filled : 0,
      record: last ? { id: this.object.id, block } : null,
    };
    this.#owner.write(job, (answer) => {
      this.#writes -= 1;
      if (full) piece.busy = false;
      this.#written(slot, at + job.count, last, answer);
    });
    if (last) this.#atEdge();
  }

  #written(slot: number, filled: number, last: boolean, answer: number): void {
    if (last) this.#closing.delete(slot);
    if (answer < 0 && !this.#torn) {
      this.#torn = true;
      this.#owner.failed(-answer);
    }
    // A block that has its last write is not the current one any more.
    if (this.#torn && last) this.#owner.abandon(slot);
    else if (!this.#torn && (last || !this.over)) this.#owner.grown(slot, filled);
    if (this.#torn) this.stop("bypass");
    for (const reader of [...this.readers]) reader.filled();
    if (this.over) this.#rests();
    else if (this.#absorb()) this.#makeRoom();
  }

  /** A block is complete: does the next one have to come? */
  #atEdge(): void {
    const here = this.object.blocks.has(this.block);
    if (this.next >= this.end || this.readers.size === 0 || here) this.#stop(null);
    else if (this.#isFar(AHEAD_BLOCKS)) this.pausedAt = tick();
  }

  /** More than so many blocks are brought that none of its readers has come to. */
  #isFar(blocks: number): boolean {
    let foremost = 0;
    for (const { position } of this.readers) foremost = Math.max(foremost, position);
    return this.next - foremost > blocks * BLOCK_BYTES;
  }

  #makeRoom(): void {
    const room = this.#room;
    this.#room = null;
    if (room !== null) this.askedAt = tick();
    room?.();
  }

  #stop(why: FillEnd | null): void {
    this.over = true;
    this.pausedAt = 0;
    // Else its connection, which may be used again, would be lost.
    if (this.next < this.#asked) this.#abort.abort();
    this.#rest = null;
    this.#makeRoom();
    if (this.#slot >= 0) this.#owner.abandon(this.#slot);
    this.#slot = -1;
    this.#owner.over(this);
    if (why !== null) this.#tell(why);
    this.#rests();
  }

  /** Its last writes are done: the memory is free, and who reads to its end finds whole blocks. */
  #rests(): void {
    if (this.#writes > 0 || this.#rested) return;
    this.#rested = true;
    this.#owner.rests(this);
    this.#tell(null);
  }

  #tell(why: FillEnd | null): void {
    const readers = [...this.readers];
    this.readers.clear();
    for (const reader of readers) reader.fillEnded(this, why);
  }
}
