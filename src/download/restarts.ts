/**
 * The restarts of files whose attempt failed: which errors another attempt may mend, how often, and
 * after which wait. It brings nothing and reports nothing; the delivery does both by its answer.
 *
 * Invariant: each order has a bounded number of attempts, whatever the server says.
 */
import { printable } from "../wire/printable.ts";
import { ClientError } from "../client/error.ts";
import type { Order } from "./order.ts";
import type { Origin } from "./origin.ts";
import type { Progress } from "./progress.ts";
import { passes, Retry } from "./retry.ts";

/** How often a file that changes while it is fetched is started over. */
const RESTARTS_MAX = 3;

/**
 * Longer before each further start: a server may believe a name for a second, and until then refuse
 * the version that it tells of. Three starts outlast that.
 */
const RESTART_WAIT_MS = 500;

/** How often a small file may come wrong. */
const BAD_MAX = 3;

/** The restarts of one delivery. */
export class Restarts {
  readonly #origin: Origin;
  readonly #progress: Progress;
  /** Tries of small files that were refused for now. */
  readonly #refused = new WeakMap<Order, Retry>();

  constructor(origin: Origin, progress: Progress) {
    this.#origin = origin;
    this.#progress = progress;
  }

  /**
   * Resolves when `order`, whose attempt ended with `error`, should be attempted again: true, and
   * the order names the version that is there now; or when it should not: false. A large file has
   * tried again by itself what passes and what came wrong. Never rejects.
   */
  async allows(order: Order, error: unknown, small: boolean): Promise<boolean> {
    if (error instanceof ClientError && error.kind === "changed") {
      return order.restarts++ < RESTARTS_MAX && (await this.#renew(order));
    }
    if (!small) return false;
    if (error instanceof ClientError && error.kind === "corrupt") {
      if (++order.bad >= BAD_MAX) return false;
      this.#origin.options.note(`${printable(order.file.path)} arrived wrong, fetched again`);
      return true;
    }
    return passes(error) && (await this.#wait(order, error));
  }

  // --- internal ---

  /** A refusal that may pass, as of a server that is full: false when it was waited for enough. */
  #wait(order: Order, error: unknown): Promise<boolean> {
    const { options } = this.#origin;
    const retry = this.#refused.get(order) ?? new Retry(options.retries, options.waited);
    this.#refused.set(order, retry);
    return retry.after(error).then(
      () => true,
      () => false,
    );
  }

  /** Orders the version that is there now; false when there is none. */
  async #renew(order: Order): Promise<boolean> {
    const { path, entry: before } = order.file;
    try {
      await Bun.sleep(RESTART_WAIT_MS * (order.restarts - 1));
      const entry = await this.#origin.control.ask((client) => client.stat(path));
      if (entry.type !== "file") return false;
      this.#progress.bytes += Number(entry.size - before.size);
      this.#origin.options.note(`${printable(path)} has changed on the server: starting over`);
      order.file = { path, entry };
      return true;
    } catch {
      // The first error tells more.
      return false;
    }
  }
}
