/**
 * Files whose reply leaves from the arena in one piece, head and content, beside the file that the
 * cache holds: for a door whose head tells the time, so that it is another one each second.
 * Bounded: PACKED_MAX slots; the oldest is let go for a new one, while who sends from it goes on.
 */
import { clock } from "../sys/clock.ts";
import type { Arena } from "./arena.ts";
import { DiskFile } from "./file.ts";

/** Slots, of at most 52 KiB each: 1.6 MiB. Who asks for more files at once has two calls each. */
const PACKED_MAX = 32;

/** In the order in which they were made. */
export class PackedFiles {
  readonly #arena: Arena;
  readonly #device: bigint;
  readonly #files: DiskFile[] = [];

  /** `device` is that of the store's root. */
  constructor(arena: Arena, device: bigint) {
    this.#arena = arena;
    this.#device = device;
  }

  /**
   * `file` with its whole content behind `head` in a slot, for as long as its `fd` is not -1; null
   * where the arena does not take it. Costs some 10 us.
   */
  add(file: DiskFile, head: Uint8Array): DiskFile | null {
    const slot = this.#arena.add(file, head);
    if (slot === null) return null;
    if (this.#files.length === PACKED_MAX) this.#files.shift()?.release();
    const packed = new DiskFile(file.stat, slot, clock.now, this.#device);
    this.#files.push(packed);
    return packed;
  }

  /** Lets all go. */
  clear(): void {
    for (const file of this.#files.splice(0)) file.release();
  }
}
