/**
 * How fast bytes came to one client in the middle of a transfer: from the first arrival behind
 * start() to the last one. Between two fixed times it would be off by a whole arrival: on loopback
 * the kernel sends two segments of 64 KiB at once, a third of what 100 kB/s make in 4 s. Pure:
 * times come from outside.
 */

/** What comes so soon behind the first arrival is part of it, in milliseconds. */
const FIRST_MS = 20;

/** The arrivals of one client. */
export class Arrivals {
  #started = false;
  /** Of the first arrival, which begins the count and is not in it. */
  #firstMs = Number.NaN;
  #lastMs = Number.NaN;
  #bytes = 0;

  /** What comes from now on is looked at. */
  start(): void {
    this.#started = true;
  }

  /** `bytes` came, at `nowMs`. */
  note(bytes: number, nowMs: number): void {
    if (!this.#started) return;
    if (Number.isNaN(this.#firstMs)) this.#firstMs = nowMs;
    else if (nowMs >= this.#firstMs + FIRST_MS) this.#bytes += bytes;
    this.#lastMs = nowMs;
  }

  /** Bytes a second; 0 where fewer than two arrivals came. */
  get rate(): number {
    const ms = this.#lastMs - this.#firstMs;
    return ms > 0 ? (this.#bytes * 1000) / ms : 0;
  }
}
