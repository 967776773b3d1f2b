/**
 * What the roots of several stores are, asked one after the other: nearly all stores know theirs at
 * once, and what has to be asked for is waited for, since a page that left a root out would say
 * that there is none.
 */
import type { Entry } from "../wire/entry.ts";
import type { Refusal } from "../wire/errors.ts";
import type { Store, Waiter } from "./store.ts";

/** What was told of each store, in their order. */
export type RootEntries = readonly (Entry | Refusal)[];

/** One such question. */
export class RootFolders implements Waiter {
  readonly #stores: readonly Store[];
  readonly #waiter: Waiter;
  readonly #told: (entries: RootEntries) => void;
  readonly #entries: (Entry | Refusal)[] = [];

  /** `told` is called where it takes longer, on behalf of `waiter`. */
  constructor(stores: readonly Store[], waiter: Waiter, told: (entries: RootEntries) => void) {
    this.#stores = stores;
    this.#waiter = waiter;
    this.#told = told;
  }

  /** The entries; or null: `told` is called later. Called once. */
  look(): RootEntries | null {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      const entry = next.stat("/", this);
      if (entry === null) return null;
      this.#entries.push(entry);
    }
    return this.#entries;
  }

  get gone(): boolean {
    return this.#waiter.gone;
  }

  get peer(): string {
    return this.#waiter.peer;
  }

  charge(requests: number): void {
    this.#waiter.charge(requests);
  }

  looked(entry: Entry | Refusal): void {
    this.#entries.push(entry);
    const entries = this.look();
    if (entries !== null) this.#told(entries);
  }

  crash(error: unknown): void {
    this.#waiter.crash(error);
  }

  /** Nothing else is asked. */
  opened(): void {}
  listed(): void {}
  digested(): void {}

  // --- internal ---

  get #next(): Store | undefined {
    return this.#stores[this.#entries.length];
  }
}
