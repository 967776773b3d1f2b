/**
 * The open folders of a destination tree: each is opened once, relative to its parent, counted by
 * its users, and closed when it has none and the descriptors are needed for others.
 */
import { Folder } from "./folder.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Most folders kept open; more only while they have users. */
const OPEN_MAX = 256;

/** An open folder and how many hold() calls have not been released. */
interface Held {
  readonly folder: Folder;
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

  /** True when OPEN_MAX folders have users: the caller should release some before it holds more. */
  get crowded(): boolean {
    this.#makeRoom();
    return this.#open.size >= OPEN_MAX;
  }

  /**
   * The folder at `path`, made when it is missing, valid until release(). Throws LocalError where a
   * link or a file is in the way.
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
      this.#open.set(path, { folder, users: 1 });
      return folder;
    } finally {
      this.release(above);
    }
  }

  /** Ends one hold(). */
  release(path: ByteString): void {
    const held = this.#open.get(path);
    if (held !== undefined) held.users -= 1;
  }

  /** Closes all of them. */
  close(): void {
    for (const { folder } of this.#open.values()) folder.close();
    this.#open.clear();
  }

  // --- internal ---

  #makeRoom(): void {
    if (this.#open.size < OPEN_MAX) return;
    for (const [path, { folder, users }] of this.#open) {
      if (users > 0) continue;
      folder.close();
      this.#open.delete(path);
      if (this.#open.size < OPEN_MAX / 2) return;
    }
  }
}
