/**
 * Directories wait their turn to be read. A few pages are open at once, one of them moves one step
 * in each round of the loop: however many clients list, memory, descriptors and the time others
 * wait stay what they are for one.
 */
import { refusalOf } from "./refusal.ts";
import type { DirectoryPage } from "./directory.ts";
import type { Waiter } from "./store.ts";
import type { ByteString } from "../wire/bytes.ts";

/**
 * Pages that are being made at once. One would do; more keep a short one from a long one's tail.
 */
const OPEN_MAX = 4;

/** A page that somebody waits for. */
interface Wanted {
  readonly path: ByteString;
  readonly waiter: Waiter;
  /** Opens the directory: the page, or -errno. */
  readonly open: () => DirectoryPage | number;
}

/** The queue of a store. Bounded by the number of connections: each waits for one page at most. */
export class Pages {
  readonly #waiting: Wanted[] = [];
  readonly #making: { readonly wanted: Wanted; readonly page: DirectoryPage }[] = [];
  #armed = false;
  readonly #round = (): void => this.#step();

  /** `waiter.answered` is called later, unless it is gone by then. */
  add(path: ByteString, waiter: Waiter, open: () => DirectoryPage | number): void {
    this.#waiting.push({ path, waiter, open });
    this.#arm();
  }

  /** Closes what is being read. */
  close(): void {
    this.#waiting.length = 0;
    for (const { page } of this.#making) page.close();
    this.#making.length = 0;
  }

  // --- internal ---

  #arm(): void {
    if (this.#armed || (this.#waiting.length === 0 && this.#making.length === 0)) return;
    this.#armed = true;
    setImmediate(this.#round);
  }

  #step(): void {
    this.#armed = false;
    this.#admit();
    const first = this.#making.shift();
    if (first !== undefined) {
      const { wanted, page } = first;
      const done = this.#moved(wanted, page);
      if (done) page.close();
      else this.#making.push(first);
    }
    this.#arm();
  }

  #admit(): void {
    while (this.#making.length < OPEN_MAX) {
      const wanted = this.#waiting.shift();
      if (wanted === undefined) return;
      if (wanted.waiter.gone) continue;
      try {
        const page = wanted.open();
        if (typeof page === "number") wanted.waiter.listed(refusalOf(page, wanted.path));
        else this.#making.push({ wanted, page });
      } catch (error) {
        // As in #moved().
        wanted.waiter.crash(error);
      }
    }
  }

  /** One step of `page`; true when nobody waits for another. */
  #moved({ path, waiter }: Wanted, page: DirectoryPage): boolean {
    if (waiter.gone) return true;
    try {
      const result = page.step();
      if (result === null) return false;
      waiter.listed(typeof result === "number" ? refusalOf(result, path) : result);
    } catch (error) {
      // Nobody above would catch it: it costs this client, not the server.
      waiter.crash(error);
    }
    return true;
  }
}
