/**
 * Who asks a store something on the way to another answer: it stands for the connection that waits,
 * uses its share, and is told in its place.
 */
import type { Entry } from "../wire/entry.ts";
import type { Refusal } from "../wire/errors.ts";
import type { EncodedPage, OpenFile, Waiter } from "./store.ts";

/** Stands for `waiter`. What a class of its own does not override is an answer nobody asked for. */
export class OnBehalf implements Waiter {
  readonly waiter: Waiter;

  constructor(waiter: Waiter) {
    this.waiter = waiter;
  }

  get gone(): boolean {
    return this.waiter.gone;
  }

  get peer(): string {
    return this.waiter.peer;
  }

  charge(requests: number): void {
    this.waiter.charge(requests);
  }

  crash(error: unknown): void {
    this.waiter.crash(error);
  }

  opened(_file: OpenFile | Refusal): void {
    throw new Error("nobody opened a file");
  }

  looked(_entry: Entry | Refusal): void {
    throw new Error("nobody looked a name up");
  }

  listed(_page: EncodedPage | Refusal): void {
    throw new Error("nobody listed a folder");
  }

  digested(_lines: Uint8Array | Refusal): void {
    throw new Error("nobody digested a file");
  }
}

/** A waiter of stat() in the name of `waiter`; `told` goes on with the answer. */
export class LookedUp extends OnBehalf {
  readonly #told: (entry: Entry | Refusal) => void;

  constructor(waiter: Waiter, told: (entry: Entry | Refusal) => void) {
    super(waiter);
    this.#told = told;
  }

  override looked(entry: Entry | Refusal): void {
    this.#told(entry);
  }
}
