/**
 * Several stores as one tree: a folder for each at the top, under its name, and nothing beside
 * them. A path's first name says which store it is about, and the rest is that store's to confine:
 * `..` is refused in any place, so that no path gets from one into another. It holds no bytes and
 * no descriptor. A server of one root has no such store, and pays nothing for it.
 */
import type { ByteString } from "../wire/bytes.ts";
import { bufferOf } from "../wire/bytes.ts";
import { type Entry, listLine } from "../wire/entry.ts";
import { Refusal, textOf } from "../wire/errors.ts";
import { HERE, relativeOf } from "../wire/path.ts";
import { printable } from "../wire/printable.ts";
import { namesIdOf } from "./etag.ts";
import { OnBehalf } from "./onbehalf.ts";
import { type RootEntries, RootFolders } from "./rootfolders.ts";
import type {
  DigestRange,
  EncodedPage,
  OpenFile,
  ServedRoot,
  Store,
  StoreFacts,
  Waiter,
} from "./store.ts";

/** A name at the top of the tree, and what is below it. */
export interface NamedRoot {
  readonly name: ByteString;
  readonly store: Store;
}

/** The tree. */
export class NamedStore implements Store {
  readonly label: string;
  /** Never one file, also where one of the roots is. */
  readonly single = "";
  readonly roots: readonly ServedRoot[];
  /** In the order of their names' bytes. */
  readonly #named: readonly NamedRoot[];
  readonly #byName: ReadonlyMap<ByteString, Store>;
  /** Of the top, which is no folder of any disk: the same in every worker and after a restart. */
  readonly #id: string;
  /** Whose each file is that was opened. */
  readonly #owners = new WeakMap<OpenFile, Store>();

