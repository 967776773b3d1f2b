/**
 * Short requests to an object store: what a key is, what a folder has. So many are under way at
 * once, the others wait, and peers that wait take turns. Equal ones are asked once.
 */
import { FairQueue } from "../../guard/fairqueue.ts";
import { Shares } from "../../guard/shares.ts";
import { clock, tick } from "../../sys/clock.ts";
import { Refusal } from "../../wire/errors.ts";

/**
 * Requests under way at once: with those that bring contents (flows.ts) half of what Bun allows a
 * process, and more than a store needs to be busy.
 */
export const QUESTIONS_MAX = 64;

/**
 * Questions that are under way or wait, in all and of one peer; over it EBUSY. A connection has
 * one; who comes and goes while the store hangs leaves them behind, for QUESTION_MS.
 */
export const ASKED_MAX = 4096;
export const PEER_ASKED_MAX = 1024;

/**
 * How long one may wait for its turn, and then for its answer, in milliseconds. A store whose node
 * hangs answers within some seconds, by another node.
 */
export const QUESTION_MS = 10_000;

/** One that waits for its turn. */
interface Waiting {
  readonly since: number;
  begin(late: boolean): void;
}

/** The questions of one store. */
export class Questions {
  readonly #waiting = new FairQueue<Waiting>();
  readonly #equal = new Map<string, Promise<unknown>>();
  readonly #shares = new Shares(ASKED_MAX, PEER_ASKED_MAX);
  readonly #ms: number;
  #running = 0;

  /** `ms` is QUESTION_MS, but for tests. */
  constructor(ms = QUESTION_MS) {
    this.#ms = ms;
  }

  /** Questions under way, and those that wait. */
  get size(): number {
    return this.#running + this.#waiting.size;
  }

  /**
   * The answer of `ask`, for a connection of `peer`; of an equal question (`key`) that is under way
   * where there is one, whatever its own turn. Rejects for an error of ours alone.
   */
  shared<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#equal.get(key);
    if (known !== undefined) return known as Promise<T>;
    const asked = ask().finally(() => this.#equal.delete(key));
    this.#equal.set(key, asked);
    return asked;
  }

  /**
   * One request: `request` is begun when it is its turn; EBUSY where that takes too long. It keeps
   * its place until it has really ended, so that a store that hangs is not asked more and more.
   */
  async ask<T>(
    peer: string,
    shown: string,
    request: (signal: AbortSignal) => Promise<T | Refusal>,
  ): Promise<T | Refusal> {
    if (!this.#shares.take(peer, 1)) return new Refusal("EBUSY", "too many questions wait");
    try {
      if (await this.#turn(peer)) return busy(shown);
      const work = request(AbortSignal.timeout(this.#ms));
      void work.then(this.#ended, this.#ended);
      return await withinTime(work, this.#ms, busy(shown));
    } finally {
      this.#shares.give(peer, 1);
    }
  }

  // --- internal ---

  /** True when the turn came too late. */
  #turn(peer: string): Promise<boolean> | boolean {
    if (this.#running < QUESTIONS_MAX) {
      this.#running += 1;
      return false;
    }
    return new Promise((begin) => this.#waiting.add(peer, { since: clock.now, begin }));
  }

  readonly #ended = (): void => {
    this.#running -= 1;
    while (this.#running < QUESTIONS_MAX) {
      const next = this.#waiting.take()?.item;
      if (next === undefined) return;
      const late = tick() - next.since > this.#ms;
      if (!late) this.#running += 1;
      next.begin(late);
    }
  };
}

// --- internal ---

function busy(shown: string): Refusal {
  return new Refusal("EBUSY", `the object store does not answer: ${shown}`);
}

/** What `work` comes to, or `late` where that takes longer than a question may. */
function withinTime<T>(work: Promise<T>, ms: number, late: Refusal): Promise<T | Refusal> {
  const { promise, resolve, reject } = Promise.withResolvers<T | Refusal>();
  // A little behind the signal, which ends most of them.
  const timer = setTimeout(() => resolve(late), ms + 500);
  const end = (): void => clearTimeout(timer);
  work.then(resolve, reject).finally(end);
  return promise;
}
