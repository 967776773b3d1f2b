/**
 * One page of a directory: reads all names, keeps the first ones behind `after` in byte order, and
 * looks at those. Where all of them would be refused it goes on behind them, so that a page with
 * more behind it is never empty. It works in steps between which the loop serves others; memory is
 * bounded by the page, not by the directory.
 */
import { kernel } from "../sys/kernel.ts";
import { OPEN } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import { HERE } from "../wire/path.ts";
import { LOOKS_PER_STEP, PageLines, type PageWanted } from "./lines.ts";
import { lookAt, type NamesAhead } from "./namesahead.ts";
import type { PageStep } from "./pages.ts";
import { readNames } from "./records.ts";
import type { Root } from "./root.ts";

/** A directory of links that lead nowhere is read once for so many of them. */
const NAMES_REFUSED = 4096;

/** A page in the making. Owns the directory's descriptor until close(). */
export class DirectoryPage {
  #fd: number;
  readonly #root: Root;
  readonly #lines: PageLines;
  readonly #ahead: NamesAhead | null;
  readonly #limit: number;
  /** Names that are looked at before the directory is read again. */
  #kept: number;
  #after: ByteString;
  #state: "names" | "looks" | "done" | number = "names";
  #names: ByteString[] = [];
  /** Names from here on are not on this page; "" while there is room for all. */
  #cutoff: ByteString = "";
  #next = 0;

  /**
   * `fd` is the open directory of `wanted`, relative to `root`. `ahead` brings its names into
   * memory; null: they are there.
   */
  constructor(fd: number, root: Root, wanted: PageWanted, ahead: NamesAhead | null = null) {
    this.#fd = fd;
    this.#root = root;
    this.#lines = new PageLines(root, wanted);
    this.#ahead = ahead;
    this.#limit = wanted.limit;
    this.#kept = wanted.limit;
    this.#after = wanted.after;
  }

  /** Works on for less than a millisecond. */
  step(): PageStep {
    if (this.#state === "names") this.#readNames();
    else if (this.#state === "looks" && !this.#look()) return "waits";
    if (typeof this.#state === "number") return this.#state;
    if (this.#state !== "done") return null;
    const more = this.#next < this.#names.length;
    return this.#lines.page(more);
  }

  close(): void {
    kernel.close(this.#fd);
  }

  // --- internal ---

  #readNames(): void {
    const filled = readNames(this.#fd, (name) => this.#take(name));
    if (filled < 0) {
      this.#state = filled;
    } else if (filled === 0) {
      this.#trim();
      this.#state = "looks";
    }
  }

  #take(name: ByteString): void {
    if (name <= this.#after || (this.#cutoff !== "" && name >= this.#cutoff)) return;
    if (!this.#root.allows(this.#lines.prefix + name)) return;
    this.#names.push(name);
    // Twice what is kept before each sort: every name is moved a bounded number of times.
    if (this.#names.length > 2 * (this.#kept + 1)) this.#trim();
  }

  /** Keeps one name more than is looked at: it tells that there is more. */
  #trim(): void {
    // Without a comparison of ours: the same order, in a fifth of the time.
    const sorted = this.#names.sort();
    // A name that was removed and made again meanwhile may come twice (readdir(3)).
    this.#names = sorted.filter((name, nth) => name !== sorted[nth - 1]);
    if (this.#names.length <= this.#kept + 1) return;
    this.#names.length = this.#kept + 1;
    this.#cutoff = this.#names[this.#kept] ?? "";
  }

  /** False where the names have to be waited for. */
  #look(): boolean {
    const end = Math.min(this.#next + LOOKS_PER_STEP, this.#names.length, this.#kept);
    const names = this.#names.slice(this.#next, end);
    const { prefix } = this.#lines;
    if (this.#ahead?.ready(this.#fd, prefix, names) === false) return false;
    this.#state = lookAt(this.#fd, this.#lines, names, this.#ahead, () => (this.#next += 1));
    if (this.#state !== "looks" || this.#next < Math.min(this.#names.length, this.#kept)) {
      return true;
    }
    const empty = this.#lines.count === 0 && this.#limit > 0;
    if (empty && this.#next < this.#names.length) this.#readOn();
    else this.#state = "done";
    return true;
  }

  /** None of the names can be had, but there are more: from the directory's start, behind those. */
  #readOn(): void {
    const fd = kernel.openat(this.#fd, HERE, OPEN.readOnly | OPEN.directory);
    if (fd < 0) {
      this.#state = fd;
      return;
    }
    kernel.close(this.#fd);
    this.#fd = fd;
    this.#after = this.#names[this.#next - 1] ?? "";
    this.#kept = Math.max(this.#limit, NAMES_REFUSED);
    this.#names = [];
    this.#cutoff = "";
    this.#next = 0;
    this.#state = "names";
  }
}
