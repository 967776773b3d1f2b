/**
 * Folders, from a name to a page of their entries. Whether there is one is told at once where that
 * takes no disk; all that may take it waits in the queue of pages.
 */
import { clock } from "../sys/clock.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Refusal } from "../wire/errors.ts";
import { DirectoryPage } from "./directory.ts";
import { folderIdOf } from "./etag.ts";
import { FolderPage } from "./folderpage.ts";
import type { PageWanted } from "./lines.ts";
import type { Looks } from "./looks.ts";
import { Pages, type PageWork } from "./pages.ts";
import { refusalOf } from "./refusal.ts";
import { COLD, type Root } from "./root.ts";
import { SnapshotPage } from "./snapshotpage.ts";
import { Snapshots } from "./snapshots.ts";
import type { Waiter } from "./store.ts";

/** What a page is to hold, before its folder is open. */
export type PageAsked = Omit<PageWanted, "id">;

/**
 * The records of a folder that was read are believed to be in memory for so long, in milliseconds:
 * nothing tells it. The thread reads those of others first, which costs 60 us.
 */
const READ_MS = 10_000;

/** Folders of which that is known: the oldest is read again. */
const READ_MAX = 256;

/** The folders below a root. */
export class Folders {
  readonly #root: Root;
  readonly #looks: Looks;
  readonly #stat = new FileStat();
  readonly #pages = new Pages();
  readonly #snapshots = new Snapshots();
  /** When the records of a folder were read, by its id; the oldest first. */
  readonly #readAt = new Map<string, number>();

  /** They stay the caller's. */
  constructor(root: Root, looks: Looks) {
    this.#root = root;
    this.#looks = looks;
  }

  /** Pages that are made and that wait. */
  get pages(): number {
    return this.#pages.making + this.#pages.waiting;
  }

  /** As Store.list() of `path`. */
  list(
    path: ByteString,
    asked: PageAsked,
    waiter: Waiter,
    found: boolean,
  ): Refusal | "cold" | null {
    const { folder, limit, after, left } = asked;
    const fd = this.#open(folder);
    if (fd === COLD && !found) return "cold";
    if (fd < 0 && fd !== COLD) return refusalOf(fd, path);
    // Nobody holds a descriptor while it waits in a queue.
    if (fd >= 0) kernel.close(fd);
    const bytes = fd < 0 ? 0 : Number(this.#stat.size);
    const key = `${limit} ${left} ${after.length} ${after}${folder}`;
    const { peer } = waiter;
    this.#pages.add(key, path, bytes, waiter, (long) => this.#begin(asked, peer, long));
    return null;
  }

  /** Called about once a second. */
  sweep(): void {
    this.#snapshots.sweep(clock.now);
  }

  /** Closes what is open; nobody is told anything any more. */
  close(): void {
    this.#pages.close();
    this.#snapshots.clear();
  }

  // --- internal ---

  #begin(asked: PageAsked, peer: string, long: boolean): PageWork | number {
    const fd = this.#open(asked.folder);
    if (fd < 0 && fd !== COLD) return fd;
    const known = fd >= 0 && this.#isRead(asked.folder, long);
    const open = fd === COLD ? null : fd;
    return new FolderPage(this.#looks, this.#root, peer, asked.folder, open, {
      known,
      begin: (folder, ahead) => {
        const failed = kernel.statx(folder, "", this.#stat);
        if (failed < 0) {
          kernel.close(folder);
          return failed;
        }
        const id = folderIdOf(this.#stat);
        if (!known) this.#noteRead(id);
        const wanted = { ...asked, id };
        if (!long) return new DirectoryPage(folder, this.#root, wanted, ahead);
        return new SnapshotPage(this.#snapshots, folder, this.#root, wanted, ahead);
      },
    });
  }

  /** Whether the records of the folder whose facts are in `#stat` were read a short time ago. */
  #isRead(folder: ByteString, long: boolean): boolean {
    if (long && this.#snapshots.has(folder)) return true;
    const readAt = this.#readAt.get(folderIdOf(this.#stat));
    return readAt !== undefined && clock.now - readAt < READ_MS;
  }

  #noteRead(id: string): void {
    this.#readAt.delete(id);
    this.#readAt.set(id, clock.now);
    const [oldest = ""] = this.#readAt.keys();
    if (this.#readAt.size > READ_MAX) this.#readAt.delete(oldest);
  }

  /** Opens a folder that is in memory, its facts in `#stat`: its descriptor, COLD or -errno. */
  #open(folder: ByteString): number {
    const found = this.#root.openCached(folder, this.#stat);
    if (found < 0) return found;
    if (this.#stat.isDirectory) return this.#root.reopen(found, OPEN.directory);
    kernel.close(found);
    return -ERRNO.ENOTDIR;
  }
}
