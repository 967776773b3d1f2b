/**
 * A page of a folder above what a grant names: the names that lead there, and no other. They are
 * looked at one after the other, as the store answers.
 */
import type { EncodedPage, Store, Waiter } from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { type Entry, listLine } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { LookedUp } from "../store/onbehalf.ts";

/** One page on its way. */
export class PageAbove {
  readonly #store: Store;
  /** In front of each name: the folder's path and a slash. */
  readonly #start: ByteString;
  /** Names that are not looked at yet, the next one last. */
  readonly #names: ByteString[];
  readonly #limit: number;
  readonly #waiter: Waiter;
  readonly #later: LookedUp;
  #lines: ByteString[] = [];

  /** `names` are sorted; up to `limit` of them that are there make the page. */
  constructor(
    store: Store,
    start: ByteString,
    names: readonly ByteString[],
    limit: number,
    waiter: Waiter,
  ) {
    this.#store = store;
    this.#start = start;
    this.#names = names.toReversed();
    this.#limit = limit;
    this.#waiter = waiter;
    this.#later = new LookedUp(waiter, (entry) => {
      const page = this.#take(entry) ?? this.#look();
      if (page !== null) waiter.listed(page);
    });
  }

  /** Begins; the waiter is told later, never from inside this call. */
  begin(): void {
    const page = this.#look();
    if (page === null) return;
    setImmediate(() => {
      if (!this.#waiter.gone) this.#waiter.listed(page);
    });
  }

  // --- internal ---

  /** Looks at the next names: the page, or null while the store is asked. */
  #look(): EncodedPage | Refusal | null {
    for (;;) {
      const name = this.#names.at(-1);
      if (name === undefined) return this.#page(false);
      const entry = this.#store.stat(this.#start + name, this.#later);
      const page = entry === null ? null : this.#take(entry);
      if (entry === null || page !== null) return page;
    }
  }

  /** Takes what is known of the next name: the page where it ends here, else null. */
  #take(entry: Entry | Refusal): EncodedPage | Refusal | null {
    const name = this.#names.pop() ?? "";
    // A page that left out what can't be told now would say that it is not there.
    if (entry instanceof Refusal) return entry.code === "EBUSY" ? entry : null;
    if (this.#lines.length >= this.#limit) return this.#page(true);
    this.#lines.push(listLine(entry, name));
    return null;
  }

  #page(more: boolean): EncodedPage {
    const text = Buffer.from(this.#lines.join(""), "latin1");
    return { text, count: this.#lines.length, more, left: 0, id: "" };
  }
}
