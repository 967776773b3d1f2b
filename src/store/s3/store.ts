/**
 * The store over an object store: the keys of a bucket below a prefix are paths, what they have in
 * common up to a slash is a folder. Every answer comes later, unless it is known: a key is believed
 * to mean the version it meant for a second, as a name of the disk is. What did not exist is never
 * remembered.
 */
import { clock } from "../../sys/clock.ts";
import type { ByteString } from "../../wire/bytes.ts";
import type { Entry } from "../../wire/entry.ts";
import { Refusal } from "../../wire/errors.ts";
import { HERE, isHidden, relativeOf } from "../../wire/path.ts";
import { printable, printableText } from "../../wire/printable.ts";
import type { BlockCache } from "../blocks/blockcache.ts";
import { bringBytes } from "../brought.ts";
import { Digester } from "../digester.ts";
import {
  type DigestRange,
  type EncodedPage,
  HEADROOM_BYTES,
  type OpenFile,
  REVALIDATE_MS,
  SMALL_BYTES_MAX,
  type Store,
  type StoreFacts,
  type Waiter,
} from "../store.ts";
import type { S3Address, S3Options } from "./address.ts";
import { VersionBlocks } from "./blocks.ts";
import { Bucket, type ObjectVersion } from "./bucket.ts";
import { Flows } from "./flows.ts";
import { KeptObjects } from "./kept.ts";
import { folderKeyOf, keyOf } from "./key.ts";
import { entryOfVersion, folderIdOf, ObjectFile } from "./object.ts";
import { pageOf } from "./page.ts";
import { Questions } from "./questions.ts";
import { StoreRanges } from "./ranges.ts";

/** So often a small object may change between two looks at it before it is EBUSY. */
const TRIES_MAX = 3;

/** What may be reached below the prefix. */
export interface S3Policy {
  /** Serve names that start with a dot. */
  readonly hidden: boolean;
}

/**
 * Opens what `address` names, in front of which is `cache`, which it closes. Nobody is asked yet:
 * check() tells whether it can be reached.
 */
export function openS3(
  address: S3Address,
  options: S3Options,
  policy: S3Policy,
  cache: BlockCache | null = null,
): S3Store {
  const cached = cache === null ? null : { cache, endpoint: options.endpoint ?? "" };
  const bucket = new Bucket(address, options);
  return new S3Store(address, bucket, policy, undefined, undefined, cached);
}

/** What a path is: a version of an object, a folder, or why it can't be had. */
type Found = ObjectVersion | "folder" | Refusal;

/** A cache in front, and the store's address, by which its blocks are told from another's. */
interface CachedBy {
  readonly cache: BlockCache;
  readonly endpoint: string;
}

/** Objects below a prefix of a bucket. */
export class S3Store implements Store {
  readonly label: string;
  readonly single = "";
  readonly roots = [];
  readonly digester = new Digester();
  readonly flows: Flows;
  readonly questions: Questions;
  readonly kept = new KeptObjects();
  readonly #address: S3Address;
  readonly #bucket: Bucket;
  readonly #policy: S3Policy;
  readonly #blocks: VersionBlocks | null;
  #asked = 0;
  #missed = 0;
  #pages = 0;

  /** The two numbers are QUESTION_MS and FLOWS_MAX, but for tests. */
  constructor(
    address: S3Address,
    bucket: Bucket,
    policy: S3Policy,
    questionMs?: number,
    flowsMax?: number,
    cached: CachedBy | null = null,
  ) {
    this.questions = new Questions(questionMs);
    this.#address = address;
    this.#bucket = bucket;
    this.#policy = policy;
    this.label = `s3://${address.bucket}/${address.prefix}`;
    const short = new Refusal("EIO", "the object store did not give what it promised");
    const ranges = new StoreRanges(bucket, short);
    this.flows = new Flows(ranges, flowsMax);
    this.#blocks =
      cached === null
        ? null
        : new VersionBlocks(cached.cache, ranges, cached.endpoint, address.bucket);
  }

  get facts(): StoreFacts {
    const blocks = this.#blocks?.cache.facts;
    return {
      openFiles: this.flows.running,
      keptFiles: this.kept.size,
      keptBytes: this.kept.bytes,
      arenaFiles: 0,
      hits: this.#asked - this.#missed,
      misses: this.#missed,
      blockBytes: blocks?.bytes ?? 0,
      blockHits: blocks?.hits ?? 0,
      blockMisses: blocks?.misses ?? 0,
      digestJobs: this.digester.jobs,
      pages: this.#pages,
    };
  }