  /** Takes over the stores; no two have the same name. */
  constructor(roots: readonly NamedRoot[]) {
    this.#named = [...roots].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#byName = new Map(this.#named.map(({ name, store }) => [name, store]));
    this.label = this.#named.map(({ name, store }) => `${name} (${store.label})`).join(", ");
    this.roots = this.#named.flatMap(({ name, store }) =>
      store.roots.map(({ at, folder }) => ({ at: `/${name}${at}`, folder })),
    );
    this.#id = namesIdOf(this.#named.map(({ name }) => name));
  }

  get facts(): StoreFacts {
    const all = this.#named.map(({ store }) => store.facts);
    const sum = (fact: keyof StoreFacts): number =>
      all.reduce((total, facts) => total + facts[fact], 0);
    const most = (fact: keyof StoreFacts): number => Math.max(...all.map((facts) => facts[fact]));
    return {
      openFiles: sum("openFiles"),
      keptFiles: sum("keptFiles"),
      keptBytes: sum("keptBytes"),
      arenaFiles: sum("arenaFiles"),
      hits: sum("hits"),
      misses: sum("misses"),
      // One cache may stand in front of several roots, and each tells of all of it.
      blockBytes: most("blockBytes"),
      blockHits: most("blockHits"),
      blockMisses: most("blockMisses"),
      // Those of this machine have one digester between them, and each tells of all its jobs.
      digestJobs: most("digestJobs"),
      pages: sum("pages"),
    };
  }

  open(path: ByteString, waiter: Waiter): OpenFile | Refusal | null {
    const place = this.#placeOf(path);
    if (place instanceof Refusal) return place;
    // A root that is one file answers its own address with it; here that is a folder of one file.
    if (place === TOP || (place.store.single !== "" && relativeOf(place.rest) === HERE)) {
      return new Refusal("EISDIR", printable(path));
    }
    const { store, rest } = place;
    const file = store.open(rest, new Renaming(waiter, path, place, this.#owners));
    if (file === null) return null;
    if (file instanceof Refusal) return renamed(file, path, rest);
    this.#owners.set(file, store);
    return file;
  }

  stat(path: ByteString, waiter: Waiter): Entry | Refusal | null {
    const place = this.#placeOf(path);
    if (place instanceof Refusal) return place;
    if (place === TOP) return this.#top(waiter);
    const asker = new Renaming(waiter, path, place, this.#owners);
    const entry = place.store.stat(place.rest, asker);
    return entry instanceof Refusal ? renamed(entry, path, place.rest) : entry;
  }

  list(
    path: ByteString,
    limit: number,
    after: ByteString,
    waiter: Waiter,
    left?: boolean,
    found?: boolean,
  ): Refusal | "cold" | null {
    const place = this.#placeOf(path);
    if (place instanceof Refusal) return place;
    if (place === TOP) return this.#listTop(limit, after, waiter);
    const asker = new Renaming(waiter, path, place, this.#owners);
    const begun = place.store.list(place.rest, limit, after, asker, left, found);
    return begun instanceof Refusal ? renamed(begun, path, place.rest) : begun;
  }

  digests(file: OpenFile, range: DigestRange, waiter: Waiter): Uint8Array | Refusal | null {
    return this.#ownerOf(file).digests(file, range, waiter);
  }

  knownDigests(file: OpenFile, range: DigestRange): Uint8Array | null {
    return this.#ownerOf(file).knownDigests(file, range);
  }

  packed(file: OpenFile, head: Uint8Array): OpenFile | null {
    const owner = this.#ownerOf(file);
    const packed = owner.packed(file, head);
    if (packed !== null) this.#owners.set(packed, owner);
    return packed;
  }

  readings(path: ByteString): ByteString[] {
    const readings = [path.startsWith("/") ? path : `/${path}`];
    // The first reading of each store is the one below its root, which is the tree's already.
    for (const { name, store } of this.#named) {
      for (const rest of store.readings(path).slice(1)) readings.push(`/${name}${rest}`);
    }
    return readings;
  }

  /** Asks those that are asked over a network; the first that can't be had is named. */
  async check(): Promise<string | null> {
    for (const { name, store } of this.#named) {
      const why = (await store.check?.()) ?? null;
      if (why !== null) return `the root ${name}: ${why}`;
    }
    return null;
  }

  sweep(): void {
    for (const { store } of this.#named) store.sweep();
  }

  close(): void {
    for (const { store } of this.#named) store.close();
  }

  // --- internal ---

  /** Which store `path` is about, and what is asked of it there. */
  #placeOf(path: ByteString): Place | typeof TOP | Refusal {
    const direct = this.#split(path);
    if (direct !== null) return direct;
    const relative = relativeOf(path);
    if (relative instanceof Refusal) return relative;
    if (relative === HERE) return TOP;
    return this.#split(`/${relative}`) ?? new Refusal("ENOENT", printable(path));
  }

  /** Null where the first name is no root's, as it is written. */
  #split(path: ByteString): Place | null {
    const end = path.indexOf("/", 1);
    const store = this.#byName.get(end < 0 ? path.slice(1) : path.slice(1, end));
    if (store === undefined || path.charCodeAt(0) !== SLASH) return null;
    return { store, rest: end < 0 ? "/" : path.slice(end) };
  }

  /** The top was changed when the youngest of its folders was. */
  #top(waiter: Waiter): Entry | null {
    const told = (entries: RootEntries): Entry => {
      const times = entries.map((entry) => (entry instanceof Refusal ? 0n : entry.mtime));
      const mtime = times.reduce((latest, time) => (time > latest ? time : latest), 0n);
      return { type: "dir", size: 0n, mtime, etag: this.#id };
    };
    const stores = this.#named.map(({ store }) => store);
    const asked = new RootFolders(stores, waiter, (entries) => waiter.looked(told(entries)));
    const entries = asked.look();
    return entries === null ? null : told(entries);
  }

  #listTop(limit: number, after: ByteString, waiter: Waiter): null {
    const behind = this.#named.filter(({ name }) => name > after);
    const listed = behind.slice(0, limit);
    const told = (entries: RootEntries): void => {
      waiter.listed(pageOf(listed, entries, behind.length > listed.length, this.#id));
    };
    const asked = new RootFolders(
      listed.map(({ store }) => store),
      waiter,
      told,
    );
    const entries = asked.look();
    if (entries === null) return null;
    setImmediate(() => {
      if (!waiter.gone) told(entries);
    });
    return null;
  }

  #ownerOf(file: OpenFile): Store {
    const owner = this.#owners.get(file);
    if (owner === undefined) throw new Error("a file that this store has not opened");
    return owner;
  }
}

// --- internal ---

const SLASH = 47;

/** The top of the tree itself. */
const TOP = "top";

/** A place in one of the stores. */
interface Place {
  readonly store: Store;
  /** The path as that store has it. */
  readonly rest: ByteString;
}

/** Who waits for one of the stores: told of the path that was asked for, not of the rest of it. */
class Renaming extends OnBehalf {
  readonly #path: ByteString;
  readonly #place: Place;
  readonly #owners: WeakMap<OpenFile, Store>;

  constructor(waiter: Waiter, path: ByteString, place: Place, owners: WeakMap<OpenFile, Store>) {
    super(waiter);
    this.#path = path;
    this.#place = place;
    this.#owners = owners;
  }

  override opened(file: OpenFile | Refusal): void {
    const { store, rest } = this.#place;
    if (file instanceof Refusal) this.waiter.opened(renamed(file, this.#path, rest));
    else {
      this.#owners.set(file, store);
      this.waiter.opened(file);
    }
  }

  override looked(entry: Entry | Refusal): void {
    const refused = entry instanceof Refusal;
    this.waiter.looked(refused ? renamed(entry, this.#path, this.#place.rest) : entry);
  }

  override listed(page: EncodedPage | Refusal): void {
    const refused = page instanceof Refusal;
    this.waiter.listed(refused ? renamed(page, this.#path, this.#place.rest) : page);
  }
}

/** A page of `roots`, of which `entries` were told; one that can't be had has no line. */
function pageOf(
  roots: readonly NamedRoot[],
  entries: RootEntries,
  more: boolean,
  id: string,
): EncodedPage | Refusal {
  const lines: string[] = [];
  for (const [nth, { name }] of roots.entries()) {
    const entry = entries[nth];
    // A page that left out what can't be told now would say that it is not there.
    if (entry instanceof Refusal && entry.code === "EBUSY") return entry;
    if (entry === undefined || entry instanceof Refusal) continue;
    lines.push(listLine({ ...entry, type: "dir" }, name));
  }
  const left = roots.length - lines.length;
  return { text: bufferOf(lines.join("")), count: lines.length, more, left, id };
}

/** `refusal` with `path` in its words, where they name the `rest` of it. */
function renamed(refusal: Refusal, path: ByteString, rest: ByteString): Refusal {
  const named = refusal.message === `${textOf(refusal.code)}: ${printable(rest)}`;
  return named ? new Refusal(refusal.code, printable(path)) : refusal;
}
