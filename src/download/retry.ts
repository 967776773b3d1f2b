/**
 * Trying again after what passes: a lost connection, a server that is full or restarts. Waits grow
 * and are spread at random, so that a thousand clients of one server that went away do not come
 * back in one wave; whatever makes progress starts the count anew.
 */
import { ClientError } from "../client/error.ts";

const FIRST_WAIT_MS = 250;
const WAIT_MS_MAX = 30_000;

/** Longest wait that a server may ask for (Retry-After), in milliseconds: nobody sits longer. */
const RETRY_AFTER_MS_MAX = 60_000;

/** How often in a row when nothing else is said: about 8 s altogether. */
export const RETRIES_DEFAULT = 5;

/** What is told of a wait. */
export interface Waited {
  readonly error: ClientError;
  readonly waitMs: number;
  /** Which try comes next, from 1 up to `most`. */
  readonly nth: number;
  readonly most: number;
}

/** A wait that is under way. */
export interface Wait {
  /** Settles when it ends. */
  readonly over: Promise<void>;
  /** Ends it now: whoever waits fails with `error`. */
  cancel(error: ClientError): void;
}

/** True for failures that may be gone at the next try. */
export function passes(error: unknown): error is ClientError {
  if (!(error instanceof ClientError) || error.code === "ENOTFOUND") return false;
  const { kind } = error;
  return kind === "incomplete" || kind === "no-connection" || kind === "timed-out";
}

/** Counts the failures of one undertaking. */
export class Retry {
  readonly #most: number;
  readonly #told: (waited: Waited, wait: Wait) => void;
  #failures = 0;
  /** The wait that is under way. */
  #waiting: Promise<void> | null = null;

  /**
   * `most` tries after the first, 0 for none; `told` hears of each wait when it begins, and may
   * cancel it.
   */
  constructor(most: number, told: (waited: Waited, wait: Wait) => void) {
    this.#most = most;
    this.#told = told;
  }

  /** Something went well: the next failure is the first again. */
  progress(): void {
    this.#failures = 0;
  }

  /**
   * Waits before the next try; throws `error` when there is none, or none would help. What fails
   * while another wait is under way failed with it, as sixteen connections do when a server goes
   * away: it waits along and counts no further.
   */
  async after(error: unknown): Promise<void> {
    if (!passes(error)) throw error;
    if (this.#waiting !== null) return this.#waiting;
    if (this.#failures >= this.#most) throw error;
    const full = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** this.#failures);
    const own = full * (0.5 + Math.random() / 2);
    const waitMs = Math.max(own, Math.min(RETRY_AFTER_MS_MAX, error.retryAfterMs));
    this.#failures += 1;
    const { promise: over, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting = over;
    const timer = setTimeout(() => {
      this.#waiting = null;
      resolve();
    }, waitMs);
    const cancel = (why: ClientError): void => {
      clearTimeout(timer);
      this.#waiting = null;
      reject(why);
    };
    this.#told({ error, waitMs, nth: this.#failures, most: this.#most }, { over, cancel });
    await over;
  }

  /** What `request` gives, tried as often as allowed. */
  async run<T>(request: () => Promise<T>): Promise<T> {
    const result = await this.reach(request);
    this.progress();
    return result;
  }

  /**
   * The same for what brings nothing by itself, as a connection does: no progress, or a server that
   * takes connections only to cut them would be tried for ever.
   */
  async reach<T>(request: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await request();
      } catch (error) {
        await this.after(error);
      }
    }
  }
}
