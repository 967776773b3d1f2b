/**
 * Notices that a peer has gone silent. It counts quiet ticks of its own instead of comparing
 * clocks, so that neither a program that was stopped and continued (SIGSTOP) nor a reader of stdout
 * that held us up looks like a silent server: only time in which we could have received counts. The
 * peer can't extend it but by sending.
 */

/** Seconds without a byte before a peer is given up, when nothing else is said. */
export const STALL_TIMEOUT_MS = 60_000;

/**
 * Bytes a second that a peer must send to count as alive: below, it only keeps us waiting. Slower
 * than any link.
 */
const ALIVE_BYTES_PER_S = 16;

/** Longest tick: how late a stall may be noticed. */
const TICK_MS_MAX = 1000;

/** Ticks a timeout is made of at least: a shorter one is noticed more exactly. */
const TICKS_MIN = 4;

/** Calls back once when `timeoutMs` have passed with next to nothing touched, while it runs. */
export class StallTimer {
  readonly timeoutMs: number;
  readonly #stalled: () => void;
  readonly #tickMs: number;
  readonly #aliveBytes: number;
  #quietMs = 0;
  /** Bytes that came since it last looked alive. */
  #came = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(timeoutMs: number, stalled: () => void) {
    this.timeoutMs = timeoutMs;
    this.#stalled = stalled;
    this.#tickMs = Math.min(TICK_MS_MAX, timeoutMs / TICKS_MIN);
    this.#aliveBytes = Math.max(1, (timeoutMs / 1000) * ALIVE_BYTES_PER_S);
  }

  /** Something is awaited from now on. Does nothing when it runs already. */
  start(): void {
    if (this.#timer !== null) return;
    this.#quietMs = 0;
    this.#came = 0;
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
  }

  /** `count` bytes came, and we are done with them; Infinity: an answer is complete. */
  touch(count: number): void {
    this.#came += count;
    if (this.#came < this.#aliveBytes) return;
    this.#came = 0;
    this.#quietMs = 0;
  }

  /** Nothing is awaited. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  // --- internal ---

  #tick(): void {
    this.#quietMs += this.#tickMs;
    if (this.#quietMs < this.timeoutMs) return;
    this.stop();
    this.#stalled();
  }
}
