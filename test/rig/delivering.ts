/**
 * `get` without its command line, in the test's own process: for faults that come by the hundred,
 * where starting a program each time would be all that is measured, and for rows of the table that
 * fail on the receiving side alone.
 */
import type { ServerAddress } from "../../src/client/address.ts";
import { ClientError } from "../../src/client/error.ts";
import { LocalError } from "../../src/destination/error.ts";
import { Folder } from "../../src/destination/folder.ts";
import { Staging, stagedName } from "../../src/destination/staging.ts";
import { Delivery } from "../../src/download/delivery.ts";
import type { Order } from "../../src/download/order.ts";
import { type FetchOptions, Origin } from "../../src/download/origin.ts";
import { Progress } from "../../src/download/progress.ts";
import type { Entry } from "../../src/wire/entry.ts";
import type { FailureKind } from "../../src/wire/failure.ts";

/** A delivery of many files that has not ended by then hangs, in milliseconds. */
const HANG_MS = 10_000;

/** What became of one file. */
export interface Delivered {
  /** Null: it is published. */
  readonly error: (Error & { readonly kind?: string; readonly code?: string }) | null;
  readonly notes: readonly string[];
  /** Milliseconds of each wait before another try. */
  readonly waits: readonly number[];
}

/** Brings `path` of `server`, which is `entry`, into the folder `root`, once. */
export async function deliver(
  server: ServerAddress,
  path: string,
  entry: Partial<Entry> & { readonly size: bigint },
  root: string,
  options: Partial<FetchOptions> = {},
): Promise<Delivered> {
  const notes: string[] = [];
  const waits: number[] = [];
  let error: Delivered["error"] = null;
  const known: Entry = { type: "file", mtime: 5n, etag: "0000000000000001", ...entry };
  const order = (_: Origin, folder: Folder): Order => orderOf(path, known, folder, false);
  await delivery(server, root, [order], {
    options: {
      connection: { connectTimeoutMs: 5000, stallTimeoutMs: 5000 },
      retries: 0,
      retryRefused: false,
      waited: ({ waitMs }) => waits.push(waitMs),
      note: (line) => notes.push(line),
      ...options,
    },
    undelivered: (_name, why) => {
      error = why instanceof Error ? why : new Error(String(why));
    },
  });
  return { error, notes, waits };
}

/** A file that did not come, or all of it ("" for its name). */
export interface Undelivered {
  readonly name: string;
  readonly kind: FailureKind;
  readonly message: string;
}

/**
 * Brings the files `names` of a server on loopback into the folder `root`, over what is there, each
 * looked up first; what failed. Throws what is no failure of a server or a disk, and what hangs.
 */
export async function deliverAll(
  port: number,
  names: readonly string[],
  root: string,
): Promise<Undelivered[]> {
  const failed: Undelivered[] = [];
  const undelivered = (name: string, error: unknown): void => {
    const known = error instanceof LocalError || error instanceof ClientError;
    if (!known) throw error;
    failed.push({ name, kind: error.kind, message: error.message });
  };
  const options = { connection: { connectTimeoutMs: 2000, stallTimeoutMs: 500 }, retries: 1 };
  const orders = names.map((name) => async (origin: Origin, folder: Folder): Promise<Order> => {
    const entry = await origin.control.ask((client) => client.stat(`/${name}`));
    return orderOf(`/${name}`, entry, folder, true);
  });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("it hangs")), HANG_MS);
  try {
    const server = { host: "127.0.0.1", port };
    await Promise.race([delivery(server, root, orders, { options, undelivered }), late]);
  } catch (error) {
    undelivered("", error);
  } finally {
    clearTimeout(timer);
  }
  return failed;
}

// --- internal ---

interface Listener {
  /** What differs from a verified delivery over four connections that tells nobody of anything. */
  readonly options: Partial<FetchOptions> & Pick<FetchOptions, "connection" | "retries">;
  undelivered(name: string, error: unknown): void;
}

/** Puts each of `orders` up when its turn comes, waits for the end, and closes what it opened. */
async function delivery(
  server: ServerAddress,
  root: string,
  orders: readonly ((origin: Origin, folder: Folder) => Order | Promise<Order>)[],
  { options, undelivered }: Listener,
): Promise<void> {
  const quiet = { waited: () => {}, note: () => {} };
  const origin = new Origin(server, {
    connections: 4,
    retryRefused: false,
    verify: true,
    delta: true,
    ...quiet,
    ...options,
  });
  const folder = Folder.open(Buffer.from(root).toString("latin1"), true);
  let staging: Staging | null = null;
  try {
    staging = Staging.open(folder);
    const [added, reported]: [string[], string[]] = [[], []];
    const running = new Delivery(origin, staging, new Progress(), {
      delivered: (_file, order) => reported.push(order.name),
      undelivered: (_file, error, order) => {
        reported.push(order.name);
        undelivered(order.name, error);
      },
    });
    for (const make of orders) {
      const order = await make(origin, folder);
      added.push(order.name);
      await running.add(order);
    }
    await running.finish();
    // Each order is reported once, whatever failed.
    if (reported.toSorted().join() !== added.toSorted().join()) {
      throw new Error(`added ${added.join()}, reported ${reported.join()}`);
    }
  } finally {
    staging?.close();
    folder.close();
    origin.close();
  }
}

function orderOf(path: string, entry: Entry, folder: Folder, replace: boolean): Order {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const staged = stagedName(name);
  return { file: { path, entry }, folder, name, staged, replace, restarts: 0, bad: 0 };
}
