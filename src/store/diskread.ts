/**
 * Reading off the loop: the one place from which bytes of files come into memory while others are
 * served. Whoever needs bytes asks isResident() first, and reads here what is not there:
 *
 *   prefetch.ts        a small file, whole, before it is opened
 *   send/sendfile.ts   readahead: the next bytes of a file that is being sent
 *   send/copy.ts       windows: the bytes themselves, on their way into a socket
 *
 * The reads are fs.read by position on Bun's pool of threads. Positional, because `Bun.file(fd)`
 * slices share the file position and mix bytes (seen in 41 of 200 concurrent slices). For the first
 * two nobody looks at the bytes: the kernel has the pages then, and all these reads go into one
 * buffer. It owns no descriptor: who asks keeps it open until the read has ended.
 */
import fs from "node:fs";
import { FairQueue } from "../guard/fairqueue.ts";
import { kernel } from "../sys/kernel.ts";

/**
 * Bytes of one call: large enough that a disk streams, small enough to be given up soon. Readahead
 * asks for no more at a time: what came in lumps of 2 MiB left in lumps, and held others up.
 */
export const READ_BYTES = 524_288;

/**
 * How long bytes that were seen in memory are believed to be there, in milliseconds. A look costs
 * 0.4 us, so that a hundred a second of a hot file cost nothing; where memory is short, what was
 * believed for a second was gone, and sendfile(2) made everybody wait for the disk.
 */
export const RESIDENT_MS = 10;

/**
 * Reads under way at once, by what they are for. The pool takes them in the order they came and has
 * about a thread a core, so that each kind waits behind no more than the shares of the others: a
 * slow disk under large files delays a small file by four reads and not by a queue. Four keep a
 * disk busy. Windows are also read where the bytes are in memory, 30 us each: sixteen are 4 MiB
 * between two rounds of the loop, more than a socket takes of them.
 */
export const READS_MAX = { prefetch: 4, readahead: 4, window: 16 } as const;

/**
 * Whether the `length` bytes of `fd` at `offset` are in memory, one byte unless told, so that
 * reading them would not wait for the disk. True also where that can't be told.
 */
export function isResident(fd: number, offset: bigint, length?: number): boolean {
  return kernel.resident(fd, offset, length) !== 0;
}

/** Whose bytes are read. The descriptor is asked for at each call. */
export interface Readable {
  readonly fd: number;
}

/** Told when a read has ended: the bytes that came, fewer at the file's end or where it failed. */
export type ReadDone = (count: number, failed: boolean) => void;

/** A range on its way into memory. */
export class DiskRead {
  readonly #share: ReadShare;
  readonly #source: Readable;
  readonly #into: Uint8Array | null;
  readonly #length: number;
  readonly #offset: bigint;
  readonly #done: ReadDone;
  #count = 0;
  #begun = false;
  #dropped = false;

  /** For ReadShare alone. */
  constructor(
    share: ReadShare,
    source: Readable,
    into: Uint8Array | null,
    length: number,
    offset: bigint,
    done: ReadDone,
  ) {
    this.#share = share;
    this.#source = source;
    this.#into = into;
    this.#length = length;
    this.#offset = offset;
    this.#done = done;
  }

  /** Nobody waits for it any more. */
  get dropped(): boolean {
    return this.#dropped;
  }

  /**
   * Nobody waits any more: no further call is made. True when none was: `done` is never told then.
   * Else it is told when the call under way has ended.
   */
  drop(): boolean {
    this.#dropped = true;
    if (this.#begun) return false;
    this.#share.forget();
    return true;
  }

  /** Makes one call after the other until all has come. */
  run(): void {
    this.#begun = true;
    const from = this.#into === null ? 0 : this.#count;
    const into = this.#into ?? (discarded ??= Buffer.allocUnsafeSlow(READ_BYTES));
    const wanted = Math.min(READ_BYTES, this.#length - this.#count);
    const at = this.#offset + BigInt(this.#count);
    fs.read(this.#source.fd, into, from, wanted, at, (error, got) => {
      const failed = error !== null;
      if (!failed) this.#count += got;
      // A short count alone is not the end of a file.
      const ended = failed || got === 0 || this.#count === this.#length;
      if (!ended && !this.#dropped) {
        this.run();
        return;
      }
      this.#share.ended();
      this.#done(this.#count, failed);
    });
  }
}

/** What reads go into whose bytes nobody looks at; made by the first. */
let discarded: Buffer | null = null;

/** So many that nobody waits for may stand in a queue before they are looked for. */
const DROPPED_MAX = 256;

/** The reads of one kind: so many at once, the others wait, and peers that wait take turns. */
export class ReadShare {
  readonly #most: number;
  readonly #waiting = new FairQueue<DiskRead>();
  /** Reads in the queue that were dropped. */
  #dropped = 0;
  #running = 0;

  /** At most `most` reads at once. */
  constructor(most: number) {
    this.#most = most;
  }

  /** True when another read would have to wait. */
  get full(): boolean {
    return this.#running >= this.#most;
  }

  /** Reads in the queue, those that were dropped without being taken out of it included. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Reads `length` > 0 bytes of `source` from `offset` into the start of `into`, or for their pages
   * alone where that is null, for a connection of `peer`; then tells `done`, never from inside this
   * call. The queue has a place for each that asks: callers bound it, by the number of connections.
   */
  read(
    peer: string,
    source: Readable,
    into: Uint8Array | null,
    length: number,
    offset: bigint,
    done: ReadDone,
  ): DiskRead {
    const read = new DiskRead(this, source, into, length, offset, done);
    if (this.full) this.#waiting.add(peer, read);
    else this.#begin(read);
    return read;
  }

  /** A read of this share has ended. */
  ended(): void {
    this.#running -= 1;
    while (!this.full) {
      const read = this.#waiting.take()?.item;
      if (read === undefined) return;
      if (read.dropped) this.#dropped -= 1;
      else this.#begin(read);
    }
  }

  /** A read in the queue was dropped. A disk that hangs must not gather those who came and left. */
  forget(): void {
    this.#dropped += 1;
    if (this.#dropped <= Math.max(DROPPED_MAX, this.#waiting.size / 2)) return;
    this.#waiting.sift((read) => !read.dropped);
    this.#dropped = 0;
  }

  // --- internal ---

  #begin(read: DiskRead): void {
    this.#running += 1;
    read.run();
  }
}

/** The program's readahead: the pool of threads is one as well. */
export const readaheads = new ReadShare(READS_MAX.readahead);

/** The program's windows. */
export const windows = new ReadShare(READS_MAX.window);
