/**
 * One page of a wide folder, made of a snapshot of its names: only the entries that are on it are
 * looked at. Of a folder that is too wide for a snapshot it is made as of a short one. It owns the
 * folder's descriptor until close().
 */
import { clock } from "../sys/clock.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import { DirectoryPage } from "./directory.ts";
import { LOOKS_PER_STEP, PageLines, type PageWanted } from "./lines.ts";
import { NameCursor } from "./names.ts";
import type { Root } from "./root.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Snapshots, Wish } from "./snapshots.ts";
import type { EncodedPage } from "./store.ts";

/** A page in the making. */
export class SnapshotPage {
  readonly #snapshots: Snapshots;
  readonly #wish: Wish;
  readonly #lines: PageLines;
  readonly #readWhole: () => DirectoryPage;
  #snapshot: Snapshot | null = null;
  #cursor: NameCursor | null = null;
  /** Where the folder is too wide. */
  #whole: DirectoryPage | null = null;

  /** `fd` is the open directory of `wanted`, relative to `root`; "" `after` begins a walk. */
  constructor(snapshots: Snapshots, fd: number, root: Root, wanted: PageWanted) {
    const { folder, after } = wanted;
    this.#snapshots = snapshots;
    this.#lines = new PageLines(root, wanted);
    const { prefix } = this.#lines;
    const stat = new FileStat();
    // A failure leaves facts that no folder has: the names are then read, which tells what it is.
    kernel.statx(fd, "", stat);
    const allows = (name: ByteString): boolean => root.allows(prefix + name);
    this.#wish = { folder, fd, stat, after, allows };
    this.#readWhole = () => new DirectoryPage(fd, root, wanted);
  }

  /** Works on for a millisecond or so: null while there is more to do, then the page or -errno. */
  step(): EncodedPage | number | null {
    if (this.#whole !== null) return this.#whole.step();
    if (this.#cursor !== null) return this.#look(this.#cursor);
    this.#snapshot ??= this.#snapshots.take(this.#wish, clock.now);
    if (this.#snapshot === null) return null;
    this.#snapshots.step(this.#snapshot);
    const { state, names } = this.#snapshot;
    if (typeof state === "number") return state;
    if (state === "too wide") this.#whole = this.#readWhole();
    else if (names !== null) this.#cursor = new NameCursor(names, this.#wish.after);
    return null;
  }

  close(): void {
    if (this.#snapshot !== null) this.#snapshots.release(this.#snapshot);
    if (this.#whole !== null) this.#whole.close();
    else kernel.close(this.#wish.fd);
  }

  // --- internal ---

  #look(cursor: NameCursor): EncodedPage | number | null {
    for (let looks = 0; looks < LOOKS_PER_STEP; looks++) {
      const name = cursor.next;
      if (name === undefined || this.#lines.full) {
        if (name !== undefined) this.#snapshot?.addEnd(this.#lines.last);
        return this.#lines.page(name !== undefined);
      }
      cursor.advance();
      const failed = this.#lines.add(this.#wish.fd, name);
      if (failed < 0) return failed;
    }
    return null;
  }
}
