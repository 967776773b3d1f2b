/**
 * Contents in memory that leave without being copied: a file of its own in memory
 * (memfd_create(2)), from which one sendfile(2) gives a reply's pages to the socket, head and
 * content in one piece. Of 16 KiB, write(2) copies for 3 us, and sendfile(2) from the disk's file
 * needs another call for the head: 7.3-7.9 and 7.4 us of processor time a request, from here 6.0.
 *
 * A slot is written once. Freed, its pages are taken out of the file, so that what sockets still
 * have to send stays as it was, and who gets the slot next gets new ones. That holds for single
 * pages: of a large one the kernel overwrites the freed part with zeros, while a socket sends it
 * (truncate_inode_partial_folio of mm/truncate.c; seen with shmem_enabled=always). So nothing is
 * held here where the kernel may use large pages, or makes no such file. How much is held is the
 * cache's business.
 */
import { shmemPagesAreSmall } from "../sys/hugepages.ts";
import { kernel } from "../sys/kernel.ts";
import { readFully } from "../sys/shortcount.ts";
import type { Content, DiskFile } from "./file.ts";
import { HEADROOM_BYTES } from "./store.ts";

/** Largest content held here, in bytes: above, sendfile(2) from the disk's file costs no more. */
export const ARENA_BYTES_MAX = 49_152;

const PAGE_BYTES = 4096;

/** From one slot to the next; what is not written takes no memory. */
const SLOT_BYTES = ARENA_BYTES_MAX + PAGE_BYTES;

/** What slots are filled from; made by the first. */
let scratch: Buffer | null = null;

/** One content, behind the head of its reply. */
export class Slot implements Content {
  readonly body = null;
  readonly live = false;
  readonly headAt: bigint;
  readonly base: bigint;
  readonly held: number;
  readonly #arena: Arena;
  readonly #index: number;

  /** `headBytes` and `size` are the head's and the content's. Made by the arena alone. */
  constructor(arena: Arena, index: number, headBytes: number, size: number) {
    this.#arena = arena;
    this.#index = index;
    this.headAt = BigInt(index) * BigInt(SLOT_BYTES);
    this.base = this.headAt + BigInt(headBytes);
    this.held = Math.ceil((headBytes + size) / PAGE_BYTES) * PAGE_BYTES;
  }

  get fd(): number {
    return this.#arena.fd;
  }

  close(): void {
    this.#arena.free(this.#index, this.held);
  }
}

/** The file in memory, made when it is first needed. */
export class Arena {
  #fd = -1;
  /** Something refused it: it would again. */
  #refused = false;
  #closed = false;
  #slots = 0;
  #used = 0;
  readonly #free: number[] = [];

  get fd(): number {
    return this.#fd;
  }

  /** Slots in use. */
  get used(): number {
    return this.#used;
  }

  /**
   * Puts `head`, of at most HEADROOM_BYTES, and the content of `file` into a slot. Null: it is too
   * large or not in memory, it does not hold still, or the kernel refused.
   */
  add(file: DiskFile, head: Uint8Array): Slot | null {
    const { size } = file.stat;
    if (this.#refused || size > BigInt(ARENA_BYTES_MAX) || head.length > HEADROOM_BYTES)
      return null;
    const count = Number(size);
    const length = head.length + count;
    scratch ??= Buffer.allocUnsafeSlow(HEADROOM_BYTES + ARENA_BYTES_MAX);
    scratch.set(head);
    if (kernel.resident(file.fd, file.base, count) === 0) return null;
    const got = readFully(file.fd, scratch.subarray(head.length, length), count, file.base);
    if (got !== count || file.revalidate() !== "same") return null;
    if (this.#fd < 0 && !this.#open()) return null;
    const slot = new Slot(this, this.#free.pop() ?? this.#slots++, head.length, count);
    this.#used += 1;
    if (kernel.pwrite(this.#fd, scratch, length, slot.headAt) === length) return slot;
    this.#refused = true;
    slot.close();
    return null;
  }

  /** Makes no more; the file is closed with the last slot. */
  close(): void {
    this.#refused = true;
    this.#closed = true;
    this.#end();
  }

  // --- for slots ---

  /** Nobody sends from the slot any more; what keeps its old pages is never written again. */
  free(index: number, bytes: number): void {
    const punched = kernel.punchHole(this.#fd, BigInt(index) * BigInt(SLOT_BYTES), bytes);
    if (punched === 0) this.#free.push(index);
    else this.#refused = true;
    this.#used -= 1;
    this.#end();
  }

  // --- internal ---

  /** Makes the file; false where there can be none that holds still. */
  #open(): boolean {
    if (shmemPagesAreSmall()) this.#fd = kernel.memfd("serv6");
    this.#refused = this.#fd < 0;
    return !this.#refused;
  }

  #end(): void {
    if (!this.#closed || this.#used > 0 || this.#fd < 0) return;
    kernel.close(this.#fd);
    this.#fd = -1;
  }
}
