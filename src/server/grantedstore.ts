/**
 * A store as it is for one who asks: what the grant does not name does not exist. It decides each
 * question anew, so that a grant that has ended ends here. All doors and verbs ask through it, and
 * none of them knows of grants.
 */
import { namesTo, placeOf } from "../guard/grantedpath.ts";
import type { Grant, Use } from "../identity/tokens.ts";
import type {
  DigestRange,
  EncodedPage,
  OpenFile,
  Store,
  StoreFacts,
  Waiter,
} from "../store/store.ts";
import type { ByteString } from "../wire/bytes.ts";
import { type Entry, listLine } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { HERE, relativeOf } from "../wire/path.ts";
import { printable } from "../wire/printable.ts";

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

  open(path: ByteString, waiter: Waiter): OpenFile | Refusal | null {
    const place = this.#decide(path, "read", waiter);
    if (place instanceof Refusal) return place;
    return place === "inside"
      ? this.#store.open(path, waiter)
      : new Refusal("EISDIR", printable(path));
  }

  stat(path: ByteString, waiter: Waiter): Entry | Refusal {
    const place = this.#decide(path, null, waiter);
    return place instanceof Refusal ? place : this.#store.stat(path, waiter);
  }

  list(
    path: ByteString,
    limit: number,
    after: ByteString,
    waiter: Waiter,
    left?: boolean,
  ): Refusal | null {
    const place = this.#decide(path, "list", waiter);
    if (place instanceof Refusal) return place;
    if (place === "inside") return this.#store.list(path, limit, after, waiter, left);
    const page = this.#pageAbove(path, limit, after, waiter);
    setImmediate(() => {
      if (!waiter.gone) waiter.listed(page);
    });
    return null;
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

  /** Whether `path` may be asked for `use`: then it is inside, or a folder above. */
  #decide(path: ByteString, use: Use | null, waiter: Waiter): "inside" | "above" | Refusal {
    const grant = this.#grant();
    if (grant instanceof Refusal) return grant;
    const relative = relativeOf(path);
    if (relative instanceof Refusal) return relative;
    const place = placeOf(relative, grant.paths);
    if (place === "outside") return new Refusal("ENOENT", printable(path));
    if (use !== null && !grant.uses.includes(use)) {
      return new Refusal("EACCES", `this token may not ${use}: ${printable(path)}`);
    }
    if (place === "inside") return place;
    // On the way there are folders, or else nothing that this one may know of.
    const entry = this.#store.stat(path, waiter);
    const folder = !(entry instanceof Refusal) && entry.type === "dir";
    return folder ? place : new Refusal("ENOENT", printable(path));
  }

  /** The folder `path`, which is above what is granted: the names that lead there, and no other. */
  #pageAbove(
    path: ByteString,
    limit: number,
    after: ByteString,
    waiter: Waiter,
  ): EncodedPage | Refusal {
    const grant = this.#grant();
    const relative = relativeOf(path);
    if (grant instanceof Refusal) return grant;
    if (relative instanceof Refusal) return relative;
    const start = relative === HERE ? "/" : `/${relative.replace(/\/$/, "")}/`;
    const lines: ByteString[] = [];
    let more = false;
    for (const name of namesTo(relative, grant.paths)) {
      if (name <= after) continue;
      const entry = this.#store.stat(start + name, waiter);
      if (entry instanceof Refusal) continue;
      more = lines.length >= limit;
      if (more) break;
      lines.push(listLine(entry, name));
    }
    return {
      text: Buffer.from(lines.join(""), "latin1"),
      count: lines.length,
      more,
      left: 0,
      id: "",
    };
  }
}
