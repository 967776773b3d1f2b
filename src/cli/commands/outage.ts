/**
 * What a person is told of a server that goes away under a command, or of a disk that is full: each
 * way of it once, however many files and connections meet it, and at the end what became of the
 * tries and of the files. It writes nothing itself.
 */
import { passes, type Waited } from "../../download/retry.ts";
import type { Failure } from "../../wire/failure.ts";
import { countText } from "../output/amount.ts";

/** Ends what is said of a command that was ended before its time. */
export const AGAIN = "the same command goes on where it stopped";

/**
 * Milliseconds without another line of the same cause: a line that breaks every second for an hour
 * is no news, one that breaks again after lunch is.
 */
const QUIET_MS = 10_000;

/** Messages that are remembered so as not to repeat them: beyond, they are repeated. */
const MESSAGES_MAX = 64;

/** The numbers of a command that tell whether it goes on. */
export interface Counts {
  readonly received: number;
  readonly done: number;
  readonly failed: number;
}

/** The outages of one command. */
export class Outage {
  readonly #progress: Counts;
  readonly #messages = new Set<string>();
  /** When each cause (its code) was told last. Codes are errno names: a handful. */
  readonly #toldMs = new Map<string, number>();
  /** Bytes that had come when the tries that count began. */
  #received = -1;
  #tries = 0;
  /** Something has failed that another run may mend. */
  #lost = false;
  /** A failure was left out, having been told in the same words. */
  #hides = false;

  /** `progress` is read whenever something is told. */
  constructor(progress: Counts) {
    this.#progress = progress;
  }

  /** A wait before another try, at `nowMs`: the line that tells it, or null when it is known. */
  waited({ error, nth, most }: Waited, nowMs: number): string | null {
    const { received } = this.#progress;
    const again = received !== this.#received;
    this.#received = received;
    this.#tries = again ? nth : Math.max(this.#tries, nth);
    const toldMs = this.#toldMs.get(error.code);
    if (toldMs !== undefined && (!again || nowMs - toldMs < QUIET_MS)) return null;
    this.#toldMs.set(error.code, nowMs);
    // Another file has failed of it for good meanwhile, which was told.
    if (!this.#remember(error.message) && toldMs === undefined) return null;
    const times = most === 1 ? "once" : `up to ${countText(most)} times`;
    return `${error.message}; trying again, ${times} in a row`;
  }

  /** Something failed for good: whether its message is news. */
  isNews(error: Failure): boolean {
    this.#lost ||= passes(error);
    const news = this.#remember(error.message);
    this.#hides ||= !news;
    return news;
  }

  /**
   * The last words of a command that has failed, or null: how often it tried, how many files are
   * missing, and that it can go on, where it `resumes` and something has come.
   */
  last(resumes: boolean): string | null {
    if (!this.#lost && !this.#hides) return null;
    const { received, done, failed } = this.#progress;
    const words: string[] = [];
    if (this.#lost && this.#tries > 0) words.push(`gave up after ${triesText(this.#tries)}`);
    if (failed > 1) words.push(`${countText(failed)} files are missing`);
    const parts = words.length > 0 ? [words.join(", ")] : [];
    if (this.#lost && resumes && received + done > 0) parts.push(AGAIN);
    return parts.length > 0 ? parts.join("; ") : null;
  }

  // --- internal ---

  /** Whether `message` was new. */
  #remember(message: string): boolean {
    if (this.#messages.has(message)) return false;
    if (this.#messages.size < MESSAGES_MAX) this.#messages.add(message);
    return true;
  }
}

// --- internal ---

function triesText(count: number): string {
  return count === 1 ? "another try" : `${countText(count)} more tries`;
}