  /** Whether the store can be reached and takes the credentials: null, or why not, in words. */
  async check(): Promise<string | null> {
    const listed = await this.questions.ask("", this.label, () =>
      this.#bucket.list(this.#address.prefix, { after: "" }, false, 1),
    );
    return listed instanceof Refusal ? listed.message : null;
  }

  open(path: ByteString, waiter: Waiter): OpenFile | Refusal | null {
    this.#asked += 1;
    const relative = this.#relative(path);
    if (relative instanceof Refusal) return relative;
    if (relative === HERE) return new Refusal("EISDIR", printable(path));
    const key = keyOf(this.#address.prefix, relative);
    if (key instanceof Refusal) return key;
    const folder = relative.endsWith("/");
    const kept = folder ? undefined : this.kept.get(key);
    if (kept !== undefined && clock.now - kept.checked < REVALIDATE_MS) return kept;
    this.#missed += 1;
    const opened = this.questions.shared(`open ${folder} ${key}`, () =>
      this.#open(key, folder, waiter.peer, printable(path)),
    );
    later(opened, waiter, (file) => waiter.opened(file));
    return null;
  }

  stat(path: ByteString, waiter: Waiter): Entry | Refusal | null {
    const relative = this.#relative(path);
    if (relative instanceof Refusal) return relative;
    if (relative === HERE) return this.#folderEntry(this.#address.prefix);
    const key = keyOf(this.#address.prefix, relative);
    if (key instanceof Refusal) return key;
    const folder = relative.endsWith("/");
    const found = this.questions.shared(`stat ${folder} ${key}`, () =>
      this.#find(key, folder, waiter.peer, printable(path)),
    );
    later(found, waiter, (what) => {
      if (what === "folder") waiter.looked(this.#folderEntry(`${key}/`));
      else waiter.looked(what instanceof Refusal ? what : entryOfVersion(what));
    });
    return null;
  }

  list(
    path: ByteString,
    limit: number,
    after: ByteString,
    waiter: Waiter,
    left = false,
  ): Refusal | null {
    const relative = this.#relative(path);
    if (relative instanceof Refusal) return relative;
    const folderKey = folderKeyOf(this.#address.prefix, relative);
    if (folderKey instanceof Refusal) return folderKey;
    const id = folderIdOf(this.#address.bucket, folderKey);
    const wanted = { folder: relative, limit, after, left, id };
    const page = this.questions.shared(`list ${limit} ${left} ${after}/${folderKey}`, () =>
      this.#page(folderKey, wanted, waiter.peer, printable(path)),
    );
    later(page, waiter, (made) => waiter.listed(made));
    return null;
  }

  digests(file: OpenFile, range: DigestRange, waiter: Waiter): Uint8Array | Refusal | null {
    return this.digester.digests(file, range, waiter);
  }

  knownDigests(file: OpenFile, range: DigestRange): Uint8Array | null {
    return this.digester.known(file, range);
  }

  packed(): null {
    return null;
  }

  readings(path: ByteString): ByteString[] {
    return [path.startsWith("/") ? path : `/${path}`];
  }

  sweep(): void {
    this.digester.sweep();
    this.flows.sweep();
    this.#blocks?.cache.sweep();
  }

  close(): void {
    this.digester.close();
    this.flows.close();
    this.#blocks?.cache.close();
    this.kept.clear();
  }

  // --- internal ---

  /** As relativeOf(); what policy hides does not exist. */
  #relative(path: ByteString): ByteString | Refusal {
    const relative = relativeOf(path);
    if (relative instanceof Refusal || this.#policy.hidden || !isHidden(relative)) return relative;
    return new Refusal("ENOENT", printable(path));
  }

  #folderEntry(folderKey: string): Entry {
    const etag = folderIdOf(this.#address.bucket, folderKey);
    return { type: "dir", size: 0n, mtime: 0n, etag };
  }

  async #open(
    key: string,
    folder: boolean,
    peer: string,
    shown: string,
  ): Promise<OpenFile | Refusal> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = await this.#find(key, folder, peer, shown);
      if (found === "folder") return new Refusal("EISDIR", shown);
      if (found instanceof Refusal) return found;
      const kept = this.kept.get(key);
      if (kept !== undefined && sameVersion(kept.version, found)) {
        kept.checked = clock.now;
        return kept;
      }
      const file = await this.#held(new ObjectFile(found, null, this.flows, this.#blocks), peer);
      if (file === "changed") continue;
      if (file === "failed") return new Refusal("EBUSY", `the object store stopped: ${shown}`);
      this.kept.put(key, file);
      return file;
    }
    return new Refusal("EBUSY", `it changes all the time: ${shown}`);
  }

  /** `file` with its content where it is small, or why that can't be had. */
  async #held(file: ObjectFile, peer: string): Promise<ObjectFile | "failed" | "changed"> {
    const { size } = file.version;
    if (size > SMALL_BYTES_MAX) return file;
    const body = Buffer.allocUnsafeSlow(HEADROOM_BYTES + size).subarray(HEADROOM_BYTES);
    const failed = await new Promise<"failed" | "changed" | null>((done) => {
      if (size === 0) done(null);
      else bringBytes(file, 0n, body, peer, done);
    });
    return failed ?? new ObjectFile(file.version, body, this.flows, this.#blocks);
  }

  /** What `key` is; with `folder` it has to be one. */
  async #find(key: string, folder: boolean, peer: string, shown: string): Promise<Found> {
    const look = (): Promise<ObjectVersion | Refusal> =>
      this.questions.ask(peer, shown, (signal) => this.#bucket.look(key, signal));
    if (!folder) {
      const version = await look();
      if (!(version instanceof Refusal) || version.code !== "ENOENT") return version;
      this.kept.drop(key);
    }
    const has = await this.#hasKeys(`${key}/`, peer);
    if (has instanceof Refusal) return has;
    if (has) return "folder";
    if (!folder) return new Refusal("ENOENT", shown);
    const file = await look();
    return file instanceof Refusal ? file : new Refusal("ENOTDIR", shown);
  }

  /** Whether some key begins with `start`. */
  async #hasKeys(start: string, peer: string): Promise<boolean | Refusal> {
    const listed = await this.questions.ask(peer, printableText(start), () =>
      this.#bucket.list(start, { after: "" }, false, 1),
    );
    if (listed instanceof Refusal) return listed;
    return listed.objects.length + listed.unreadable > 0;
  }

  async #page(
    folderKey: string,
    wanted: Parameters<typeof pageOf>[2],
    peer: string,
    shown: string,
  ): Promise<EncodedPage | Refusal> {
    this.#pages += 1;
    try {
      const source = {
        list: (from: { after: string } | { next: string }, most: number) =>
          this.questions.ask(peer, shown, () => this.#bucket.list(folderKey, from, true, most)),
        hasFolder: (name: string) => this.#hasKeys(`${folderKey}${name}/`, peer),
      };
      const page = await pageOf(source, folderKey, wanted, this.#policy.hidden);
      return page ?? (await this.#emptyPage(folderKey, wanted, peer, shown));
    } finally {
      this.#pages -= 1;
    }
  }

  /** No key is behind where the page begins: it is empty, or there is no such folder. */
  async #emptyPage(
    folderKey: string,
    { after, id }: Parameters<typeof pageOf>[2],
    peer: string,
    shown: string,
  ): Promise<EncodedPage | Refusal> {
    const empty = { text: new Uint8Array(0), count: 0, more: false, left: 0, id };
    // A bucket may be empty; a folder is what has a key.
    if (folderKey === this.#address.prefix) return empty;
    const has = after === "" ? false : await this.#hasKeys(folderKey, peer);
    if (has instanceof Refusal) return has;
    if (has) return empty;
    const found = await this.#find(folderKey.slice(0, -1), true, peer, shown);
    if (found instanceof Refusal) return found;
    return empty;
  }
}

// --- internal ---

function sameVersion(a: ObjectVersion, b: ObjectVersion): boolean {
  return a.tag === b.tag && a.size === b.size && a.seconds === b.seconds;
}

/** Tells `waiter` what `work` comes to, unless it is gone; what it throws costs it alone. */
function later<T>(work: Promise<T>, waiter: Waiter, tell: (result: T) => void): void {
  work
    .then((result) => {
      if (!waiter.gone) tell(result);
    })
    .catch((error: unknown) => waiter.crash(error));
}
