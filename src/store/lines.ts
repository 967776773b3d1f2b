/**
 * The lines of one page, entry by entry: each name is looked at, and what can't be had is left out.
 * It owns neither the descriptor it looks below nor the names.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat } from "../sys/types.ts";
import { bufferOf, type ByteString } from "../wire/bytes.ts";
import { type Entry, listLine } from "../wire/entry.ts";
import { HERE } from "../wire/path.ts";
import { entryOf } from "./file.ts";
import { refusalOf } from "./refusal.ts";
import type { Root } from "./root.ts";
import type { EncodedPage } from "./store.ts";

/** Entries a step looks at: about 3 us each. */
export const LOOKS_PER_STEP = 128;

/**
 * Bytes of one page, about 1,400 entries: so much the kernel takes from a client that does not
 * read, so that we hold nothing for it. More follows on the next page.
 */
const PAGE_BYTES_MAX = 131_072;

const found = new FileStat();

/** What stands in front of a name in the folder `relative`: "" in the root itself. */
export function prefixOf(relative: ByteString): ByteString {
  return relative === HERE ? "" : `${relative.replace(/\/$/, "")}/`;
}

/** The lines so far. */
export class PageLines {
  /** In front of each name: prefixOf() the folder. */
  readonly prefix: ByteString;
  readonly #root: Root;
  readonly #limit: number;
  /** The name of the last entry; "" before there is one. */
  last: ByteString = "";
  #text = "";
  #count = 0;

  constructor(root: Root, prefix: ByteString, limit: number) {
    this.#root = root;
    this.prefix = prefix;
    this.#limit = limit;
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
   * page.
   */
  add(fd: number, name: ByteString): number {
    const failed = this.#find(fd, name);
    if (failed < 0) return passes(failed) ? failed : 0;
    const entry = found.isFile ? entryOf(found, this.#root.device) : directoryOf(found);
    this.#text += listLine(entry, name);
    this.#count += 1;
    this.last = name;
    return 0;
  }

  /** The page; `more` follows behind it. */
  page(more: boolean): EncodedPage {
    return { text: bufferOf(this.#text), count: this.#count, more };
  }

  // --- internal ---

  /**
   * Fills `found` with what a READ or STAT of the name would meet: 0, or the -errno of why it would
   * be refused: a link that leads nowhere, a device. What only its opening would show is listed: a
   * file that may not be read, a file system mounted here.
   */
  #find(folder: number, name: ByteString): number {
    const failed = kernel.statx(folder, name, found);
    if (failed < 0) return failed;
    if (found.isLink) {
      const fd = this.#root.openPath(this.prefix + name, found);
      if (fd < 0) return fd;
      kernel.close(fd);
    }
    return found.isFile || found.isDirectory ? 0 : -ERRNO.EACCES;
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
