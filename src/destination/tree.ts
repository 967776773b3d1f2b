/**
 * The folders of a destination that are in use: each opened once, from the one above it, held while
 * somebody needs it, and closed when others need the descriptors.
 */
import { Folder } from "./folder.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Folders open at once, beyond those that are held. */
const OPEN_MAX = 256;

interface Held {
  readonly folder: Folder;
  users: number;
}

/** Folders below one top by their path: names joined by "/", "" being the top. */
export class FolderTree {
  readonly #top: Folder;
  readonly #open = new Map<ByteString, Held>();

  /** `top` stays the caller's. */
  constructor(top: Folder) {
    this.#top = top;
  }

  /** True when so many are held that whoever holds them should let go first. */
  get crowded(): boolean {
    this.#makeRoom();
    return this.#open.size >= OPEN_MAX;
  }

  /**
   * The folder at `path`, made when it is missing, until release(). Throws LocalError where a link
   * or a file is in the way.
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

  /** Pays back one hold(). */
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
