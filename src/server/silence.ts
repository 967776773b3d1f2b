/**
 * The 200 ms after which a bare path without LF is complete. All waits are equally long, so they
 * end in the order in which they began: one queue and one timer serve any number of connections.
 */
import { clock, tick } from "../sys/clock.ts";

/** Somebody who waits for silence. */
export interface SilenceWaiter {
  /** Nothing has come for the whole wait. Must not throw. */
  silent(): void;
}

/** The queue. Bounded by the number of connections. */
export class SilenceTimer {
  readonly #ms: number;
  /** Deadlines by waiter, in order of insertion, which is the order of the deadlines. */
  readonly #waits = new Map<SilenceWaiter, number>();
  #timer: NodeJS.Timeout | null = null;
  readonly #fire = (): void => this.#run();

  /** `ms`: how long the silence has to last. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Starts (or starts again) the wait of `one`. */
  wait(one: SilenceWaiter): void {
    this.#waits.delete(one);
    this.#waits.set(one, clock.now + this.#ms);
    this.#timer ??= setTimeout(this.#fire, this.#ms);
  }

  /** Ends the wait of `one` without a call. */
  forget(one: SilenceWaiter): void {
    this.#waits.delete(one);
  }

  // --- internal ---

  #run(): void {
    this.#timer = null;
    const now = tick();
    for (const [one, deadline] of this.#waits) {
      if (deadline > now) {
        this.#timer = setTimeout(this.#fire, Math.ceil(deadline - now));
        return;
      }
      this.#waits.delete(one);
      one.silent();
    }
  }
}
