/**
 * One download or mirror while it runs: the numbers, the first failure, the servers it asks, and
 * the caller's wish to end it. It owns every connection and every wait of the run; whatever ends
 * the run, release() is the one place where they go. Files and folders are their stages' own.
 *
 * Invariant: nothing that the caller hands in (a listener, a signal) can throw into what moves
 * bytes: it ends the run instead.
 */
import { PerServer } from "../client/clients.ts";
import { abortedError, type ClientError } from "../client/error.ts";
import { Throttle } from "../client/throttle.ts";
import { Failure } from "../wire/failure.ts";
import type { TransferEvent } from "./events.ts";
import type { TransferSettings } from "./settings.ts";
import { type FetchOptions, Origin } from "./origin.ts";
import { type FileProgress, Progress } from "./progress.ts";
import type { Wait } from "./retry.ts";

/** One call of download() or mirror(). */
export class Run {
  readonly tally = new Progress();
  readonly origins: PerServer<Origin>;
  readonly #settings: TransferSettings;
  readonly #ending = new AbortController();
  readonly #waits = new Set<Wait>();
  #failures = 0;
  #first: Failure | null = null;
  /** Why it ends before its time: what the caller gets. */
  #stopped: { readonly error: unknown } | null = null;

  constructor(settings: TransferSettings) {
    this.#settings = settings;
    const options = this.#fetchOptions();
    this.origins = new PerServer((server) => new Origin(server, options));
  }

  /** Aborts when the run ends, with a ClientError of the kind "aborted". */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** How much has failed so far. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Does `work` and lets go of everything. Rejects with why it was ended, or with the first
   * failure; the others were told.
   */
  async all(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#settings;
    const stop = (): void => this.#stop(endOf(signal?.reason));
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop);
    try {
      this.mustGoOn();
      await work();
    } catch (error) {
      this.fail(error);
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#release(abortedError(null));
    }
    if (this.#stopped !== null) throw this.#stopped.error;
    if (this.#first !== null) throw this.#first;
  }

  /** Throws once the run is to end. */
  mustGoOn(): void {
    if (this.#stopped !== null) throw abortedError(null);
  }

  /** Tells the caller of an incident. */
  tell(event: TransferEvent): void {
    try {
      this.#settings.onEvent?.(event);
    } catch (error) {
      this.#stop(error);
    }
  }

  /** Something failed, of `file` where there is one. What is no Failure is a bug, and ends it. */
  fail(error: unknown, file: FileProgress | null = null): void {
    // From then on everything fails, as its echo.
    if (this.#stopped !== null) return;
    if (!(error instanceof Failure)) {
      this.#stop(error);
      return;
    }
    this.#failures += 1;
    this.#first ??= error;
    this.tell({ type: "failed", error, file });
  }

  // --- internal ---

  #fetchOptions(): FetchOptions {
    const { connectTimeoutMs, stallTimeoutMs, limitRate, trust, token, insecureAuth, ...settings } =
      this.#settings;
    const { signal } = this.#ending;
    const throttle = limitRate === null ? null : new Throttle(limitRate);
    return {
      connection: {
        connectTimeoutMs,
        stallTimeoutMs,
        signal,
        trust,
        insecureAuth,
        ...(token !== null && { token }),
        ...(throttle && { throttle }),
      },
      connections: settings.connections,
      retries: settings.retries,
      retryRefused: settings.retryRefused,
      verify: settings.verify,
      delta: settings.verify && !settings.wholeFile,
      waited: (waited, wait) => {
        this.#holds(wait);
        if (this.#stopped === null) this.tell({ type: "retry", ...waited });
      },
      note: (text) => this.tell({ type: "note", text }),
    };
  }

  #holds(wait: Wait): void {
    if (this.signal.aborted) {
      wait.cancel(abortedError(null));
      return;
    }
    this.#waits.add(wait);
    const over = (): void => void this.#waits.delete(wait);
    wait.over.then(over, over);
  }

  #stop(error: unknown): void {
    if (this.#stopped !== null) return;
    this.#stopped = { error };
    // Not within the call of a connection that is to be closed by it.
    queueMicrotask(() => this.#release(abortedError(null)));
  }

  /** Closes every connection, and ends every wait and attempt to connect. */
  #release(reason: ClientError): void {
    if (this.signal.aborted) return;
    this.#ending.abort(reason);
    for (const wait of this.#waits) wait.cancel(reason);
    for (const origin of this.origins.values()) origin.close(reason);
  }
}

// --- internal ---

/** What the caller gets who ended it for `reason`: an own Failure as it is. */
function endOf(reason: unknown): Failure {
  return reason instanceof Failure ? reason : abortedError(reason);
}
