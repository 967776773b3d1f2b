/** A server's cache as `serv6 --cache` orders it, of objects that all have one size. */
import { S3Fifo } from "../../src/store/blocks/s3fifo.ts";
import type { Held } from "./fleet.ts";

/** With room for so many objects. */
export class ObjectCache implements Held {
  readonly #order: S3Fifo;
  readonly #slots = new Map<number, number>();
  /** What stands in each slot. */
  readonly #objects: Int32Array;

  constructor(room: number) {
    this.#order = new S3Fifo(room);
    this.#objects = new Int32Array(room);
  }

  asked(object: number): boolean {
    const held = this.#slots.get(object);
    if (held !== undefined) this.#order.use(held);
    else this.#put(object);
    return held !== undefined;
  }

  // --- internal ---

  #put(object: number): void {
    let slot = this.#slots.size;
    if (slot === this.#objects.length) {
      slot = this.#order.evict(() => false);
      this.#slots.delete(this.#objects[slot] ?? -1);
    }
    this.#slots.set(object, slot);
    this.#objects[slot] = object;
    this.#order.add(slot, 1, object);
  }
}
