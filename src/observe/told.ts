/**
 * A text that one process writes and others read, in memory that they share: two places in turns,
 * so that whoever reads gets the last whole one, also of a writer that was killed while it wrote.
 */

/** Words in front: which place is the last whole one, counted on, and the lengths of both. */
const HEAD_WORDS = 4;

const encoder = new TextEncoder();

/** The text. */
export class Told {
  readonly #head: Int32Array;
  readonly #places: readonly Uint8Array[];

  /** `memory` has bytes(most) from `at` on; `most` is what a text may have. */
  constructor(memory: ArrayBuffer, at: number, most: number) {
    this.#head = new Int32Array(memory, at, HEAD_WORDS);
    const first = at + HEAD_WORDS * 4;
    this.#places = [first, first + most].map((place) => new Uint8Array(memory, place, most));
  }

  /** Bytes of memory for texts of at most `most`. */
  static bytes(most: number): number {
    return HEAD_WORDS * 4 + 2 * most;
  }

  /** Replaces the text; false, and the one before stays, where it is too long. */
  tell(text: string): boolean {
    const next = Atomics.load(this.#head, 0) + 1;
    const place = this.#places[next & 1]!;
    const { read, written } = encoder.encodeInto(text, place);
    if (read < text.length) return false;
    Atomics.store(this.#head, 1 + (next & 1), written);
    Atomics.store(this.#head, 0, next);
    return true;
  }

  /** What the text says, as JSON; null where it is none. */
  read(): unknown {
    const last = Atomics.load(this.#head, 0) & 1;
    const place = this.#places[last]!;
    const length = Math.min(place.length, Math.max(0, Atomics.load(this.#head, 1 + last)));
    try {
      return JSON.parse(new TextDecoder().decode(place.slice(0, length))) as unknown;
    } catch {
      return null;
    }
  }
}
