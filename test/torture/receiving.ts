/**
 * The receiving side in the test's own process, where rows of the table can fail: files of a server
 * in another process, delivered into a folder here.
 */
import { Delivery } from "../../src/download/delivery.ts";
import { ClientError } from "../../src/client/error.ts";
import type { Order } from "../../src/download/order.ts";
import { Origin } from "../../src/download/origin.ts";
import { Tally } from "../../src/download/progress.ts";
import type { FailureKind } from "../../src/wire/failure.ts";
import { LocalError } from "../../src/destination/error.ts";
import { Folder } from "../../src/destination/folder.ts";
import { stagedName, Staging } from "../../src/destination/staging.ts";

/** A delivery that has not ended by then hangs, in milliseconds. */
const HANG_MS = 10_000;

/** A file that did not come, or all of it. */
export interface Undelivered {
  readonly name: string;
  readonly kind: FailureKind;
  readonly message: string;
}

/** Brings files of one server, as often as it is asked to. */
export class Receiving {
  readonly #port: number;
  readonly #folder: string;

  constructor(port: number, folder: string) {
    this.#port = port;
    this.#folder = folder;
  }

  /** Delivers `names`; what failed. Throws what is no failure of a server or a disk, and hangs. */
  async deliver(names: readonly string[]): Promise<Undelivered[]> {
    const failed: Undelivered[] = [];
    const fail = (name: string, error: unknown): void => {
      const known = error instanceof LocalError || error instanceof ClientError;
      if (!known) throw error;
      failed.push({ name, kind: error.kind, message: error.message });
    };
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("it hangs")), HANG_MS);
    try {
      await Promise.race([this.#deliver(names, fail), late]);
    } catch (error) {
      fail("", error);
    } finally {
      clearTimeout(timer);
    }
    return failed;
  }

  // --- internal ---

  async #deliver(
    names: readonly string[],
    fail: (name: string, error: unknown) => void,
  ): Promise<void> {
    const patience = { connectTimeoutMs: 2000, stallTimeoutMs: 500 };
    const quiet = { waited: () => {}, note: () => {} };
    const options = { patience, connections: 4, retries: 1, verify: true, ...quiet };
    const origin = new Origin({ host: "127.0.0.1", port: this.#port }, options);
    const folder = Folder.open(this.#folder, true);
    let staging: Staging | null = null;
    try {
      staging = Staging.open(folder);
      const delivery = new Delivery(origin, staging, new Tally(), {
        delivered: () => {},
        undelivered: (_file, error, order) => fail(order.name, error),
      });
      for (const name of names) await delivery.add(await ordered(origin, folder, name));
      await delivery.finish();
    } finally {
      staging?.close();
      folder.close();
      origin.close();
    }
  }
}

// --- internal ---

async function ordered(origin: Origin, folder: Folder, name: string): Promise<Order> {
  const path = `/${name}`;
  const entry = await origin.link.ask((client) => client.stat(path));
  const staged = stagedName(name);
  return { file: { path, entry }, folder, name, staged, replace: true, restarts: 0, bad: 0 };
}
