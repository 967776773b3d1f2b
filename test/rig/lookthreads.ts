/** Threads for looks that answer when the test says so (`using`). */
import type { LookAnswer, LookAsked } from "../../src/store/look.ts";
import { type LookOwner, type LookThread, lookThreads } from "../../src/store/lookthread.ts";

/** What was asked, and the last thread that was started. */
export class LookThreads implements Disposable {
  readonly asked: LookAsked[] = [];
  started = 0;
  ended = 0;
  #owner: LookOwner | null = null;
  #last: LookThread | null = null;
  readonly #start = lookThreads.start;

  constructor() {
    lookThreads.start = (owner) => {
      this.started += 1;
      this.#owner = owner;
      const end = (): void => void (this.ended += 1);
      this.#last = { send: (asked) => void this.asked.push(asked), end };
      return this.#last;
    };
  }

  answer(answer: LookAnswer): void {
    this.#owner?.answered(answer);
  }

  die(): void {
    if (this.#last !== null) this.#owner?.ended(this.#last);
  }

  [Symbol.dispose](): void {
    lookThreads.start = this.#start;
  }
}
