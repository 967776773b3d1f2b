/**
 * The tree of a destination's folders that are in use: each opened once, from the one above it,
 * held while somebody needs it, and closed when others need the descriptors.
 *
 * Invariant: a folder is open as long as one below it is, and it is synced before it is closed if
 * names were changed in it.
 */
import { type Folder, syncFolders } from "./folder.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Most folders kept open; more only while they have users. */
const OPEN_MAX = 256;

/** An open folder and how many hold() calls have not been released. */
interface Held {
  readonly folder: Folder;
  /** The path of the folder above it. */
  readonly above: ByteString;
  /** Who holds it; each open folder in it counts as one. */
  users: number;
}

/** The folders below `top` by their path: names joined by "/"; "" is `top`. */
export class FolderTree {
  readonly #top: Folder;
  readonly #open = new Map<ByteString, Held>();

  /** `top` is not closed here. */
  constructor(top: Folder) {
    this.#top = top;
  }

  /**
   * True when so many are held that whoever holds them should let go first. Throws LocalError when
   * one that is closed for room can't be synced.
   */
  get crowded(): boolean {
    this.#makeRoom();
    return this.#open.size >= OPEN_MAX;
  }

  /**
   * The folder at `path`, made when it is missing, until release(). Throws LocalError where a link
   * or a file is in the way, and as `crowded` does.
   */
  hold(path: ByteString): Folder {
    if (path === "") return this.#top;
    const had = this.#open.get(path);
    if (had !== undefined) {
      had.users += 1;
      return had.folder;
    }
    this.#makeRoom();
    const slash = path.lastIndexOf("/");
    const above = slash < 0 ? "" : path.slice(0, slash);
    const parent = this.hold(above);
    try {
      const folder = parent.below(path.slice(slash + 1));
      this.#open.set(path, { folder, above, users: 1 });
      return folder;
    } catch (error) {
      this.release(above);
      throw error;
    }
  }

  /** Ends one hold(). */
  release(path: ByteString): void {
    const held = this.#open.get(path);
    if (held !== undefined) held.users -= 1;
  }

  /** Brings the names that were changed in open folders to the disk. Throws LocalError. */
  sync(): void {
    syncAll([this.#top, ...[...this.#open.values()].map(({ folder }) => folder)]);
  }

  /** Closes all of them, synced or not. */
  close(): void {
    for (const { folder } of this.#open.values()) folder.close();
    this.#open.clear();
  }

  // --- internal ---

  /** Closes folders that nobody holds, half of all that may be open, those inside others first. */
  #makeRoom(): void {
    if (this.#open.size < OPEN_MAX) return;
    for (let surplus = this.#open.size - OPEN_MAX / 2; surplus > 0;) {
      const free = [...this.#open].filter(([, { users }]) => users === 0).slice(0, surplus);
      if (free.length === 0) return;
      syncAll(free.map(([, { folder }]) => folder));
      for (const [path, { folder, above }] of free) {
        folder.close();
        this.#open.delete(path);
        this.release(above);
      }
      surplus -= free.length;
    }
  }
}

// --- internal ---

/** Throws the first error of syncFolders(). */
function syncAll(folders: readonly Folder[]): void {
  const [error] = syncFolders(folders.filter(({ changed }) => changed)).values();
  if (error !== undefined) throw error;
}
