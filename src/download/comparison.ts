/**
 * Makes a folder here equal to a tree of a server: walks the tree, orders what is new or different,
 * and knows what is here and not there. It brings nothing itself and removes only when it is told
 * to, after a walk that had no failure at all.
 *
 * Invariant: nothing outside the destination is touched, and nothing in it through a link.
 */
import { LocalError } from "../destination/error.ts";
import type { Folder } from "../destination/folder.ts";
import { collect, extraIn, type Removal, remove } from "../destination/remove.ts";
import { inTheWay } from "../destination/staged.ts";
import { STAGING_PREFIX, stagedName } from "../destination/staging.ts";
import type { FolderTree } from "../destination/tree.ts";
import { printable } from "../wire/printable.ts";
import { differenceIn } from "./uptodate.ts";
import type { ClientError } from "../client/error.ts";
import { protocolError } from "../client/error.ts";
import type { NamedEntry } from "../client/exchange.ts";
import type { Order } from "./order.ts";
import { below, type Level, type Walker } from "./walk.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { LeftName } from "../wire/entry.ts";

/** What a mirror asks of whoever runs it. */
export interface ComparisonOwner {
  /** True when the path is wanted; it is asked for folders and files. */
  wants(path: ByteString, type: "file" | "dir"): boolean;
  /** A file to bring; `folder` was held for it. Resolves when there is room for another. */
  order(order: Order, path: ByteString): Promise<void>;
  /** A file that is here in that version. */
  unchanged(path: ByteString): void;
  /**
   * A file that looks the same, whose content is compared: `order` brings it if that differs, and
   * its folder was held for it. Null: what looks the same is unchanged.
   */
  readonly compare: ((order: Order, path: ByteString) => Promise<void>) | null;
  /** Waits until held folders have been let go. */
  relieve(): Promise<void>;
  failed(error: ClientError | LocalError): void;
  /** Names of `level` that the server leaves out, wanted or not. */
  left(level: Level, names: readonly LeftName[]): void;
}

/** How a mirror is made. */
export interface ComparisonOptions {
  /** The tree's top on the server. */
  readonly top: ByteString;
  /** Whether a file here in another version is replaced; else it is in the way. */
  readonly replaces: boolean;
  /** Whether what is here and not there is collected, at most this many; null: no. */
  readonly extraMax: number | null;
}

/** What is told of an entry at the top that is called like a staging folder; null: it is not. */
export function keptName({ depth }: Level, name: ByteString): ClientError | null {
  if (depth > 0 || !name.startsWith(STAGING_PREFIX)) return null;
  return protocolError(`"${printable(name)}": cli6 keeps such names for itself: left out`);
}

/** Why nothing is removed where that would be more than `most` paths. */
export function tooMany(most: number): LocalError {
  const many = most === 0 ? "" : `more than ${most.toLocaleString("en-US")} `;
  const text = `${many}files would be removed, so none is`;
  return Object.assign(new LocalError("E2BIG", text), { remedy: "raise" as const });
}

/**
 * Collects in `into` what is in `folder`, which is `level`, and not among the `names` there, with
 * all that is below it. Throws LocalError.
 */
export function collectExtra(
  folder: Folder,
  level: Level,
  names: ReadonlySet<ByteString>,
  removal: Omit<Removal, "path">,
): void {
  for (const name of extraIn(folder, names)) {
    if (level.depth === 0 && name.startsWith(STAGING_PREFIX)) continue;
    collect(folder, name, { path: below(level, name), ...removal });
  }
}

/** One tree into one folder. */
export class TreeComparison implements Walker {
  /** Paths that are here and not there, folders behind what is in them; over the limit not all. */
  readonly extra: ByteString[] = [];
  readonly #folders: FolderTree;
  readonly #options: ComparisonOptions;
  readonly #owner: ComparisonOwner;
  /** What is left out of the mirror is left alone. */
  readonly #leaving;
  /** Names that the server has, by the folder whose listing is under way. */
  readonly #names = new Map<ByteString, Set<ByteString>>();

