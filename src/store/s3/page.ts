/**
 * Pages of a folder, out of lists of an object store. The store has keys in the order of their
 * bytes, in which a folder stands as "a/", behind "a.b"; a page has names, in which it is "a", and
 * in front. Which folders belong in front of a list's end, but behind it in the store's order, is
 * known without reading on: their names are the begins of the last name there, and each is asked
 * for by itself.
 */
import { bufferOf, bytesOf, type ByteString, utf8Of } from "../../wire/bytes.ts";
import { type Entry, leftLine, listLine } from "../../wire/entry.ts";
import { Refusal } from "../../wire/errors.ts";
import type { PageWanted } from "../lines.ts";
import type { EncodedPage } from "../store.ts";
import { KEYS_MAX, type Listed, type ObjectVersion } from "./bucket.ts";
import { nameOf } from "./key.ts";
import { entryOfVersion } from "./object.ts";

/** Bytes of one page, as of a disk's (lines.ts). */
const PAGE_BYTES_MAX = 131_072;

/**
 * Lists read for one page: so many in which no name can be shown. More is EIO: a page that ends
 * without a name could not be gone on with.
 */
const LISTS_MAX = 100;

/** What a page asks of the store. */
export interface PageSource {
  /** As Bucket.list, of one folder and folded. */
  list(from: { after: string } | { next: string }, most: number): Promise<Listed | Refusal>;
  /** Whether some key begins with this name and a slash. */
  hasFolder(name: string): Promise<boolean | Refusal>;
}

/** What stands under a name. */
interface Named {
  readonly entry: Entry | null;
  readonly folder: boolean;
}

const FOLDER: Entry = { type: "dir", size: 0n, mtime: 0n, etag: "" };

/** A page, or null where no key begins with the folder's: it may be no folder. */
export async function pageOf(
  source: PageSource,
  folderKey: string,
  wanted: PageWanted,
  hidden: boolean,
): Promise<EncodedPage | Refusal | null> {
  const names = new Names(folderKey, wanted.after, hidden);
  let from: { after: string } | { next: string } = { after: startOf(wanted.after) };
  for (let lists = 0; ; lists++) {
    if (lists === LISTS_MAX) return new Refusal("EIO", "no name can be shown in so many keys");
    // One more than the page shows, and the folder's own mark.
    const most = Math.min(KEYS_MAX, Math.max(2, wanted.limit + 2 - names.count));
    const listed = await source.list(from, most);
    if (listed instanceof Refusal) return listed;
    names.add(listed);
    if (listed.next === null) break;
    from = { next: listed.next };
    if (names.count <= wanted.limit) continue;
    const failed = await names.addBefore(source);
    if (failed !== null) return failed;
    return pageIn(names, wanted, true);
  }
  if (!names.any) return null;
  return pageIn(names, wanted, false);
}

// --- internal ---

/** The names of a folder from some point on, as far as they are known. */
class Names {
  /** True when some key was there at all. */
  any = false;
  readonly #folderKey: string;
  readonly #after: ByteString;
  readonly #hidden: boolean;
  readonly #named = new Map<ByteString, Named>();
  /** Names that can't be shown, which have no place in the order. */
  unshown = 0;
  /** The greatest key there, behind the folder's. */
  #last = "";

  constructor(folderKey: string, after: ByteString, hidden: boolean) {
    this.#folderKey = folderKey;
    this.#after = after;
    this.#hidden = hidden;
  }

  get count(): number {
    return this.#named.size;
  }

  /** In the order of their bytes. */
  get sorted(): [ByteString, Named][] {
    return [...this.#named].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  add({ objects, folders, unreadable }: Listed): void {
    this.unshown += unreadable;
    if (unreadable + objects.length + folders.length > 0) this.any = true;
    for (const object of objects) this.#addObject(object);
    for (const folder of folders) {
      const rest = folder.slice(this.#folderKey.length);
      this.#reach(rest);
      this.#add(rest.slice(0, -1), { entry: null, folder: true });
    }
  }

  /**
   * Adds the folders that belong in front of the last name and stand behind it in the store's
   * order: "a" where the last one is "a-b" or "a b". A question each: of the usual names one or
   * two, and never more than a name has bytes.
   */
  async addBefore(source: PageSource): Promise<Refusal | null> {
    const last = this.#last.replace(/\/$/, "");
    for (let end = 1; end < last.length; end++) {
      if (last.charAt(end) >= "/") continue;
      const name = last.slice(0, end);
      if (bytesOf(name) <= this.#after || this.#named.get(bytesOf(name))?.folder === true) continue;
      const has = await source.hasFolder(name);
      if (has instanceof Refusal) return has;
      if (has) this.#add(name, { entry: null, folder: true });
    }
    return null;
  }

  // --- internal ---

  #addObject(object: ObjectVersion): void {
    const rest = object.key.slice(this.#folderKey.length);
    this.#reach(rest);
    // The mark of the folder itself, as consoles make one: there is nothing in it to miss.
    if (rest === "" && object.size === 0) return;
    this.#add(rest, { entry: entryOfVersion(object), folder: false });
  }

  #add(text: string, named: Named): void {
    const name = nameOf(text);
    if (name === null) {
      this.unshown += 1;
      return;
    }
    if (name <= this.#after || (!this.#hidden && name.startsWith("."))) return;
    const known = this.#named.get(name);
    // One name may be both; each is added once, whichever way it was found.
    const entry = known?.entry ?? named.entry;
    this.#named.set(name, { entry, folder: named.folder || known?.folder === true });
  }

  #reach(rest: string): void {
    if (Buffer.compare(Buffer.from(rest), Buffer.from(this.#last)) > 0) this.#last = rest;
  }
}

/** What a list begins behind, for a page behind `after`: as much of it as a key can begin with. */
function startOf(after: ByteString): string {
  const [text = ""] = utf8Of(after).split(/[\\\p{Cc}\u{fffd}]/u);
  return text;
}

function pageIn(names: Names, wanted: PageWanted, goesOn: boolean): EncodedPage {
  const { limit, left, id } = wanted;
  const lines: ByteString[] = [];
  let bytes = 0;
  let count = 0;
  let lefts = names.unshown;
  let more = goesOn;
  for (const [name, { entry, folder }] of names.sorted) {
    if (count === limit || bytes > PAGE_BYTES_MAX) {
      more = true;
      break;
    }
    const line = listLine(entry ?? FOLDER, name);
    lines.push(line);
    bytes += line.length;
    count += 1;
    // The folder of the same name can be listed, and has no place here.
    if (entry === null || !folder) continue;
    lefts += 1;
    if (left) lines.push(leftLine({ kind: "unknown", code: "ENOTDIR", name }));
  }
  return { text: bufferOf(lines.join("")), count, more, left: lefts, id };
}
