/**
 * How many connections bring one file: more while each doubling pays, no more when it does not, and
 * more again when the line has become slower than it was. On a fast short line one is best and
 * nothing is tried that would cost; on a long thin one, where each connection is held back by loss
 * and distance, they add up. Pure: it is fed with rates.
 */

/** A doubling must bring so much, or it was one too many. */
const GAIN = 1.15;

/** Below this share of what it was, a line is no longer the one that was tried out. */
const FALL = 0.75;

/** Looks that a change gets before it is judged: new connections have to come up to speed. */
const PATIENCE = 2;

/** Seconds of work that must be left for another connection to be worth its start. */
const LEFT_S = 1;

/** Decides for one file. */
export class Tuner {
  readonly #most: number;
  /** Bytes a second before the last change, and the connections there were then. */
  #before = 0;
  #fewer = 1;
  /** Looks since the last change, or since the rate fell. */
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
    if (rate <= 0 || left < rate * LEFT_S) return connections;
    this.#looks += 1;
    if (this.#settled) return this.#watch(connections, rate);
    if (rate >= this.#before * GAIN) return this.#more(connections, rate);
    if (this.#looks < PATIENCE) return connections;
    this.#settled = true;
    this.#looks = 0;
    // What was added last did not pay and goes again: nothing, where all that may be pay.
    return this.#fewer;
  }

  // --- internal ---

  /** After each trial that did not pay the bar is the rate it ended with, so that trials end. */
  #watch(connections: number, rate: number): number {
    if (rate >= this.#before * FALL) {
      this.#before = Math.max(this.#before, rate);
      this.#looks = 0;
      return connections;
    }
    if (this.#looks < PATIENCE) return connections;
    this.#settled = false;
    return this.#more(connections, rate);
  }

  #more(connections: number, rate: number): number {
    this.#before = rate;
    this.#fewer = connections;
    this.#looks = 0;
    return Math.min(this.#most, connections * 2);
  }
}
