/**
 * What is done to the disk of a cache, one job after the other: by a thread of its own
 * (diskworker.ts), because each of these calls may wait for the disk. A block's record is written
 * behind its content, by the same thread, and not synced: after a power cut a record may be there
 * without its content, which then has another checksum than the record names (check).
 */
import { ERRNO } from "../../sys/errno.ts";
import { kernel } from "../../sys/kernel.ts";
import { readFully } from "../../sys/shortcount.ts";
import { type CacheFolder, headerIn } from "./folder.ts";
import {
  BLOCK_BYTES,
  PIECE_BYTES,
  RECORD_BYTES,
  recordAt,
  recordBytes,
  slotAt,
  sumOf,
} from "./layout.ts";

/** Writes `count` bytes of the shared memory into a slot. */
export interface WriteJob {
  readonly op: "write";
  readonly slot: number;
  /** Where in the block they belong. */
  readonly at: number;
  /** Where in the shared memory they are. */
  readonly from: number;
  readonly count: number;
  /** With them a piece is complete: the bytes behind `from + count - piece`. 0: it is not. */
  readonly piece: number;
  /** With them the block is complete: its record. */
  readonly record: { readonly id: Uint8Array; readonly block: number } | null;
}

/** Compares a block with its checksum. Answers 1: it is right, 0: it is not. */
export interface CheckJob {
  readonly op: "check";
  readonly slot: number;
  readonly length: number;
  readonly sum: bigint;
}

/** Forgets a block and gives its room back. */
export interface DropJob {
  readonly op: "drop";
  readonly slot: number;
}

/** Answers the epoch that the index has by now; another one is a header's "forget all". */
export interface EpochJob {
  readonly op: "epoch";
}

/** One of them. */
export type Job = WriteJob | CheckJob | DropJob | EpochJob;

const NO_RECORD = Buffer.alloc(RECORD_BYTES);

/** Does the jobs of one cache. */
export class JobDoer {
  #folder: Pick<CacheFolder, "index" | "data" | "header">;
  readonly #memory: Uint8Array;
  /** Sums of the pieces so far of blocks that are not complete. */
  readonly #sums = new Map<number, bigint>();
  /**
   * Slots that nothing is written into until they are given back: the last write failed, or they
   * could not be given back, so that what is in them may still be on its way into a socket.
   */
  readonly #stuck = new Set<number>();
  #buffer: Uint8Array | null = null;

  /** `memory` is where the bytes to be written are. */
  constructor(folder: Pick<CacheFolder, "index" | "data" | "header">, memory: Uint8Array) {
    this.#folder = folder;
    this.#memory = memory;
  }

  /** Does it: the job's result >= 0, or -errno. */
  do(job: Job): number {
    switch (job.op) {
      case "write":
        return this.#write(job);
      case "check":
        return this.#check(job);
      case "drop":
        return this.#drop(job.slot);
      case "epoch":
        return this.#epoch();
    }
  }

  // --- internal ---

  #write({ slot, at, from, count, piece, record }: WriteJob): number {
    if (this.#stuck.has(slot)) return -ERRNO.EIO;
    const answer = this.#writeAll(slot, at, this.#memory.subarray(from, from + count));
    if (answer < 0) {
      // Nothing of it becomes a block, whatever is written behind it.
      this.#stuck.add(slot);
      return answer;
    }
    if (at === 0) this.#sums.set(slot, this.#folder.header.salt);
    const end = from + count;
    if (piece > 0) {
      const before = this.#sums.get(slot) ?? this.#folder.header.salt;
      this.#sums.set(slot, sumOf(before, this.#memory.subarray(end - piece, end)));
    }
    if (record === null) return 0;
    const sum = this.#sums.get(slot) ?? 0n;
    this.#sums.delete(slot);
    const bytes = recordBytes({ ...record, length: at + count, sum }, slot, this.#folder.header);
    return this.#putRecord(slot, bytes);
  }

  /** All of it: a short count is a full disk. */
  #writeAll(slot: number, at: number, bytes: Uint8Array): number {
    for (let done = 0; done < bytes.length;) {
      const left = bytes.length - done;
      const where = slotAt(slot) + BigInt(at + done);
      const taken = kernel.pwrite(this.#folder.data, bytes.subarray(done), left, where);
      if (taken === -ERRNO.EINTR) continue;
      if (taken <= 0) return taken < 0 ? taken : -ERRNO.ENOSPC;
      done += taken;
    }
    return 0;
  }

  #check({ slot, length, sum }: CheckJob): number {
    this.#buffer ??= new Uint8Array(PIECE_BYTES);
    let seen = this.#folder.header.salt;
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const count = Math.min(PIECE_BYTES, length - at);
      const got = readFully(this.#folder.data, this.#buffer, count, slotAt(slot) + BigInt(at));
      if (got < 0) return got;
      if (got < count) return 0;
      seen = sumOf(seen, this.#buffer.subarray(0, count));
    }
    return seen === sum ? 1 : 0;
  }

  #drop(slot: number): number {
    this.#sums.delete(slot);
    // Also where its record can't be taken away: other content has another checksum.
    const recorded = this.#putRecord(slot, NO_RECORD);
    const punched = kernel.punchHole(this.#folder.data, slotAt(slot), BLOCK_BYTES);
    if (punched < 0) this.#stuck.add(slot);
    else this.#stuck.delete(slot);
    return punched < 0 ? punched : recorded;
  }

  #putRecord(slot: number, bytes: Uint8Array): number {
    const written = kernel.pwrite(this.#folder.index, bytes, bytes.length, recordAt(slot));
    return written === bytes.length ? 0 : written < 0 ? written : -ERRNO.ENOSPC;
  }

  #epoch(): number {
    const header = headerIn(this.#folder.index);
    if (header === null || header === "other") return -ERRNO.EIO;
    // What is written from now on is of the new one.
    this.#folder = { ...this.#folder, header };
    return header.epoch;
  }
}
