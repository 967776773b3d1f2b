/**
 * mirror(): a folder here becomes equal to a tree of a server.
 *
 *   options -> walk there, compare here -> orders -> Delivery -> published -> the extra removed
 *
 * Who owns what: the Run has the server's connections and the waits, OpenDestination the folder and
 * its staging (locked: one mirror at a time), FolderTree the folders below it, of which each order
 * holds one until it is delivered or has failed.
 */
import { usageError } from "../client/error.ts";
import type { Folder } from "../destination/folder.ts";
import { FolderTree } from "../destination/tree.ts";
import { type ByteString, utf8Of } from "../wire/bytes.ts";
import { printable } from "../wire/printable.ts";
import { tooMany, TreeComparison } from "./comparison.ts";
import { ContentComparison } from "./content.ts";
import { Delivery } from "./delivery.ts";
import { dryRun } from "./dryrun.ts";
import type { TransferEvent } from "./events.ts";
import { PathFilter, type Wants } from "./filter.ts";
import { OpenDestination } from "./opened.ts";
import { Operation, type Snapshot } from "./operation.ts";
import type { MirrorOptions } from "./options.ts";
import type { Order } from "./order.ts";
import type { Origin } from "./origin.ts";
import { Run } from "./run.ts";
import { type MirrorSettings, mirrorSettings } from "./settings.ts";
import { tellLeft } from "./treeleft.ts";
import { walk } from "./walk.ts";

/** The numbers at the end of a mirror. */
export interface MirrorResult extends Snapshot {
  /** Files and folders that were removed, or would be by dryRun. */
  readonly removed: number;
}

/**
 * Mirrors a tree. Throws Failure (usage) when the options are wrong; rejects with the first Failure
 * when something could not be brought, after all the rest was.
 */
export function mirror(options: MirrorOptions): Operation<MirrorResult> {
  const settings = mirrorSettings(options);
  const run = new Run(settings);
  let removed = 0;
  const work = async (): Promise<void> => {
    const origin = run.origins.of(settings.target.server);
    await mustBeFolder(origin, settings.target.path);
    const top = settings.target.path.replace(/\/+$/, "");
    const wants = wantsOf(run, settings);
    if (settings.dryRun) {
      removed = await dryRun(run, origin, top, wants, settings);
      return;
    }
    using destination = OpenDestination.open(settings.folder, true);
    const options = { ...settings, replaces: true, tells: true };
    using tree = new TreeMirror(run, origin, top, destination, wants, options);
    await tree.bring();
    run.tally.totalKnown = true;
    if (settings.deletes) removed = tree.removeExtra();
    tree.sync();
  };
  return new Operation(run, work, (last) => ({ ...last, removed }));
}

/**
 * Brings the tree at `path` into `folder`, which it closes: all that is missing, and with
 * `replaces` also what differs; nothing is removed. Rejects like the mirror itself.
 */
export async function bringTree(
  run: Run,
  origin: Origin,
  path: ByteString,
  folder: Folder,
  replaces: boolean,
): Promise<void> {
  using destination = OpenDestination.in(folder, true);
  const options = { replaces, deletes: false, maxDelete: 0, compares: false, tells: false };
  const top = path.replace(/\/+$/, "");
  using tree = new TreeMirror(run, origin, top, destination, () => true, options);
  await tree.bring();
  tree.sync();
}

// --- internal ---

type DoneEvent = Extract<TransferEvent, { type: "done" }>;

/** How a tree is brought. */
interface TreeOptions {
  /** Whether what is here in another version is replaced. */
  readonly replaces: boolean;
  readonly deletes: boolean;
  readonly maxDelete: number;
  readonly compares: boolean;
  /** Whether it is told why a file was brought. */
  readonly tells: boolean;
}

async function mustBeFolder(origin: Origin, path: ByteString): Promise<void> {
  const entry = await origin.stat(path);
  if (entry.type === "dir") return;
  const remedy = "copy-file" as const;
  throw Object.assign(usageError(`${printable(path)} is a file`), { remedy });
}

/** Globs first, then the caller's own question; what that throws ends the mirror. */
function wantsOf(run: Run, { include, exclude, wants }: MirrorSettings): Wants {
  const filter = new PathFilter(include, exclude);
  if (wants === null) return (path, type) => filter.wants(path, type);
  return (path, type) => {
    if (!filter.wants(path, type)) return false;
    try {
      return wants(utf8Of(path), type);
    } catch (error) {
      run.fail(error);
      return false;
    }
  };
}

