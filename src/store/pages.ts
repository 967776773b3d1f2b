/**
 * Directories wait their turn to be read. A few pages are open at once, and one of them moves one
 * step in each round of the loop: however many clients list, memory, descriptors and the time that
 * others wait stay what they are for one. Peers take turns, for being opened and for each step. A
 * short directory has a queue of its own and every second step, so that it never waits for long
 * ones, be they of the same peer: an address may be many people.
 *
 * Equal questions whose page is not begun are one page: it is read after all of them were asked.
 */
import { FairQueue } from "../guard/fairqueue.ts";
import type { Refusal } from "../wire/errors.ts";
import type { ByteString } from "../wire/bytes.ts";
import { refusalOf } from "./refusal.ts";
import type { EncodedPage, Waiter } from "./store.ts";

/**
 * Pages of one peer that are made at once. One would do; more keep a short one from a long one's
 * tail.
 */
export const PEER_PAGES_MAX = 4;

/** Pages made at once in all: each holds a descriptor, and up to a megabyte of names. */
export const PAGES_MAX = 64;

/** Pages of short directories that wait for the disk at once, beside the one that is made. */
export const SHORT_WAITS_MAX = 16;

/**
 * A directory of at most so many bytes (stat(2)) is taken for a short one: 2,000 names on ext4,
 * 3,000 on tmpfs.
 */
export const SHORT_BYTES_MAX = 65_536;

/**
 * A page of a short directory is complete after so many steps, 5 ms. Where it is not, the size says
 * nothing: it is begun anew among the long ones.
 */
export const SHORT_STEPS_MAX = 16;

/**
 * Answering goes on for so many milliseconds in one round, and until the answer under way is given:
 * one takes 30 us to write, and 3 ms where a page for people is made of it.
 */
const ANSWERS_MS = 1;

/** So many who wait are never looked through for those that have left. */
const WAITING_MIN = 256;

/**
 * What comes of a step: null while there is more to do, "waits" while nothing can be done until
 * `wake` is called, then the page or -errno.
 */
export type PageStep = EncodedPage | number | "waits" | null;

/** How a page is made; it owns a descriptor until close(). */
export interface PageWork {
  step(): PageStep;
  /** Set by whoever calls step(); called after each "waits", and never within step(). */
  wake?: () => void;
  close(): void;
}

/** A page that somebody waits for. */
interface Wanted {
  readonly key: string;
  readonly path: ByteString;
  waiters: Waiter[];
  /** Opens the directory, which is `long` or not: the page, or -errno. */
  readonly open: (long: boolean) => PageWork | number;
  begun: boolean;
  long: boolean;
}

/** A page in the making. */
interface Making {
  readonly wanted: Wanted;
  /** The peer whose turn began it. */
  readonly peer: string;
  readonly page: PageWork;
  steps: number;
}

interface Answer {
  readonly waiter: Waiter;
  readonly page: EncodedPage | Refusal;
}

/** The queues of a store. Bounded by the number of connections: each waits for one page at most. */
export class Pages {
  readonly #short = new FairQueue<Wanted>();
  readonly #long = new FairQueue<Wanted>();
  /** Those of them that are not begun, by what they are asked. */
  readonly #byKey = new Map<string, Wanted>();
  /** The page of a short directory that is being made: one, to its end. */
  #makingShort: Making | null = null;
  readonly #makingLong = new FairQueue<Making>();
  /** Pages that wait for the disk, and short ones for which it has come. */
  readonly #waits = new Set<Making>();
  #awake: Making[] = [];
  /** How many long ones are made, by the peer whose turn began them. */
  readonly #open = new Map<string, number>();
  #longIsNext = false;
  /** Who has asked since those who have left were taken out, and how many waited then. */
  #asked = 0;
  #waited = 0;
  #answers: Answer[] = [];
  #armed = false;
  readonly #round = (): void => this.#step();

