/**
 * The lines of one page, entry by entry: each name is looked at, and what can't be had is counted,
 * and told where that is asked for. Looking costs one call for each plain file, whether anything is
 * left out or not. It owns neither the descriptor it looks below nor the names.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat } from "../sys/types.ts";
import { bufferOf, type ByteString } from "../wire/bytes.ts";
import { type Entry, leftLine, type LeftKind, listLine } from "../wire/entry.ts";
import { HERE } from "../wire/path.ts";
import { entryOf } from "./file.ts";
import { refusalOf } from "./refusal.ts";
import { COLD, type Root } from "./root.ts";
import type { EncodedPage } from "./store.ts";

/** Entries a step looks at: about 3 us each. */
export const LOOKS_PER_STEP = 128;

/**
 * Bytes of one page, about 1,400 entries: so much the kernel takes from a client that does not
 * read, so that we hold nothing for it. More follows on the next page.
 */
const PAGE_BYTES_MAX = 131_072;

const found = new FileStat();

/** What a page is to hold. */
export interface PageWanted {
  /** The folder, relative to the root. */
  readonly folder: ByteString;
  /** Most entries. */
  readonly limit: number;
  /** The page begins behind this name; "" at the start. */
  readonly after: ByteString;
  /** Whether each name that can't be had has a line too. */
  readonly left: boolean;
  /** The folder's own, for the reply. */
  readonly id: string;
}

/** What stands in front of a name in the folder `relative`: "" in the root itself. */
function prefixOf(relative: ByteString): ByteString {
  return relative === HERE ? "" : `${relative.replace(/\/$/, "")}/`;
}

/** The lines so far. */
export class PageLines {
  /** In front of each name: prefixOf() the folder. */
  readonly prefix: ByteString;
  readonly #root: Root;
  readonly #limit: number;
  readonly #tells: boolean;
  readonly #id: string;
  /** The name of the last line; "" before there is one. */
  last: ByteString = "";
  #text = "";
  #count = 0;
  /** Names left out in front of the last line, and behind it: those the next page meets again. */
  #left = 0;
  #leftBehind = 0;
  /** What #find() looked at last. */
  #kind: LeftKind = "unknown";

  constructor(root: Root, { folder, limit, left, id }: PageWanted) {
    this.#root = root;
    this.prefix = prefixOf(folder);
    this.#limit = limit;
    this.#tells = left;
    this.#id = id;
  }

  /** Entries so far. */
  get count(): number {
    return this.#count;
  }

  /** True when no entry has room any more. */
  get full(): boolean {
    return this.#count === this.#limit || this.#text.length > PAGE_BYTES_MAX;
  }

  /**
   * Adds `name` of the open folder `fd`, unless it can't be had: 0, or -errno of what ends the
   * page. COLD: it is a link whose end is not in memory, and nothing was added; `brought` is true
   * where the thread for looks has been there.
   */
  add(fd: number, name: ByteString, brought = true): number {
    const failed = this.#find(fd, name, brought);
    if (failed < 0) {
      return failed === COLD || passes(failed) ? failed : this.#leave(name, failed);
    }
    const entry = found.isFile ? entryOf(found, this.#root.device) : directoryOf(found);
    this.#text += listLine(entry, name);
    this.#count += 1;
    this.#ends(name);
    return 0;
  }

  /** The page; `more` follows behind it. */
  page(more: boolean): EncodedPage {
    const left = this.#left + (more ? 0 : this.#leftBehind);
    return { text: bufferOf(this.#text), count: this.#count, more, left, id: this.#id };
  }

  // --- internal ---

  /**
   * Fills `found` with what a READ or STAT of the name would meet: 0, or the -errno of why it would
   * be refused: a link that leads nowhere, a device. What only its opening would show is listed: a
   * file that may not be read, a file system mounted here.
   */
  #find(folder: number, name: ByteString, brought: boolean): number {
    this.#kind = "unknown";
    const failed = kernel.statx(folder, name, found);
    if (failed < 0) return failed;
    this.#kind = found.isLink ? "link" : "special";
    if (found.isLink) {
      const path = this.prefix + name;
      const fd = brought ? this.#root.openPath(path, found) : this.#root.openCached(path, found);
      if (fd < 0) return fd;
      kernel.close(fd);
    }
    return found.isFile || found.isDirectory ? 0 : -ERRNO.EACCES;
  }

  /** Counts and tells `name`, which can't be had; one that has gone meanwhile is none. */
  #leave(name: ByteString, failed: number): 0 {
    if (this.#kind === "unknown" && failed === -ERRNO.ENOENT) return 0;
    this.#leftBehind += 1;
    if (!this.#tells) return 0;
    this.#text += leftLine({ kind: this.#kind, code: refusalOf(failed, "").code, name });
    this.#ends(name);
    return 0;
  }

  /** The last line is of `name`: a page that ends here has told all up to it. */
  #ends(name: ByteString): void {
    this.last = name;
    this.#left += this.#leftBehind;
    this.#leftBehind = 0;
  }
}

// --- internal ---

/**
 * True for what passes by itself, as a want of descriptors: a page that left names out for it would
 * say that they are not there.
 */
function passes(failed: number): boolean {
  return refusalOf(failed, "").code === "EBUSY";
}

/** A directory's line shows no etag, so none is hashed. */
function directoryOf({ mtime }: FileStat): Entry {
  return { type: "dir", size: 0n, mtime, etag: "" };
}
