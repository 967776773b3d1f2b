/**
 * The entries of a folder, page by page, or of all folders below it, depth first. It trusts no
 * server: names that can't be names are refused, and pages.ts checks their order. Memory: one page
 * a level; or, where another order than the server's is asked for, whole folders up to a bound.
 */
import type { Target } from "../client/address.ts";
import { ClientError, protocolError } from "../client/error.ts";
import type { NamedEntry } from "../client/exchange.ts";
import type { ClientsByServer } from "../client/clients.ts";
import { about } from "../client/message.ts";
import type { ByteString } from "../wire/bytes.ts";
import { type Entry, isName, type LeftName } from "../wire/entry.ts";
import { LIST_ENTRIES_MAX } from "../wire/vocabulary.ts";
import { Pages } from "./pages.ts";
import { leadsBack, noName } from "./walk.ts";

/** Levels below the folder that is asked for: no honest tree is deeper, and each holds a page. */
export const DEPTH_MAX = 255;

/** Entries of a page where one is held for each level. */
const LIMIT_DEEP = 1000;

/** Entries held to be sorted, of all levels together: at some 650 bytes each. */
export const SORTED_MAX = 1_000_000;

/** One entry and where it is. */
export interface ListedEntry {
  readonly entry: Entry;
  readonly name: ByteString;
  /** The whole path, starting with "/". */
  readonly path: ByteString;
}

/** Negative when `a` comes first, as for Array.sort(). */
export type EntryOrder = (a: NamedEntry, b: NamedEntry) => number;

/** How to list. */
export interface ListingOptions {
  readonly recursive: boolean;
  /** The order of each folder's entries; null: the server's, by the bytes of the names. */
  readonly order: EntryOrder | null;
  /** Told of what is left out; the listing goes on. */
  readonly failed: (error: ClientError) => void;
  /** Told of a name at `path` that is there and that the server leaves out. */
  readonly left: (left: LeftName, path: ByteString) => void;
}

/**
 * The entries below `target`, a folder, as they come; the folder itself is not among them. Throws
 * ClientError when the folder itself can't be listed to its end, or nothing more can be asked.
 */
export async function* listing(
  servers: ClientsByServer,
  target: Target,
  { recursive, order, failed, left }: ListingOptions,
): AsyncGenerator<readonly ListedEntry[]> {
  const limit = recursive && order === null ? LIMIT_DEEP : undefined;
  const folders = [new Folder(servers, target, limit, left)];
  for (let folder = folders.at(-1); folder !== undefined; folder = folders.at(-1)) {
    if (folder.rest.length === 0) {
      const turn = (): Promise<void> =>
        order === null ? folder.turn() : folder.sort(order, folders);
      if (folder.done || !(await turned(turn, folders.length > 1 ? failed : null))) folders.pop();
      const above = folders.slice(0, -1).find(({ id }) => id !== "" && id === folder.id);
      if (above !== undefined && folders.at(-1) === folder) {
        failed(leadsBack(target.server, folder.target.path, above.target.path));
        folders.pop();
      }
      continue;
    }
    const { places, below } = take(folder, recursive, failed);
    if (places.length > 0) yield places;
    if (below === null) continue;
    if (folders.length <= DEPTH_MAX) folders.push(new Folder(servers, below, limit, left));
    else failed(tooDeep(below));
  }
}

/** `name` below `folder`, both as bytes. */
export function joined(folder: ByteString, name: ByteString): ByteString {
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

// --- internal ---

/** One folder that is being listed. */
class Folder {
  readonly target: Target;
  /** Entries of the page that are not taken yet, the next one last. */
  rest: NamedEntry[] = [];
  readonly #pages: Pages;
  readonly #left: ListingOptions["left"];

  constructor(
    servers: ClientsByServer,
    target: Target,
    limit: number | undefined,
    left: ListingOptions["left"],
  ) {
    this.target = target;
    this.#left = left;
    const broken = (text: string): ClientError =>
      protocolError(about(text, target.server, target.path));
    this.#pages = new Pages({
      // With a page for each level the one ahead would be in the way of the level below.
      ahead: limit === undefined,
      ask: (after) => servers.ask(target, (client, path) => client.list(path, after, limit)),
      disorder: (name) =>
        name === null
          ? broken("LIST says more= and sends nothing")
          : broken("LIST has names that are not in order"),
    });
  }

  /** What tells the folder from others; "" before a page came, or where the server tells none. */
  get id(): string {
    return this.#pages.id;
  }

  /** No page is left. */
  get done(): boolean {
    return this.#pages.done;
  }

  /** Gets the next page, all of it or nothing. Rejects with ClientError. */
  async turn(): Promise<void> {
    this.rest = (await this.#page()).toReversed();
  }

  /** Gets all pages, in that order. Rejects with ClientError, also when `folders` hold too much. */
  async sort(order: EntryOrder, folders: readonly Folder[]): Promise<void> {
    const held = folders.reduce((sum, { rest }) => sum + rest.length, 0);
    const all: NamedEntry[] = [];
    while (!this.done) {
      for (const entry of await this.#page()) all.push(entry);
      if (held + all.length > SORTED_MAX) throw tooMany(this.target);
    }
    this.rest = all.sort(order).reverse();
  }

  // --- internal ---

  async #page(): Promise<readonly NamedEntry[]> {
    const { entries, left, broken } = await this.#pages.next();
    for (const one of left) this.#left(one, joined(this.target.path, one.name));
    if (broken !== null) throw broken;
    return entries;
  }
}

/**
 * Gets the next page; false when the folder is given up, which `failed` is told. Throws when there
 * is nobody to be told, or when other folders would fail in the same way.
 */
async function turned(
  turn: () => Promise<void>,
  failed: ((error: ClientError) => void) | null,
): Promise<boolean> {
  try {
    await turn();
    return true;
  } catch (error) {
    if (!(error instanceof ClientError) || failed === null || isFinal(error)) throw error;
    failed(error);
    return false;
  }
}

/** The server is gone, or can't be believed in anything. */
function isFinal({ kind }: ClientError): boolean {
  return ["incomplete", "no-connection", "timed-out", "protocol"].includes(kind);
}

/** Entries of the page, as many as a server sends at once, up to the first folder to go into. */
function take(
  folder: Folder,
  recursive: boolean,
  failed: (error: ClientError) => void,
): { places: ListedEntry[]; below: Target | null } {
  const { server, path: parent } = folder.target;
  const places: ListedEntry[] = [];
  for (let entry = folder.rest.pop(); entry !== undefined; entry = folder.rest.pop()) {
    const { name } = entry;
    if (!isName(name)) {
      failed(noName(server, parent, name));
      continue;
    }
    const path = joined(parent, name);
    places.push({ entry, name, path });
    if (recursive && entry.type === "dir") {
      return { places, below: { server, path, literal: path } };
    }
    if (places.length >= LIST_ENTRIES_MAX) break;
  }
  return { places, below: null };
}

function tooMany({ server, path }: Target): ClientError {
  const most = SORTED_MAX.toLocaleString("en-US");
  const text = `more than ${most} entries are listed by name only, as they come`;
  return new ClientError("unexpected", "E2BIG", `E2BIG: ${about(text, server, path)}`);
}

function tooDeep({ server, path }: Target): ClientError {
  const text = about(`deeper than ${DEPTH_MAX} folders, not listed`, server, path);
  return new ClientError("incomplete", "ELOOP", `ELOOP: ${text}`);
}
