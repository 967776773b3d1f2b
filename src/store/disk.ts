/**
 * The store on local disk: a root, an open-file cache in front of it, pages of directories. A name
 * is looked up again at most once a second, so what is replaced, removed or forbidden is gone
 * within that time; what did not exist is never remembered.
 */
import path from "node:path";
import { clock } from "../sys/clock.ts";
import { ERRNO, errnoName } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "../sys/types.ts";
import type { Entry } from "../wire/entry.ts";
import { Refusal } from "../wire/errors.ts";
import { HERE, relativeOf } from "../wire/path.ts";
import { Arena } from "./arena.ts";
import { FileCache } from "./cache.ts";
import { Digester } from "./digester.ts";
import { PackedFiles } from "./packed.ts";
import { DiskFile, entryOf } from "./file.ts";
import { Folders } from "./folders.ts";
import { readFacts } from "./look.ts";
import { Looks } from "./looks.ts";
import { type DiskLimits, Opener } from "./opener.ts";
import { prepareEtags } from "./etag.ts";
import { refusalOf } from "./refusal.ts";
import { COLD, Root, type RootPolicy } from "./root.ts";
import { cannotServe, kindOf, realPath, StoreError } from "./servedroot.ts";
import {
  type DigestRange,
  type OpenFile,
  REVALIDATE_MS,
  type ServedRoot,
  type Store,
  type StoreFacts,
  type Waiter,
} from "./store.ts";
import { bytesOf, type ByteString, utf8Of } from "../wire/bytes.ts";

/** Bytes of small contents held in memory. */
export const HELD_BYTES_MAX = 16 * 1024 * 1024;

/** Uses of a file before it may get a slot of the arena: who reads each file once pays for none. */
const ARENA_USES_MIN = 4;

/**
 * What looking a name up costs a turn, in usual requests: alone it takes 5 us, with opening and
 * reading a small file 30: 16 of them are a turn of half a millisecond.
 */
const LOOK_UP_COST = 3;

/** A cached descriptor that nobody used for so long is closed, in milliseconds. */
const UNUSED_MS = 10_000;

/** Opens the directory or the one file `root`. Throws StoreError. */
export function openDisk(root: string, policy: RootPolicy, limits: DiskLimits): DiskStore {
  const real = realPath(root);
  const isFile = kindOf(real) === "file";
  const directory = isFile ? path.dirname(real) : real;
  const only = isFile ? bytesOf(path.basename(real)) : null;
  const name = bytesOf(directory);
  const fd = kernel.openat(AT_FDCWD, name, OPEN.readOnly | OPEN.directory);
  if (fd < 0) throw cannotServe(root, errnoName(-fd));
  const opened = new Root(fd, name, policy, only);
  const failed = policy.unconfined ? 0 : opened.probe();
  if (failed === -ERRNO.EIO) {
    opened.close();
    throw new StoreError("serv6 needs /proc (proc(5)) to open what it has found: mount it", "EIO");
  }
  if (failed < 0) {
    opened.close();
    throw new StoreError(
      `this system cannot confine the server to ${root}: openat2 says ${errnoName(-failed)} ` +
        "(it needs Linux 5.6 and no filter against it). --unconfined serves without that wall: " +
        "links inside the directory may then lead out of it",
      "ENOSYS",
    );
  }
  prepareEtags();
  return new DiskStore(opened, bytesOf(path.resolve(root)), only, limits);
}

/** Files below a directory of this machine. */
export class DiskStore implements Store {
  readonly label: string;
  readonly single: ByteString;
  readonly roots: readonly ServedRoot[];
  readonly cache: FileCache;
  readonly digester: Digester;
  readonly #root: Root;
  /**
   * The root's names: as it was given and as it really is, for the bare dialect's absolute paths.
   */
  readonly #names: readonly ByteString[];
  readonly #limits: DiskLimits;
  readonly #arena = new Arena();
  readonly #packed: PackedFiles;
  readonly #stat = new FileStat();
  readonly #looks: Looks;
  readonly #opener: Opener;
  readonly #folders: Folders;
  /** Calls of open(), and those that were not answered from the cache alone. */
  #asked = 0;
  #missed = 0;

  constructor(root: Root, given: ByteString, only: ByteString | null, limits: DiskLimits) {
    this.#root = root;
    this.#packed = new PackedFiles(this.#arena, root.device);
    this.single = only === null ? "" : `/${only}`;
    this.label = root.name + this.single;
    this.roots = [{ at: "", folder: root.name }];
    this.digester = limits.digester ?? new Digester();
    this.#limits = limits;
    const shown = only === null ? given : bytesOf(path.dirname(utf8Of(given)));
    this.#names = [...new Set([root.name, shown])];
    this.cache = new FileCache({
      bytes: limits.heldBytes ?? HELD_BYTES_MAX,
      // Half: the other half is for files in use that the cache has let go.
      fds: Math.max(1, limits.files >> 1),
    });
    this.#looks = new Looks(root);
    this.#opener = new Opener(root, this.cache, this.#looks, limits);
    this.#folders = new Folders(root, this.#looks);
  }

  /** Descriptors held by files, cached or in use. */
  get openFds(): number {
    return this.#opener.fds.open;
  }

  get facts(): StoreFacts {
    return {
      openFiles: this.#opener.fds.open,
      keptFiles: this.cache.size,
      keptBytes: this.cache.bytes,
      arenaFiles: this.#arena.used,
      ...{ blockBytes: 0, blockHits: 0, blockMisses: 0 },
      hits: this.#asked - this.#missed,
      misses: this.#missed,
      digestJobs: this.digester.jobs,
      pages: this.#folders.pages,
    };
  }

