/**
 * Detects a peer that sends nothing. It counts its own timer ticks instead of comparing clocks:
 * time in which this process was stopped (SIGSTOP), or was blocked by a slow reader of stdout, has
 * no ticks and does not count against the peer; nor does time in which this side reads nothing,
 * because a rate keeps it from that. Only bytes extend the time.
 */

/**
 * Milliseconds without progress after which a peer is given up, unless --timeout says otherwise.
 */
export const STALL_TIMEOUT_MS = 60_000;

/**
 * Bytes a second that a peer must send to count as alive: a slower one only holds the connection.
 * No link in use is that slow.
 */
const ALIVE_BYTES_PER_S = 16;

/** Longest tick in milliseconds: so late may a stall be noticed. */
const TICK_MS_MAX = 1000;

/** Fewest ticks of a timeout, so that a short one is precise too. */
const TICKS_MIN = 4;

/** Calls back once when `timeoutMs` of its running have passed with too few bytes. */
export class StallTimer {
  readonly timeoutMs: number;
  readonly #stalled: () => void;
  readonly #listens: () => boolean;
  readonly #tickMs: number;
  readonly #aliveBytes: number;
  #silentMs = 0;
  /** Bytes since the last reset of #silentMs. */
  #received = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `listens`: whether bytes would be read now. */
  constructor(timeoutMs: number, stalled: () => void, listens: () => boolean = () => true) {
    this.timeoutMs = timeoutMs;
    this.#stalled = stalled;
    this.#listens = listens;
    this.#tickMs = Math.min(TICK_MS_MAX, timeoutMs / TICKS_MIN);
    this.#aliveBytes = Math.max(1, (timeoutMs / 1000) * ALIVE_BYTES_PER_S);
  }

  /** Starts to wait for bytes; does nothing when it runs already. */
  start(): void {
    if (this.#timer !== null) return;
    this.#silentMs = 0;
    this.#received = 0;
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
  }

  /** `count` bytes came and have been processed; Infinity: a reply is complete. */
  touch(count: number): void {
    this.#received += count;
    if (this.#received < this.#aliveBytes) return;
    this.#received = 0;
    this.#silentMs = 0;
  }

  /** Nothing is expected any more. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  // --- internal ---

  #tick(): void {
    if (!this.#listens()) return;
    this.#silentMs += this.#tickMs;
    if (this.#silentMs < this.timeoutMs) return;
    this.stop();
    this.#stalled();
  }
}
