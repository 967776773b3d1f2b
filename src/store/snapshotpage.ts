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
import { lookAt, type NamesAhead } from "./namesahead.ts";
import type { PageStep } from "./pages.ts";
import type { Root } from "./root.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Snapshots, Wish } from "./snapshots.ts";

/** A page in the making. */
export class SnapshotPage {
  readonly #snapshots: Snapshots;
  readonly #wish: Wish;
  readonly #lines: PageLines;
  readonly #ahead: NamesAhead | null;
  readonly #readWhole: () => DirectoryPage;
  #snapshot: Snapshot | null = null;
  #cursor: NameCursor | null = null;
  /** Where the folder is too wide. */
  #whole: DirectoryPage | null = null;

  /**
   * `fd` is the open directory of `wanted`, relative to `root`; "" `after` begins a walk. `ahead`
   * is as DirectoryPage has it.
   */
  constructor(
    snapshots: Snapshots,
    fd: number,
    root: Root,
    wanted: PageWanted,
    ahead: NamesAhead | null = null,
  ) {
    const { folder, after } = wanted;
    this.#snapshots = snapshots;
    this.#lines = new PageLines(root, wanted);
    this.#ahead = ahead;
    const { prefix } = this.#lines;
    const stat = new FileStat();
    // A failure leaves facts that no folder has: the names are then read, which tells what it is.
    kernel.statx(fd, "", stat);
    const allows = (name: ByteString): boolean => root.allows(prefix + name);
    this.#wish = { folder, fd, stat, after, allows };
    this.#readWhole = () => new DirectoryPage(fd, root, wanted, ahead);
  }

  /** Works on for a millisecond or so. */
  step(): PageStep {
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

  #look(cursor: NameCursor): PageStep {
    const names = cursor.ahead(LOOKS_PER_STEP);
    const { prefix } = this.#lines;
    if (this.#ahead?.ready(this.#wish.fd, prefix, names) === false) return "waits";
    const state = lookAt(this.#wish.fd, this.#lines, names, this.#ahead, () => cursor.advance());
    if (typeof state === "number") return state;
    const more = cursor.next !== undefined;
    if (more && !this.#lines.full) return null;
    if (more) this.#snapshot?.addEnd(this.#lines.last);
    return this.#lines.page(more);
  }
}
