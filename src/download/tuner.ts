/**
 * The tuner says how many connections bring one file: more while each doubling pays, no more when
 * it does not, and more again when the line has become slower than it was. On a fast line with
 * short round trips one connection is best, and nothing is tried that would cost; where loss and
 * long round trips hold each connection back, they add up. The tuner is pure: it is given rates.
 */

/** A doubling must raise the rate by this factor, or it is taken back. */
const GAIN = 1.15;

/** Below this share of the best rate the number of connections is tried out anew. */
const FALL = 0.75;

/** Measurements before a change is judged: new connections have to come up to speed. */
const MEASUREMENTS = 2;

/** Seconds of work that must be left for another connection to be worth its start. */
const LEFT_S = 1;

/** Decides for one file. */
export class Tuner {
  readonly #most: number;
  /** Bytes a second before the last change, and the connections there were then. */
  #before = 0;
  #fewer = 1;
  /** Measurements since the last change, or since the rate fell. */
  #measured = 0;
  #settled = false;

  /** `most` >= 1 connections. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * How many connections there should be: there are `connections`, they bring `rate` bytes a
   * second, and `left` bytes are still to come.
   */
  next(connections: number, rate: number, left: number): number {
    if (rate <= 0 || left < rate * LEFT_S) return connections;
    this.#measured += 1;
    if (this.#settled) return this.#watch(connections, rate);
    if (rate >= this.#before * GAIN) return this.#more(connections, rate);
    if (this.#measured < MEASUREMENTS) return connections;
    this.#settled = true;
    this.#measured = 0;
    // What was added last did not pay and goes again; where no more may be added, that is nothing.
    return this.#fewer;
  }

  // --- internal ---

  /** After a trial that did not pay the rate it ended with is the one to beat: trials end. */
  #watch(connections: number, rate: number): number {
    if (rate >= this.#before * FALL) {
      this.#before = Math.max(this.#before, rate);
      this.#measured = 0;
      return connections;
    }
    if (this.#measured < MEASUREMENTS) return connections;
    this.#settled = false;
    return this.#more(connections, rate);
  }

  #more(connections: number, rate: number): number {
    this.#before = rate;
    this.#fewer = connections;
    this.#measured = 0;
    return Math.min(this.#most, connections * 2);
  }
}
