/**
 * Who goes next. Connections that can move more bytes stand in one queue; between its rounds the
 * loop handles its other events. A round gives each connection one step while all are of one peer,
 * and else one step to one connection of each peer: who opens many gets no more than who has one.
 */
import { FairQueue } from "../guard/fairqueue.ts";

/** Something that takes turns. */
export interface Turn {
  /** True while it stands in the queue; written by Turns alone. */
  queued: boolean;
  /** Whose share its steps are of. */
  readonly peer: string;
  /** One bounded portion of work. Must not throw. */
  turn(): void;
}

/** The queue. At most one place for each connection, so it is bounded by their number. */
export class Turns {
  readonly #ready = new FairQueue<Turn>();
  #armed = false;
  readonly #failed: (error: unknown) => void;
  readonly #round = (): void => this.#run();

  /** `failed` is told of a turn that threw: it costs the others nothing. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Gives `one` a place in a next round, unless it has one. */
  add(one: Turn): void {
    if (one.queued) return;
    one.queued = true;
    this.#ready.add(one.peer, one);
    this.#arm();
  }

  // --- internal ---

  #arm(): void {
    if (this.#armed || this.#ready.size === 0) return;
    this.#armed = true;
    setImmediate(this.#round);
  }

  #run(): void {
    this.#armed = false;
    // Those who come meanwhile wait for the next round.
    let due = this.#ready.peers > 1 ? this.#ready.peers : this.#ready.size;
    for (; due > 0; due--) {
      const one = this.#ready.take()?.item;
      if (one === undefined) break;
      one.queued = false;
      try {
        one.turn();
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#arm();
  }
}
