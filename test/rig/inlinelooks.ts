/**
 * The thread for looks in the test's own: it looks in a turn of the loop, one question in each, by
 * the test's table of calls, so that a simulation decides when the disk answers and what.
 */
import { type LookAsked, lookFor } from "../../src/store/look.ts";
import { type LookOwner, type LookThread, lookThreads } from "../../src/store/lookthread.ts";
import { Root, type RootParts } from "../../src/store/root.ts";

class InlineThread implements LookThread {
  readonly #owner: LookOwner;
  readonly #root: Root;
  #ended = false;

  constructor(owner: LookOwner, { fd, name, policy, only }: RootParts) {
    this.#owner = owner;
    this.#root = new Root(fd, name, policy, only);
  }

  send(asked: LookAsked): void {
    setImmediate(() => {
      if (!this.#ended) this.#owner.answered(lookFor(this.#root, asked));
    });
  }

  end(): void {
    this.#ended = true;
  }
}

/** Until it is disposed of, no other thread is started. */
export function inlineLooks(): Disposable {
  const { start } = lookThreads;
  lookThreads.start = (owner, root) => new InlineThread(owner, root);
  return {
    [Symbol.dispose]() {
      lookThreads.start = start;
    },
  };
}
