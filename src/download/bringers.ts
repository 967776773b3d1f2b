/**
 * Who has brought a chunk: one bit a source. Where a chunk comes wrong it tells whether one source
 * alone is to blame. It sees no byte.
 */
import type { Plan } from "./plan.ts";
import type { Source } from "./source.ts";

/** Of one file with several sources. */
export class Bringers {
  readonly #plan: Plan;
  readonly #sources: readonly Source[];
  /** By chunk; SOURCES_MAX bits. */
  readonly #bits: Uint16Array;

  constructor(plan: Plan, sources: readonly Source[]) {
    this.#plan = plan;
    this.#sources = sources;
    this.#bits = new Uint16Array(plan.count);
  }

  /** `source` has brought `count` > 0 bytes from `offset` on. */
  mark(source: Source, offset: number, count: number): void {
    const bit = 1 << this.#sources.indexOf(source);
    const last = this.#plan.chunkOf(offset + count - 1);
    for (let index = this.#plan.chunkOf(offset); index <= last; index++) {
      this.#bits[index] = (this.#bits[index] ?? 0) | bit;
    }
  }

  /** Who has brought bytes of chunk `index`, which is forgotten by that: it comes anew. */
  take(index: number): Source[] {
    const bits = this.#bits[index] ?? 0;
    this.#bits[index] = 0;
    return this.#sources.filter((_source, nth) => (bits & (1 << nth)) !== 0);
  }
}