  constructor(folders: FolderTree, options: ComparisonOptions, owner: ComparisonOwner) {
    this.#folders = folders;
    this.#options = options;
    this.#owner = owner;
    const { extra } = this;
    const wants: ComparisonOwner["wants"] = (path, type) => owner.wants(path, type);
    this.#leaving = { wants, most: options.extraMax ?? 0, into: extra };
  }

  async entry(level: Level, entry: NamedEntry): Promise<boolean> {
    const path = below(level, entry.name);
    const refused = keptName(level, entry.name);
    if (refused !== null) {
      this.#owner.failed(refused);
      return false;
    }
    if (this.#options.extraMax !== null) this.#namesOf(level).add(entry.name);
    if (!this.#owner.wants(path, entry.type)) return false;
    while (this.#folders.crowded) await this.#owner.relieve();
    const done = this.#locally(() => this.#meet(level, entry, path));
    if (done === null) return false;
    if (typeof done !== "boolean") {
      const { compare } = this.#owner;
      if (compare !== null && done.change === "content") await compare(done, path);
      else await this.#owner.order(done, path);
    }
    return entry.type === "dir";
  }

  /** They are there: what is here under such a name is not extra, whatever it is. */
  left(level: Level, names: readonly LeftName[]): void {
    if (this.#options.extraMax !== null) {
      for (const { name } of names) this.#namesOf(level).add(name);
    }
    this.#owner.left(level, names);
  }

  async ended(level: Level): Promise<void> {
    if (this.#options.extraMax === null) return;
    const names = this.#namesOf(level);
    this.#names.delete(level.path);
    const collect = (folder: Folder): void => collectExtra(folder, level, names, this.#leaving);
    this.#locally(() => this.#holding(level.path, collect));
  }

  failed(error: ClientError): void {
    this.#owner.failed(error);
  }

  /** Removes `path`, one of `extra`; false where something has come into it. Throws LocalError. */
  remove(path: ByteString): boolean {
    const slash = path.lastIndexOf("/");
    const above = slash < 0 ? "" : path.slice(0, slash);
    return this.#holding(above, (folder) => remove(folder, path.slice(slash + 1)));
  }

  // --- internal ---

  /** An order for what is missing or different; true when nothing is to be done. */
  #meet(level: Level, entry: NamedEntry, path: ByteString): Order | true {
    if (entry.type === "dir") {
      this.#folders.hold(path);
      this.#folders.release(path);
      return true;
    }
    const folder = this.#folders.hold(level.path);
    let order: Order | null = null;
    try {
      order = this.#orderOf(folder, entry, path);
    } finally {
      // Who brings it holds the folder on.
      if (order === null) this.#folders.release(level.path);
    }
    if (order === null) this.#owner.unchanged(path);
    return order ?? true;
  }

  /** Null when it is here in that version. Throws LocalError where something else is in the way. */
  #orderOf(folder: Folder, entry: NamedEntry, path: ByteString): Order | null {
    const difference = folder.fresh ? "new" : differenceIn(folder, entry);
    if (difference === null && this.#owner.compare === null) return null;
    const isHere = difference !== "new";
    if (isHere && difference !== null && !this.#options.replaces) {
      throw inTheWay(printable(folder.pathOf(entry.name)));
    }
    return {
      file: { path: `${this.#options.top}/${path}`, entry },
      folder,
      name: entry.name,
      staged: stagedName(path),
      // What appeared since the look is somebody else's: it stays.
      replace: isHere,
      change: difference ?? "content",
      restarts: 0,
      bad: 0,
    };
  }

  #namesOf(level: Level): Set<ByteString> {
    const names = this.#names.get(level.path) ?? new Set();
    this.#names.set(level.path, names);
    return names;
  }

  /** What `action` gives, with the folder at `path` held for as long as it takes. */
  #holding<T>(path: ByteString, action: (folder: Folder) => T): T {
    const folder = this.#folders.hold(path);
    try {
      return action(folder);
    } finally {
      this.#folders.release(path);
    }
  }

  /** What `action` gives, or null when this machine refused it: that is told. */
  #locally<T>(action: () => T): T | null {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof LocalError)) throw error;
      this.#owner.failed(error);
      return null;
    }
  }
}
