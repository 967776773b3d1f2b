/**
 * A store as it is for one who asks: what the grant does not name does not exist. It decides each
 * question anew, so that a grant that has ended ends here. All doors and verbs ask through it, and
 * none of them knows of grants.
 */
import { namesTo, placeOf } from "../guard/grantedpath.ts";
import type { Grant, Use } from "../identity/tokens.ts";
import type {
  DigestRange,
  OpenFile,
  ServedRoot,
  Store,
  StoreFacts,
  Waiter,
} from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Entry } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { HERE, relativeOf } from "../wire/path.ts";
import { printable } from "../wire/printable.ts";
import { LookedUp } from "../store/onbehalf.ts";
import { PageAbove } from "./pageabove.ts";

/** The part of `store` that the grant lets through. */
export class GrantedStore implements Store {
  readonly #store: Store;
  readonly #grant: () => Grant | Refusal;

  /** `grant` is asked each time; its Refusal is the answer to everything. */
  constructor(store: Store, grant: () => Grant | Refusal) {
    this.#store = store;
    this.#grant = grant;
  }

  get label(): string {
    return this.#store.label;
  }

  get single(): ByteString {
    return this.#store.single;
  }

  get roots(): readonly ServedRoot[] {
    return this.#store.roots;
  }

  open(path: ByteString, waiter: Waiter): OpenFile | Refusal | null {
    const place = this.#decide(path, "read");
    if (place instanceof Refusal) return place;
    if (place === "inside") return this.#store.open(path, waiter);
    const told = (entry: Entry | Refusal): Refusal =>
      isFolder(entry) ? new Refusal("EISDIR", printable(path)) : notAFolder(path, entry);
    const later = new LookedUp(waiter, (entry) => waiter.opened(told(entry)));
    const entry = this.#store.stat(path, later);
    return entry === null ? null : told(entry);
  }

  stat(path: ByteString, waiter: Waiter): Entry | Refusal | null {
    const place = this.#decide(path, null);
    if (place instanceof Refusal) return place;
    if (place === "inside") return this.#store.stat(path, waiter);
    // On the way there are folders, or else nothing that this one may know of.
    const told = (entry: Entry | Refusal): Entry | Refusal =>
      isFolder(entry) ? entry : notAFolder(path, entry);
    const later = new LookedUp(waiter, (entry) => waiter.looked(told(entry)));
    const entry = this.#store.stat(path, later);
    return entry === null ? null : told(entry);
  }

  list(
    path: ByteString,
    limit: number,
    after: ByteString,
    waiter: Waiter,
    left?: boolean,
    found?: boolean,
  ): Refusal | "cold" | null {
    const place = this.#decide(path, "list");
    if (place instanceof Refusal) return place;
    if (place === "inside") return this.#store.list(path, limit, after, waiter, left, found);
    // Whether it is a folder is told before anything is promised.
    if (found !== true) return "cold";
    const told = (entry: Entry | Refusal): Refusal | null =>
      isFolder(entry) ? this.#pageAbove(path, limit, after, waiter) : notAFolder(path, entry);
    const later = new LookedUp(waiter, (entry) => {
      const refused = told(entry);
      if (refused !== null) waiter.listed(refused);
    });
    const entry = this.#store.stat(path, later);
    return entry === null ? null : told(entry);
  }

  digests(file: OpenFile, range: DigestRange, waiter: Waiter): Uint8Array | Refusal | null {
    return this.#store.digests(file, range, waiter);
  }

  knownDigests(file: OpenFile, range: DigestRange): Uint8Array | null {
    return this.#store.knownDigests(file, range);
  }

  packed(file: OpenFile, head: Uint8Array): OpenFile | null {
    return this.#store.packed(file, head);
  }

  readings(path: ByteString): ByteString[] {
    return this.#store.readings(path);
  }

  get facts(): StoreFacts {
    return this.#store.facts;
  }

  /** Whoever made the store sweeps and closes it. */
  sweep(): void {}
  close(): void {}

  // --- internal ---

  /** Whether `path` may be asked for `use`: inside, or above, where only folders are. */
  #decide(path: ByteString, use: Use | null): "inside" | "above" | Refusal {
    const grant = this.#grant();
    if (grant instanceof Refusal) return grant;
    const relative = relativeOf(path);
    if (relative instanceof Refusal) return relative;
    const place = placeOf(relative, grant.paths);
    if (place === "outside") return absent(path);
    if (use !== null && !grant.uses.includes(use)) {
      return new Refusal("EACCES", `this token may not ${use}: ${printable(path)}`);
    }
    return place;
  }

  /** The folder `path`, which is above what is granted: null, and the waiter is told later. */
  #pageAbove(path: ByteString, limit: number, after: ByteString, waiter: Waiter): Refusal | null {
    const grant = this.#grant();
    const relative = relativeOf(path);
    if (grant instanceof Refusal) return grant;
    if (relative instanceof Refusal) return relative;
    const start = relative === HERE ? "/" : `/${relative.replace(/\/$/, "")}/`;
    const names = namesTo(relative, grant.paths).filter((name) => name > after);
    new PageAbove(this.#store, start, names, limit, waiter).begin();
    return null;
  }
}

// --- internal ---

function isFolder(entry: Entry | Refusal): entry is Entry {
  return !(entry instanceof Refusal) && entry.type === "dir";
}

/** Nothing that this one may know of; but what can't be told now may be a folder. */
function notAFolder(path: ByteString, entry: Entry | Refusal): Refusal {
  return entry instanceof Refusal && entry.code === "EBUSY" ? entry : absent(path);
}

function absent(path: ByteString): Refusal {
  return new Refusal("ENOENT", printable(path));
}
