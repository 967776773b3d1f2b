/**
 * Directories wait their turn to be read. A few pages are open at once, and one of them moves one
 * step in each round of the loop: however many clients list, memory, descriptors and the time that
 * others wait stay what they are for one. Peers take turns, for being opened and for each step.
 *
 * Equal questions whose page is not begun are one page: it is read after all of them were asked.
 */
import { FairQueue } from "../guard/fairqueue.ts";
import type { Refusal } from "../wire/errors.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { DirectoryPage } from "./directory.ts";
import { refusalOf } from "./refusal.ts";
import type { EncodedPage, Waiter } from "./store.ts";

/**
 * Pages of one peer that are made at once. One would do; more keep a short one from a long one's
 * tail.
 */
export const PEER_PAGES_MAX = 4;

/** Pages made at once in all: each holds a descriptor, and up to a megabyte of names. */
export const PAGES_MAX = 64;

/** Answers in one round: each is a reply of up to 128 KiB, which takes 30 us to write. */
const ANSWERS_PER_ROUND = 16;

/** A page that somebody waits for. */
interface Wanted {
  readonly key: string;
  readonly path: ByteString;
  readonly waiters: Waiter[];
  /** Opens the directory: the page, or -errno. */
  readonly open: () => DirectoryPage | number;
  begun: boolean;
}

/** A page in the making. */
interface Making {
  readonly wanted: Wanted;
  readonly page: DirectoryPage;
}

interface Answer {
  readonly waiter: Waiter;
  readonly page: EncodedPage | Refusal;
}

/** The queues of a store. Bounded by the number of connections: each waits for one page at most. */
export class Pages {
  readonly #waiting = new FairQueue<Wanted>();
  /** Those of them that are not begun, by what they are asked. */
  readonly #byKey = new Map<string, Wanted>();
  readonly #making = new FairQueue<Making>();
  /** How many are made, by the peer whose turn began them. */
  readonly #open = new Map<string, number>();
  #answers: Answer[] = [];
  #armed = false;
  readonly #round = (): void => this.#step();

  /** Pages being made. */
  get making(): number {
    return this.#making.size;
  }

  /** Places in the queue, those of clients that have left included. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * `waiter.listed` is called later, unless it is gone by then. What has the same `key` is the same
   * page.
   */
  add(key: string, path: ByteString, waiter: Waiter, open: () => DirectoryPage | number): void {
    let wanted = this.#byKey.get(key);
    if (wanted === undefined) {
      wanted = { key, path, waiters: [], open, begun: false };
      this.#byKey.set(key, wanted);
    }
    const first = !wanted.waiters.some(({ peer }) => peer === waiter.peer);
    wanted.waiters.push(waiter);
    if (first) this.#waiting.add(waiter.peer, wanted);
    this.#arm();
  }

  /** Closes what is being read. */
  close(): void {
    this.#waiting.clear();
    this.#byKey.clear();
    this.#answers = [];
    for (let place = this.#making.take(); place !== undefined; place = this.#making.take()) {
      place.item.page.close();
    }
  }

  // --- internal ---

  #arm(): void {
    const idle = this.#waiting.size + this.#making.size + this.#answers.length === 0;
    if (this.#armed || idle) return;
    this.#armed = true;
    setImmediate(this.#round);
  }

  #step(): void {
    this.#armed = false;
    this.#answer();
    this.#admit();
    const place = this.#making.take();
    if (place !== undefined) this.#move(place.peer, place.item);
    this.#arm();
  }

  /** Opens what may be opened: the first page of each peer, and some more. */
  #admit(): void {
    for (;;) {
      const place = this.#waiting.take(
        (peer) => this.#making.size < PAGES_MAX && (this.#open.get(peer) ?? 0) < PEER_PAGES_MAX,
      );
      if (place === undefined) return;
      const { peer, item: wanted } = place;
      if (wanted.begun) continue;
      wanted.begun = true;
      this.#byKey.delete(wanted.key);
      if (wanted.waiters.every(({ gone }) => gone)) continue;
      const page = this.#guarded(wanted, wanted.open);
      if (page === null) continue;
      if (typeof page === "number") this.#tell(wanted, refusalOf(page, wanted.path));
      else {
        this.#open.set(peer, (this.#open.get(peer) ?? 0) + 1);
        this.#making.add(peer, { wanted, page });
      }
    }
  }

  /** One step of a page. */
  #move(peer: string, making: Making): void {
    const { wanted, page } = making;
    if (wanted.waiters.some(({ gone }) => !gone)) {
      const result = this.#guarded(wanted, () => page.step() ?? UNFINISHED);
      if (result === UNFINISHED) {
        this.#making.add(peer, making);
        return;
      }
      if (typeof result === "number") this.#tell(wanted, refusalOf(result, wanted.path));
      else if (result !== null) this.#tell(wanted, result);
    }
    page.close();
    const open = (this.#open.get(peer) ?? 0) - 1;
    if (open > 0) this.#open.set(peer, open);
    else this.#open.delete(peer);
  }

  #tell({ waiters }: Wanted, page: EncodedPage | Refusal): void {
    for (const waiter of waiters) this.#answers.push({ waiter, page });
    this.#answer();
  }

  /** Answers some: a thousand who wanted the same page are no stall themselves. */
  #answer(): void {
    for (const { waiter, page } of this.#answers.splice(0, ANSWERS_PER_ROUND)) {
      if (waiter.gone) continue;
      try {
        waiter.listed(page);
      } catch (error) {
        // Nobody above would catch it: it costs this client, not the server.
        waiter.crash(error);
      }
    }
  }

  /** What `action` gives; null when it threw, which costs those who wait for `wanted`. */
  #guarded<T>({ waiters }: Wanted, action: () => T): T | null {
    try {
      return action();
    } catch (error) {
      for (const waiter of waiters) if (!waiter.gone) waiter.crash(error);
      return null;
    }
  }
}

// --- internal ---

const UNFINISHED = Symbol("unfinished");
