/**
 * What a page of a folder shows, made of a page of LIST: entries in byte order of their names, how
 * much they are together, and the row of each. Rows depend on nothing but the entry, so that those
 * who look at the same page in different orders, or under different names of the server, share
 * them.
 */
import type { ByteString } from "../bytes.ts";
import { type Entry, parseListLine } from "../entry.ts";
import { folderRow } from "./folderrow.ts";
import { type FolderSort, sortedPlaces } from "./foldersort.ts";

/** Entries of one page. */
export class FolderListing {
  readonly entries: readonly Entry[];
  /** The name of each entry. */
  readonly names: readonly ByteString[];
  readonly folders: number;
  /** Of all files together. */
  readonly bytes: bigint;
  #rows: readonly string[] | null = null;

  /** `text` holds lines of a LIST. */
  constructor(text: Uint8Array) {
    const entries: Entry[] = [];
    const names: ByteString[] = [];
    let folders = 0;
    let bytes = 0n;
    for (const line of Buffer.from(text.buffer, text.byteOffset, text.length)
      .toString("latin1")
      .split("\n")) {
      const listed = parseListLine(line);
      if (listed === null) continue;
      entries.push(listed.entry);
      names.push(listed.name);
      if (listed.entry.type === "dir") folders += 1;
      else bytes += listed.entry.size;
    }
    this.entries = entries;
    this.names = names;
    this.folders = folders;
    this.bytes = bytes;
  }

  get files(): number {
    return this.entries.length - this.folders;
  }

  /** The first file that `wanted` says yes to, or null. */
  file(wanted: (name: ByteString) => boolean): ByteString | null {
    const place = this.entries.findIndex(
      ({ type }, at) => type === "file" && wanted(this.names[at] ?? ""),
    );
    return this.names[place] ?? null;
  }

  /** All rows in the order of `sort`. */
  rows(sort: FolderSort): string {
    this.#rows ??= this.entries.map((entry, at) => folderRow(entry, this.names[at] ?? ""));
    const rows = this.#rows;
    return sortedPlaces(this.entries, sort)
      .map((place) => rows[place])
      .join("");
  }
}
