/**
 * What a mirror would do: it looks on both sides as the mirror does, by descriptors and through no
 * link, and touches nothing. What the mirror would refuse is told here too.
 */
import type { ClientError } from "../client/error.ts";
import type { NamedEntry } from "../client/exchange.ts";
import { LocalError } from "../destination/error.ts";
import { Folder } from "../destination/folder.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { LeftName } from "../wire/entry.ts";
import { printable } from "../wire/printable.ts";
import { collectExtra, keptName, tooMany } from "./comparison.ts";
import { hasContent } from "./content.ts";
import type { Wants } from "./filter.ts";
import type { Origin } from "./origin.ts";
import type { Run } from "./run.ts";
import type { MirrorSettings } from "./settings.ts";
import { tellLeft } from "./treeleft.ts";
import { differenceIn } from "./uptodate.ts";
import { below, type Level, walk, type Walker } from "./walk.ts";

/**
 * Tells of each file that would be fetched, which the run's numbers count, and of each path that
 * would be removed; gives how many those are. Rejects like the mirror itself.
 */
export async function dryRun(
  run: Run,
  origin: Origin,
  top: ByteString,
  wants: Wants,
  settings: MirrorSettings,
): Promise<number> {
  using look = new Look(run, origin, top, wants, settings);
  await walk(origin, top, look);
  run.tally.totalKnown = true;
  if (look.removed > 0 && run.failures > 0) {
    run.tell({ type: "not-removed" });
    return 0;
  }
  if (look.removed > settings.maxDelete) throw tooMany(settings.maxDelete);
  return look.removed;
}

// --- internal ---

/** One walk that only looks. */
class Look implements Walker, Disposable {
  /** Paths that would be removed. */
  removed = 0;
  readonly #run: Run;
  readonly #origin: Origin;
  readonly #top: ByteString;
  readonly #wants: Wants;
  readonly #deletes: boolean;
  readonly #compares: boolean;
  /** Null: it would be made. */
  readonly #to: Folder | null;
  /** Names that the server has, by the folder whose listing is under way. */
  readonly #names = new Map<ByteString, Set<ByteString>>();

  constructor(
    run: Run,
    origin: Origin,
    top: ByteString,
    wants: Wants,
    { folder, deletes, compares }: MirrorSettings,
  ) {
    this.#run = run;
    this.#origin = origin;
    this.#top = top;
    this.#wants = wants;
    this.#deletes = deletes;
    this.#compares = compares;
    this.#to = openedIfThere(folder);
  }

  async entry(level: Level, entry: NamedEntry): Promise<boolean> {
    this.#run.mustGoOn();
    const path = below(level, entry.name);
    const refused = keptName(level, entry.name);
    if (refused !== null) this.#run.fail(refused);
    this.#namesOf(level).add(entry.name);
    if (refused !== null || !this.#wants(path, entry.type)) return false;
    if (entry.type === "dir") return this.#locally(path, () => true) ?? false;
    const known = this.#locally(level.path, (folder) => this.#known(folder, entry, path));
    if (known === null) return false;
    const action = await known;
    if (action === "none") this.#run.tally.unchanged += 1;
    else this.#plan(action, path, Number(entry.size));
    return false;
  }

  left(level: Level, left: readonly LeftName[]): void {
    for (const { name } of left) this.#namesOf(level).add(name);
    tellLeft(this.#run, this.#origin, this.#top, level, left, this.#wants);
  }

  async ended(level: Level): Promise<void> {
    const names = this.#namesOf(level);
    this.#names.delete(level.path);
    if (!this.#deletes) return;
    const into: ByteString[] = [];
    const removal = { wants: this.#wants, most: Infinity, into };
    this.#locally(level.path, (folder) => {
      if (folder !== null) collectExtra(folder, level, names, removal);
    });
    this.removed += into.length;
    for (const path of into) {
      const name = printable(path);
      this.#run.tell({ type: "planned", action: "removed", name, size: null });
    }
  }

  failed(error: ClientError): void {
    this.#run.fail(error);
  }

  [Symbol.dispose](): void {
    this.#to?.close();
  }

  // --- internal ---

  #namesOf(level: Level): Set<ByteString> {
    const names = this.#names.get(level.path) ?? new Set();
    this.#names.set(level.path, names);
    return names;
  }

  /** What would be done for a file. `folder` need be open for the call alone. Throws LocalError. */
  #known(folder: Folder | null, entry: NamedEntry, path: ByteString): Action | Promise<Action> {
    const difference = folder === null ? "new" : differenceIn(folder, entry);
    if (difference === "new") return "new";
    if (difference !== null) return "changed";
    if (folder === null || !this.#compares) return "none";
    const file = { path: `${this.#top}/${path}`, entry };
    const same = hasContent(folder.fd, entry.name, this.#origin, file);
    return same.then((is) => (is ? "none" : "changed"));
  }

  #plan(action: "new" | "changed", path: ByteString, size: number): void {
    this.#run.tally.files += 1;
    this.#run.tally.bytes += size;
    this.#run.tell({ type: "planned", action, name: printable(path), size });
  }

  /**
   * What `action` gives, with the folder at `path` here, or null where there is none; null when
   * this machine refuses it: that is told.
   */
  #locally<T>(path: ByteString, action: (folder: Folder | null) => T): T | null {
    const opened: Folder[] = [];
    try {
      let folder = this.#to;
      for (const name of path === "" ? [] : path.split("/")) {
        folder = folder?.find(name) ?? null;
        if (folder === null) break;
        opened.push(folder);
      }
      return action(folder);
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
      this.#run.fail(error);
      return null;
    } finally {
      for (const folder of opened) folder.close();
    }
  }
}

/** What a mirror does with a file. */
type Action = "new" | "changed" | "none";

function openedIfThere(path: ByteString): Folder | null {
  try {
    return Folder.open(path, false);
  } catch (error) {
    if (error instanceof LocalError && error.code === "ENOENT") return null;
    throw error;
  }
}