  open(path: ByteString, waiter: Waiter): OpenFile | Refusal | null {
    this.#asked += 1;
    const file = this.cache.get(path);
    if (file !== undefined && clock.now - file.checked < REVALIDATE_MS) {
      // A descriptor is looked at each time: it costs 0.3 us of a large file's sending, and an edit
      // in place is then answered from its new facts instead of failing half-way.
      if (file.revalidate() === "same") {
        file.touch(clock.now);
        return file.uses % ARENA_USES_MIN === 0 ? this.#moveToArena(path, file) : file;
      }
    }
    this.#missed += 1;
    return this.#lookUp(path, waiter);
  }

  stat(path: ByteString, waiter: Waiter): Entry | Refusal | null {
    const relative = relativeOf(path);
    if (relative instanceof Refusal) return relative;
    waiter.charge(LOOK_UP_COST);
    const found = this.#find(relative, this.#stat);
    if (found !== COLD) return this.#entryOf(found, this.#stat, path);
    this.#lookOffLoop(path, relative, waiter);
    return null;
  }

  list(
    path: ByteString,
    limit: number,
    after: ByteString,
    waiter: Waiter,
    left = false,
    found = false,
  ): Refusal | "cold" | null {
    const relative = relativeOf(path);
    if (relative instanceof Refusal) return relative;
    waiter.charge(LOOK_UP_COST);
    const wanted = { folder: relative, limit, after, left };
    return this.#folders.list(path, wanted, waiter, found);
  }

  digests(file: OpenFile, range: DigestRange, waiter: Waiter): Uint8Array | Refusal | null {
    return this.digester.digests(file, range, waiter);
  }

  knownDigests(file: OpenFile, range: DigestRange): Uint8Array | null {
    return this.digester.known(file, range);
  }

  packed(file: OpenFile, head: Uint8Array): OpenFile | null {
    const pays = file instanceof DiskFile && file.body === null && this.#limits.zeroCopy;
    return pays ? this.#packed.add(file, head) : null;
  }

  readings(path: ByteString): ByteString[] {
    const below = path.startsWith("/") ? path : `/${path}`;
    const readings = [below];
    for (const name of this.#names) {
      const base = name.endsWith("/") ? name : `${name}/`;
      if (path.startsWith(base)) readings.push(`/${path.slice(base.length)}`);
    }
    return readings;
  }

  sweep(): void {
    this.cache.age(clock.now - UNUSED_MS);
    this.digester.sweep();
    this.#folders.sweep();
    this.#looks.sweep();
  }

  close(): void {
    this.#folders.close();
    this.#opener.close();
    this.digester.close();
    this.cache.clear();
    this.#packed.clear();
    this.#arena.close();
    // And the root, when the thread has let go of it.
    this.#looks.close();
  }

  // --- internal ---

  /** Apart from open(): what a closure holds is made at a function's begin, also on a hit. */
  #lookUp(path: ByteString, waiter: Waiter): OpenFile | Refusal | null {
    const named = relativeOf(path);
    if (named instanceof Refusal) return named;
    // A server of one file has it under the root's name too: that is what its address means.
    const relative = named === HERE && this.single !== "" ? this.single.slice(1) : named;
    waiter.charge(LOOK_UP_COST);
    const canonical = relative === HERE ? "/" : `/${relative}`;
    return this.#opener.open({ path, relative, canonical }, waiter);
  }

  /** The same version in memory, from now on in the cache; or `file`, where that is not to be. */
  #moveToArena(canonical: ByteString, file: DiskFile): DiskFile {
    const { head } = file;
    if (file.held > 0 || head === null || !this.#limits.zeroCopy) return file;
    const slot = this.#arena.add(file, head);
    if (slot === null) return file;
    const moved = new DiskFile(file.stat, slot, clock.now, this.#root.device);
    moved.checked = file.checked;
    moved.head = head;
    this.cache.put(canonical, moved);
    return moved;
  }

  #lookOffLoop(path: ByteString, relative: ByteString, waiter: Waiter): void {
    const facts = new FileStat();
    const tell = (answer: number): void => waiter.looked(this.#entryOf(answer, facts, path));
    this.#looks.add({
      peer: waiter.peer,
      get gone() {
        return waiter.gone;
      },
      ask: (waited) => {
        const found = waited ? this.#find(relative, facts) : COLD;
        if (found === COLD) return { kind: "name", path: relative, want: "facts" };
        tell(found);
        return null;
      },
      answered: (answer) => {
        if (waiter.gone) return;
        if (typeof answer !== "number") readFacts(answer, facts);
        tell(typeof answer === "number" ? answer : 0);
      },
      crash: (error) => waiter.crash(error),
    });
  }

  /** Fills `facts` with those of what is there: 0, COLD or -errno. */
  #find(relative: ByteString, facts: FileStat): number {
    const fd = this.#root.openCached(relative, facts);
    if (fd < 0) return fd;
    kernel.close(fd);
    return 0;
  }

  #entryOf(found: number, facts: FileStat, path: ByteString): Entry | Refusal {
    if (found < 0) return refusalOf(found, path);
    if (!facts.isFile && !facts.isDirectory) return refusalOf(-ERRNO.EACCES, path);
    return entryOf(facts, this.#root.device);
  }
}
