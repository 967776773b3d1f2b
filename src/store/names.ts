/**
 * Sorted names, held closely: blocks of names joined by "/", which no name has. A million names of
 * 16 bytes take 17 MB so, and 80 as strings of their own. Pure: nothing here touches a file.
 */
import type { ByteString } from "../wire/bytes.ts";

/** Names of one block: what finding a name takes apart, 20 us. */
const BLOCK_NAMES = 256;

const SEPARATOR = "/";

/** Names in ascending order of their bytes, each once. Written once, from the front. */
export class SortedNames {
  readonly #blocks: ByteString[] = [];
  #last: ByteString[] = [];
  #bytes = 0;

  /** The same as `names`, which are sorted; one that comes twice is taken once. */
  static of(names: readonly ByteString[]): SortedNames {
    const sorted = new SortedNames();
    for (const [nth, name] of names.entries()) if (name !== names[nth - 1]) sorted.push(name);
    sorted.end();
    return sorted;
  }

  /** Bytes of all names and what is between them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Blocks. */
  get length(): number {
    return this.#blocks.length;
  }

  /** Adds a name behind all others. */
  push(name: ByteString): void {
    this.#bytes += name.length + 1;
    if (this.#last.push(name) === BLOCK_NAMES) this.end();
  }

  /** No name follows: after it they can be read. */
  end(): void {
    if (this.#last.length > 0) this.#blocks.push(this.#last.join(SEPARATOR));
    this.#last = [];
  }

  /** The names of block `nth`; none where there is no such block. */
  block(nth: number): ByteString[] {
    return this.#blocks[nth]?.split(SEPARATOR) ?? [];
  }

  /** The first name of block `nth`. */
  first(nth: number): ByteString {
    const block = this.#blocks[nth] ?? "";
    const end = block.indexOf(SEPARATOR);
    return end < 0 ? block : block.slice(0, end);
  }
}

/** A place between two names. */
export class NameCursor {
  readonly #names: SortedNames;
  #nth = 0;
  #block: ByteString[];
  #at = 0;

  /** In front of the first name behind `after`; "" is in front of all. */
  constructor(names: SortedNames, after: ByteString) {
    this.#names = names;
    let above = names.length;
    while (this.#nth < above) {
      const middle = (this.#nth + above) >>> 1;
      if (names.first(middle) <= after) this.#nth = middle + 1;
      else above = middle;
    }
    this.#nth = Math.max(0, this.#nth - 1);
    this.#block = names.block(this.#nth);
    while ((this.next ?? "") <= after && this.next !== undefined) this.advance();
  }

  /** The next name, or undefined behind the last. */
  get next(): ByteString | undefined {
    return this.#block[this.#at];
  }

  /** The next names, `count` at most and at least one where there is one. */
  ahead(count: number): ByteString[] {
    return this.#block.slice(this.#at, this.#at + count);
  }

  /** Goes behind the next name. */
  advance(): void {
    this.#at += 1;
    if (this.#at < this.#block.length) return;
    this.#nth += 1;
    this.#block = this.#names.block(this.#nth);
    this.#at = 0;
  }
}

/** Two lists on their way to be one. */
export class Merge {
  readonly merged = new SortedNames();
  readonly #left: NameCursor;
  readonly #right: NameCursor;

  constructor(left: SortedNames, right: SortedNames) {
    this.#left = new NameCursor(left, "");
    this.#right = new NameCursor(right, "");
  }

  /** Moves at most `count` names; true when `merged` has all. What both have is once in it. */
  step(count: number): boolean {
    for (let moved = 0; moved < count; moved++) {
      const left = this.#left.next;
      const right = this.#right.next;
      const name = right === undefined || (left !== undefined && left <= right) ? left : right;
      if (name === undefined) {
        this.merged.end();
        return true;
      }
      if (name === left) this.#left.advance();
      if (name === right) this.#right.advance();
      this.merged.push(name);
    }
    return false;
  }
}
