/**
 * Who goes next. Connections that can move more bytes stand in one queue; between its rounds the
 * loop handles its other events. A round has as many steps as connections wait, and the peers take
 * turns at them: who opens many gets no more than who has one. A round that takes long ends, the
 * sooner where several peers wait, and the next goes on where it ended.
 */
import { FairQueue } from "../guard/fairqueue.ts";
import { clock, tick } from "../sys/clock.ts";

/**
 * A round ends after so many milliseconds and the step that is under way: so long a short request
 * waits, however many others have long ones. A round more costs a look for events, 2 us.
 */
export const ROUND_MS = 2;

/**
 * A round in which each of several peers has had a step ends after so many milliseconds. Short
 * steps of many connections, as the first requests of a crowd, are soon done; two long ones are a
 * round.
 */
export const SHARED_ROUND_MS = 0.5;

/** Something that takes turns. */
export interface Turn {
  /** True while it stands in the queue; written by Turns alone. */
  queued: boolean;
  /** Whose share its steps are of. */
  readonly peer: string;
  /** One bounded portion of work, at whose start the clock is read. Must not throw. */
  turn(): void;
}

/** The queue. At most one place for each connection, so it is bounded by their number. */
export class Turns {
  readonly #ready = new FairQueue<Turn>();
  #armed = false;
  /** In a round. */
  #running = false;
  /** Since when the next round is due, in clock.now's milliseconds. */
  #dueAt = 0;
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

  /**
   * Something long begins outside of a round: the loop's events may be many, and each may bring
   * something long. A round is due behind them.
   */
  watch(): void {
    this.#arm();
  }

  /**
   * True when a round is due and other events of the loop have kept it waiting for longer than a
   * round: what is long then waits for a turn as well.
   */
  get late(): boolean {
    return this.#armed && clock.now - this.#dueAt > ROUND_MS;
  }

  // --- internal ---

  #arm(): void {
    if (this.#armed || this.#running) return;
    this.#armed = true;
    this.#dueAt = clock.now;
    setImmediate(this.#round);
  }

  #run(): void {
    this.#armed = false;
    this.#running = true;
    const began = tick();
    const { peers, size } = this.#ready;
    for (let taken = 0; taken < size; taken++) {
      const mayTake = peers > 1 && taken >= peers ? SHARED_ROUND_MS : ROUND_MS;
      if (clock.now - began >= mayTake) break;
      const one = this.#ready.take()?.item;
      if (one === undefined) break;
      one.queued = false;
      try {
        one.turn();
      } catch (error) {
        this.#failed(error);
      }
    }
    tick();
    this.#running = false;
    if (this.#ready.size > 0) this.#arm();
  }
}
