/**
 * How many connections bring one file: more while each doubling pays, no more when it does not. On
 * a fast short line one is best and nothing is tried that would cost; on a long thin one, where
 * each connection is held back by loss and distance, they add up. Pure: it is fed with rates.
 */

/** A doubling must bring so much, or it was one too many. */
const GAIN = 1.15;

/** Looks that new connections get to come up to speed before they are judged. */
const PATIENCE = 2;

/** Seconds of work that must be left for another connection to be worth its start. */
const LEFT_S = 1;

/** Decides for one file. */
export class Tuner {
  readonly #most: number;
  /** Bytes a second before the last change, and the connections there were then. */
  #before = 0;
  #fewer = 1;
  #looks = 0;
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
    if (this.#settled || rate <= 0 || left < rate * LEFT_S) return connections;
    this.#looks += 1;
    if (this.#before === 0 || rate >= this.#before * GAIN) {
      this.#before = rate;
      this.#fewer = connections;
      this.#looks = 0;
      return Math.min(this.#most, connections * 2);
    }
    if (this.#looks < PATIENCE) return connections;
    this.#settled = true;
    // What was added last did not pay and goes again: nothing, where all that may be pay.
    return this.#fewer;
  }
}