  /** Pages being made. */
  get making(): number {
    const short = this.#awake.length + Number(this.#makingShort !== null);
    return this.#makingLong.size + short + this.#waits.size;
  }

  /** Places in the queues, those of clients that have left included. */
  get waiting(): number {
    return this.#short.size + this.#long.size;
  }

  /**
   * `waiter.listed` is called later, unless it is gone by then. What has the same `key` is the same
   * page. The directory has `bytes`, as stat(2) says.
   */
  add(
    key: string,
    path: ByteString,
    bytes: number,
    waiter: Waiter,
    open: (long: boolean) => PageWork | number,
  ): void {
    let wanted = this.#byKey.get(key);
    if (wanted === undefined) {
      const long = bytes > SHORT_BYTES_MAX;
      wanted = { key, path, waiters: [], open, begun: false, long };
      this.#byKey.set(key, wanted);
    }
    const first = !wanted.waiters.some(({ peer }) => peer === waiter.peer);
    wanted.waiters.push(waiter);
    if (first) this.#enqueue(waiter.peer, wanted);
    this.#asked += 1;
    if (this.#asked > Math.max(WAITING_MIN, this.#waited)) this.#forgetGone();
    this.#arm();
  }

  /** Closes what is being read. */
  close(): void {
    this.#short.clear();
    this.#long.clear();
    this.#byKey.clear();
    this.#answers = [];
    this.#makingShort?.page.close();
    this.#makingShort = null;
    for (const { page } of [...this.#waits, ...this.#awake]) page.close();
    this.#waits.clear();
    this.#awake = [];
    const { item: first } = this.#makingLong.take() ?? {};
    for (let making = first; making !== undefined; making = this.#makingLong.take()?.item) {
      making.page.close();
    }
  }

  // --- internal ---

  #enqueue(peer: string, wanted: Wanted): void {
    (wanted.long ? this.#long : this.#short).add(peer, wanted);
  }

  /** A disk that hangs must not gather those who came, asked and left. */
  #forgetGone(): void {
    this.#asked = this.#waited = 0;
    for (const queue of [this.#short, this.#long]) {
      queue.sift((wanted) => {
        if (wanted.begun || wanted.long !== (queue === this.#long)) return false;
        wanted.waiters = wanted.waiters.filter(({ gone }) => !gone);
        this.#waited += wanted.waiters.length;
        if (wanted.waiters.length > 0) return true;
        wanted.begun = true;
        if (this.#byKey.get(wanted.key) === wanted) this.#byKey.delete(wanted.key);
        return false;
      });
    }
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#round);
  }

  #step(): void {
    this.#armed = false;
    this.#makingShort ??= this.#awake.shift() ?? this.#beginShort();
    this.#admitLong();
    const short = this.#makingShort;
    const long = this.#longIsNext || short === null ? this.#makingLong.take()?.item : undefined;
    this.#longIsNext = long === undefined;
    if (long !== undefined) this.#stepLong(long);
    else if (short !== null) this.#stepShort(short);
    this.#answer();
    // Where nothing was done all wait for the disk, or for those who do.
    const answers = this.#answers.length > 0;
    if (long !== undefined || short !== null || answers) this.#arm();
  }

  /** The disk has come for `making`. */
  #wake(making: Making): void {
    if (!this.#waits.delete(making)) return;
    if (making.wanted.long) this.#makingLong.add(making.peer, making);
    else this.#awake.push(making);
    this.#arm();
  }

  #await(making: Making): void {
    this.#waits.add(making);
    making.page.wake = () => this.#wake(making);
  }

  #waiting(long: boolean): number {
    let waiting = 0;
    for (const { wanted } of this.#waits) waiting += Number(wanted.long === long);
    return waiting;
  }

  #beginShort(): Making | null {
    const full = this.#waiting(false) >= SHORT_WAITS_MAX;
    return full ? null : this.#beginOne(this.#short, () => true);
  }

  /** Opens what may be opened: the first page of each peer, and some more. */
  #admitLong(): void {
    const waiting = this.#waiting(true);
    const may = (peer: string): boolean =>
      this.#makingLong.size + waiting < PAGES_MAX && (this.#open.get(peer) ?? 0) < PEER_PAGES_MAX;
    for (;;) {
      const making = this.#beginOne(this.#long, may);
      if (making === null) return;
      this.#open.set(making.peer, (this.#open.get(making.peer) ?? 0) + 1);
      this.#makingLong.add(making.peer, making);
    }
  }

  /** Opens the next page of `queue` that somebody waits for and that can be opened, or null. */
  #beginOne(queue: FairQueue<Wanted>, may: (peer: string) => boolean): Making | null {
    for (;;) {
      const place = queue.take(may);
      if (place === undefined) return null;
      const { peer, item: wanted } = place;
      // Its place in the other queue, or of another peer, was first.
      if (wanted.begun || wanted.long !== (queue === this.#long)) continue;
      wanted.begun = true;
      if (this.#byKey.get(wanted.key) === wanted) this.#byKey.delete(wanted.key);
      if (wanted.waiters.every(({ gone }) => gone)) continue;
      const page = this.#guarded(wanted, () => wanted.open(wanted.long));
      if (typeof page === "number") this.#tell(wanted, refusalOf(page, wanted.path));
      else if (page !== null) return { wanted, peer, page, steps: 0 };
    }
  }

  #stepShort(making: Making): void {
    // A throw may end the last connection and so the store, whose close() must not find what is
    // closed here.
    this.#makingShort = null;
    const moved = this.#move(making);
    if (moved === "unfinished" && making.steps < SHORT_STEPS_MAX) {
      this.#makingShort = making;
      return;
    }
    if (moved === "waits") {
      this.#await(making);
      return;
    }
    making.page.close();
    if (moved === "over") return;
    const { wanted, peer } = making;
    wanted.long = true;
    wanted.begun = false;
    // Who asks the same may join it again: it is read from the start.
    if (!this.#byKey.has(wanted.key)) this.#byKey.set(wanted.key, wanted);
    this.#enqueue(peer, wanted);
  }

  #stepLong(making: Making): void {
    const { peer, page } = making;
    const moved = this.#move(making);
    if (moved === "waits") {
      this.#await(making);
      return;
    }
    if (moved === "unfinished") {
      this.#makingLong.add(peer, making);
      return;
    }
    page.close();
    const open = (this.#open.get(peer) ?? 0) - 1;
    if (open > 0) this.#open.set(peer, open);
    else this.#open.delete(peer);
  }

  /** One step of a page; "over" when nobody waits for another. */
  #move(making: Making): "unfinished" | "waits" | "over" {
    const { wanted, page } = making;
    if (wanted.waiters.every(({ gone }) => gone)) return "over";
    const result = this.#guarded(wanted, () => page.step() ?? UNFINISHED);
    if (result === "waits") return "waits";
    making.steps += 1;
    if (result === UNFINISHED) return "unfinished";
    if (typeof result === "number") this.#tell(wanted, refusalOf(result, wanted.path));
    else if (result !== null) this.#tell(wanted, result);
    return "over";
  }

  #tell({ waiters }: Wanted, page: EncodedPage | Refusal): void {
    for (const waiter of waiters) this.#answers.push({ waiter, page });
  }

  /** Answers some: a thousand who wanted the same page are no stall themselves. */
  #answer(): void {
    const end = performance.now() + ANSWERS_MS;
    let given = 0;
    for (const { waiter, page } of this.#answers) {
      if (performance.now() > end) break;
      given += 1;
      if (waiter.gone) continue;
      try {
        waiter.listed(page);
      } catch (error) {
        // Nobody above would catch it: it costs this client, not the server.
        waiter.crash(error);
      }
    }
    this.#answers.splice(0, given);
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
