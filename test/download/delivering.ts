/**
 * `get` without its command line, in the test's own process: for faults that come by the hundred,
 * where starting a program each time would be all that is measured.
 */
import { Delivery } from "../../src/download/delivery.ts";
import type { Entry } from "../../src/wire/entry.ts";
import { type FetchOptions, Origin } from "../../src/download/origin.ts";
import { Tally } from "../../src/download/progress.ts";
import { Folder } from "../../src/destination/folder.ts";
import { Staging, stagedName } from "../../src/destination/staging.ts";
import type { ServerAddress } from "../../src/client/address.ts";

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
  const origin = new Origin(server, {
    patience: { connectTimeoutMs: 5000, stallTimeoutMs: 5000 },
    connections: 4,
    retries: 0,
    verify: true,
    waited: ({ waitMs }) => waits.push(waitMs),
    note: (line) => notes.push(line),
    ...options,
  });
  const folder = Folder.open(Buffer.from(root).toString("latin1"), true);
  const staging = Staging.open(folder);
  let error: Delivered["error"] = null;
  const delivery = new Delivery(origin, staging, new Tally(), {
    delivered: () => {},
    undelivered: (_file, why) => {
      error = why instanceof Error ? why : new Error(String(why));
    },
  });
  const name = path.slice(path.lastIndexOf("/") + 1);
  const known: Entry = { type: "file", mtime: 5n, etag: "0000000000000001", ...entry };
  const file = { path, entry: known };
  const staged = stagedName(name);
  await delivery.add({ file, folder, name, staged, replace: false, restarts: 0, bad: 0 });
  await delivery.finish();
  origin.close();
  staging.close();
  folder.close();
  return { error, notes, waits };
}