/** One tree into one folder. */
class TreeMirror implements Disposable {
  readonly #run: Run;
  readonly #origin: Origin;
  readonly #top: ByteString;
  readonly #folders: FolderTree;
  readonly #delivery: Delivery;
  readonly #comparison: TreeComparison;
  readonly #contents: ContentComparison;
  readonly #maxDelete: number;
  /** The folder that each order holds, until it is delivered or has failed. */
  readonly #held = new Map<Order, ByteString>();

  constructor(
    run: Run,
    origin: Origin,
    top: ByteString,
    { folder, staging }: OpenDestination,
    wants: Wants,
    { replaces, deletes, maxDelete, compares, tells }: TreeOptions,
  ) {
    this.#run = run;
    this.#origin = origin;
    this.#top = top;
    this.#maxDelete = maxDelete;
    this.#folders = new FolderTree(folder);
    this.#delivery = new Delivery(origin, staging, run.tally, {
      delivered: (file, order) => {
        this.#release(order);
        run.tell({ type: "done", file, ...(tells && { change: this.#change(order) }) });
      },
      undelivered: (file, error, order) => {
        this.#release(order);
        run.fail(error, file);
      },
    });
    this.#contents = new ContentComparison(origin, {
      same: (order, path) => {
        this.#release(order);
        this.#unchanged(path);
      },
      differs: (order, path) => this.#order(order, path),
      incomparable: (error, order) => {
        this.#release(order);
        if (error !== null) run.fail(error);
      },
    });
    const options = { top, replaces, extraMax: deletes ? maxDelete : null };
    this.#comparison = new TreeComparison(this.#folders, options, {
      wants,
      order: (order, path) => this.#order(order, path),
      unchanged: (path) => this.#unchanged(path),
      compare: compares ? (order, path) => this.#contents.add(this.#hold(order, path), path) : null,
      relieve: async () => {
        await this.#contents.finish();
        await this.#delivery.finish();
      },
      failed: (error) => run.fail(error),
      left: (level, names) => tellLeft(run, origin, top, level, names, wants),
    });
  }

  /** Brings what is missing or different. Rejects when the top can't be listed to its end. */
  async bring(): Promise<void> {
    // What was ordered is brought, even if the list then breaks off.
    const walked = walk(this.#origin, this.#top, this.#comparison);
    await walked.finally(() => this.#contents.finish()).finally(() => this.#delivery.finish());
    this.#run.mustGoOn();
  }

  /** Removes what the server does not have, and says how much. Throws LocalError. */
  removeExtra(): number {
    const { extra } = this.#comparison;
    if (extra.length === 0) return 0;
    if (this.#run.failures > 0) {
      this.#run.tell({ type: "not-removed" });
      return 0;
    }
    if (extra.length > this.#maxDelete) throw tooMany(this.#maxDelete);
    let removed = 0;
    for (const path of extra) {
      const name = printable(path);
      if (this.#comparison.remove(path)) {
        removed += 1;
        this.#run.tell({ type: "removed", name });
      } else this.#run.tell({ type: "note", text: `cli6: ${name} stays: something came into it` });
    }
    return removed;
  }

  /** Brings the names that were made or removed to the disk. Throws LocalError. */
  sync(): void {
    this.#folders.sync();
  }

  [Symbol.dispose](): void {
    this.#folders.close();
  }

  // --- internal ---

  async #order(order: Order, path: ByteString): Promise<void> {
    const { tally } = this.#run;
    tally.files += 1;
    tally.bytes += Number(order.file.entry.size);
    await this.#delivery.add(this.#hold(order, path));
  }

  #change({ change = "new", file }: Order): NonNullable<DoneEvent["change"]> {
    const above = this.#top.length + 1;
    return {
      why: change,
      get path() {
        return printable(file.path.slice(above));
      },
    };
  }

  /** Notes which folder was held for `order`. */
  #hold(order: Order, path: ByteString): Order {
    const slash = path.lastIndexOf("/");
    this.#held.set(order, slash < 0 ? "" : path.slice(0, slash));
    return order;
  }

  #unchanged(path: ByteString): void {
    this.#run.tally.unchanged += 1;
    this.#run.tell({
      type: "unchanged",
      // Most of a tree is unchanged, and hardly anybody asks for the names.
      get name() {
        return printable(path);
      },
    });
  }

  #release(order: Order): void {
    this.#folders.release(this.#held.get(order) ?? "");
    this.#held.delete(order);
  }
}
