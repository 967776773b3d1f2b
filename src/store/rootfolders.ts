/**
 * What the roots of several stores are, asked one after the other: nearly all stores know theirs at
 * once, and what has to be asked for is waited for, since a page that left a root out would say
 * that there is none.
 */
import type { Entry } from "../wire/entry.ts";
import type { Refusal } from "../wire/errors.ts";
import { LookedUp } from "./onbehalf.ts";
import type { Store, Waiter } from "./store.ts";

/** What was told of each store, in their order. */
export type RootEntries = readonly (Entry | Refusal)[];

/** One such question. */
export class RootFolders {
  readonly #stores: readonly Store[];
  readonly #later: LookedUp;
  readonly #entries: (Entry | Refusal)[] = [];

  /** `told` is called where it takes longer, on behalf of `waiter`. */
  constructor(stores: readonly Store[], waiter: Waiter, told: (entries: RootEntries) => void) {
    this.#stores = stores;
    this.#later = new LookedUp(waiter, (entry) => {
      this.#entries.push(entry);
      const entries = this.look();
      if (entries !== null) told(entries);
    });
  }

  /** The entries; or null: `told` is called later. */
  look(): RootEntries | null {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      const entry = next.stat("/", this.#later);
      if (entry === null) return null;
      this.#entries.push(entry);
    }
    return this.#entries;
  }

  // --- internal ---

  get #next(): Store | undefined {
    return this.#stores[this.#entries.length];
  }
}
