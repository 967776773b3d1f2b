/**
 * Who goes next. Connections that can move more bytes stand in one queue; each gets one step a
 * round, and between rounds the loop handles its other events. A fast peer can't keep a slow one
 * waiting.
 */

/** Something that takes turns. */
export interface Turn {
  /** True while it stands in the queue; written by Turns alone. */
  queued: boolean;
  /** One bounded portion of work. Must not throw. */
  turn(): void;
}

/** The queue. At most one place for each connection, so it is bounded by their number. */
export class Turns {
  #ready: Turn[] = [];
  #running: Turn[] = [];
  #armed = false;
  readonly #failed: (error: unknown) => void;
  readonly #round = (): void => this.#run();

  /** `failed` is told of a turn that threw: it costs the others nothing. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Gives `one` a place in the next round, unless it has one. */
  add(one: Turn): void {
    if (one.queued) return;
    one.queued = true;
    this.#ready.push(one);
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#round);
  }

  // --- internal ---

  #run(): void {
    this.#armed = false;
    const running = this.#ready;
    this.#ready = this.#running;
    this.#running = running;
    for (const one of running) {
      one.queued = false;
      try {
        one.turn();
      } catch (error) {
        this.#failed(error);
      }
    }
    running.length = 0;
  }
}
