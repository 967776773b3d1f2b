/**
 * Who asks a store what a path is on the way to another answer: it stands for the connection that
 * waits, uses its share, and hears of that one thing alone.
 */
import type { Waiter } from "../store/store.ts";
import type { Entry } from "../wire/entry.ts";
import type { Refusal } from "../wire/errors.ts";

/** A waiter of stat() in the name of `waiter`; `told` goes on with the answer. */
export class LookedUp implements Waiter {
  readonly #waiter: Waiter;
  readonly #told: (entry: Entry | Refusal) => void;

  constructor(waiter: Waiter, told: (entry: Entry | Refusal) => void) {
    this.#waiter = waiter;
    this.#told = told;
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
    this.#told(entry);
  }

  opened(): void {
    throw new Error("nobody opened a file");
  }

  listed(): void {
    throw new Error("nobody listed a folder");
  }

  digested(): void {
    throw new Error("nobody digested a file");
  }

  crash(error: unknown): void {
    this.#waiter.crash(error);
  }
}
