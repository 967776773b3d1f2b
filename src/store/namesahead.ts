/**
 * What a page of a folder looks at next, brought into memory by the thread for looks where it is
 * not there. Asking of each name whether it is would cost more than looking at it, so that two of
 * each step are asked about, and time tells of the others: a look that takes long has met the disk.
 */
import { kernel } from "../sys/kernel.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { PageLines } from "./lines.ts";
import type { Looks } from "./looks.ts";
import { COLD, type Root } from "./root.ts";

/**
 * A look in memory takes 5 us; after one over so many milliseconds the next ones are the thread's.
 * Reading the clock costs a look 1 %: so a page holds the loop for one look-up from disk.
 */
const SLOW_MS = 1;

/** What the thread needs for a name that is in memory, with room, in microseconds. */
const MEMORY_US = 20;

/**
 * Looks at `names` of the open `folder`, which ready() was asked about, and tells `looked` of each
 * that is done: "looks" while there is room for more, "done", or the -errno that ends the page.
 */
export function lookAt(
  folder: number,
  lines: PageLines,
  names: readonly ByteString[],
  ahead: NamesAhead | null,
  looked: () => void,
): "looks" | "done" | number {
  let since = performance.now();
  for (const name of names) {
    if (lines.full) return "done";
    const failed = lines.add(folder, name, ahead === null || ahead.brought(name));
    if (failed === COLD && ahead !== null) {
      ahead.meetsCold();
      return "looks";
    }
    if (failed < 0) return failed;
    looked();
    if (ahead === null) continue;
    const now = performance.now();
    if (ahead.isSlow(now - since)) return "looks";
    since = now;
  }
  return "looks";
}

/** The names of one page. */
export class NamesAhead {
  readonly #looks: Looks;
  readonly #root: Root;
  readonly #peer: string;
  readonly #wake: () => void;
  #cold = false;
  /** All names up to this one were brought. */
  #brought: ByteString = "";
  #closed = false;

  /** `wake` is told when what ready() answered false for is there. */
  constructor(looks: Looks, root: Root, peer: string, wake: () => void) {
    this.#looks = looks;
    this.#root = root;
    this.#peer = peer;
    this.#wake = wake;
  }

  /**
   * Whether `names`, the next ones of the open `folder` in ascending order, may be looked at now.
   * `prefix` makes them paths.
   */
  ready(folder: number, prefix: ByteString, names: readonly ByteString[]): boolean {
    const first = names[0] ?? "";
    if (first <= this.#brought) return true;
    const middle = names[names.length >> 1] ?? first;
    const cold = (name: ByteString): boolean => !this.#root.isCached(folder, name);
    if (!this.#cold && !cold(first) && !cold(middle)) return true;
    this.#ask(folder, prefix, names);
    return false;
  }

  /** True when `name` was brought into memory: what it is now is what is told. */
  brought(name: ByteString): boolean {
    return name <= this.#brought;
  }

  /** A look took `ms`; true when the disk was met, and ready() is to be asked. */
  isSlow(ms: number): boolean {
    if (ms < SLOW_MS) return false;
    this.#cold = true;
    return true;
  }

  /** The next name is not in memory. */
  meetsCold(): void {
    this.#cold = true;
  }

  /** Nobody waits any more. */
  close(): void {
    this.#closed = true;
  }

  // --- internal ---

  #ask(folder: number, prefix: ByteString, names: readonly ByteString[]): void {
    // The thread has its own: the page may be closed meanwhile.
    let own = -1;
    const letGo = (): void => {
      if (own >= 0) kernel.close(own);
      own = -1;
    };
    const closed = (): boolean => this.#closed;
    this.#looks.add({
      peer: this.#peer,
      get gone() {
        return closed();
      },
      ask: () => {
        own = kernel.duplicate(folder);
        // Without one nothing is brought, and the loop waits.
        return { kind: "names", folder: own, prefix, names: own < 0 ? [] : names };
      },
      answered: (answer) => {
        letGo();
        this.#brought = names.at(-1) ?? "";
        this.#cold = Number(answer) > names.length * MEMORY_US;
        if (!closed()) this.#wake();
      },
      // As in FolderPage; it is asked again.
      crash: () => {
        letGo();
        this.#wake();
      },
    });
  }
}
