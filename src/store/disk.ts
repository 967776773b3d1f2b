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
import { DirectoryPage } from "./directory.ts";
import { RESIDENT_MS } from "./diskread.ts";
import { PackedFiles } from "./packed.ts";
import { Pages, type PageWork } from "./pages.ts";
import { Body, Descriptor, DiskFile, entryOf, type FdCount } from "./file.ts";
import { readBody } from "./body.ts";
import { ColdFile, needsPrefetch, Prefetcher } from "./prefetch.ts";
import { folderIdOf, prepareEtags } from "./etag.ts";
import { refusalOf } from "./refusal.ts";
import { Root, type RootPolicy } from "./root.ts";
import type { PageWanted } from "./lines.ts";
import { SnapshotPage } from "./snapshotpage.ts";
import { cannotServe, kindOf, realPath, StoreError } from "./servedroot.ts";
import { Snapshots } from "./snapshots.ts";
import {
  BODY_BYTES_MAX,
  type DigestRange,
  type OpenFile,
  REVALIDATE_MS,
  SMALL_BYTES_MAX,
  type Store,
  type StoreFacts,
  type Waiter,
} from "./store.ts";
import { bytesOf, type ByteString, utf8Of } from "../wire/bytes.ts";

/**
 * A content in memory is read again after so many milliseconds: a write through mmap(2) changes
 * bytes and no time. One reading in ten seconds costs a hot file nothing.
 */
export const HELD_MS = 10_000;

/** Bytes of small contents held in memory. */
const HELD_BYTES_MAX = 16 * 1024 * 1024;

/** Uses of a file before it may get a slot of the arena: who reads each file once pays for none. */
const ARENA_USES_MIN = 4;

/**
 * What looking a name up costs a turn, in usual requests: alone it takes 5 us, with opening and
 * reading a small file 30: 16 of them are a turn of half a millisecond.
 */
const LOOK_UP_COST = 3;

/** A cached descriptor that nobody used for so long is closed, in milliseconds. */
const UNUSED_MS = 10_000;

/** The descriptors a store may use. */
export interface DiskLimits {
  /** Open files, cached and in use together. */
  readonly files: number;
  /** False where nothing leaves by sendfile(2): small contents are then held to be written. */
  readonly zeroCopy: boolean;
}

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
  readonly cache: FileCache;
  readonly digester = new Digester();
  readonly #root: Root;
  /**
   * The root's names: as it was given and as it really is, for the bare dialect's absolute paths.
   */
  readonly #names: readonly ByteString[];
  readonly #limits: DiskLimits;
  readonly #fds: FdCount = { open: 0 };
  readonly #arena = new Arena();
  readonly #packed: PackedFiles;
  readonly #stat = new FileStat();
  readonly #pages = new Pages();
  readonly #snapshots = new Snapshots();
  readonly #prefetcher = new Prefetcher();
  /** Calls of open(), and those that were not answered from the cache alone. */
  #asked = 0;
  #missed = 0;

  constructor(root: Root, given: ByteString, only: ByteString | null, limits: DiskLimits) {
    this.#root = root;
    this.#packed = new PackedFiles(this.#arena, root.device);
    this.single = only === null ? "" : `/${only}`;
    this.label = root.name + this.single;
    this.#limits = limits;
    const shown = only === null ? given : bytesOf(path.dirname(utf8Of(given)));
    this.#names = [...new Set([root.name, shown])];
    this.cache = new FileCache({
      bytes: HELD_BYTES_MAX,
      // Half: the other half is for files in use that the cache has let go.
      fds: Math.max(1, limits.files >> 1),
    });
  }

  /** Descriptors held by files, cached or in use. */
  get openFds(): number {
    return this.#fds.open;
  }

  get facts(): StoreFacts {
    return {
      openFiles: this.#fds.open,
      keptFiles: this.cache.size,
      keptBytes: this.cache.bytes,
      arenaFiles: this.#arena.used,
      hits: this.#asked - this.#missed,
      misses: this.#missed,
      digestJobs: this.digester.jobs,
      pages: this.#pages.making + this.#pages.waiting,
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

  stat(path: ByteString, waiter: Waiter): Entry | Refusal {
    const relative = relativeOf(path);
    if (relative instanceof Refusal) return relative;
    waiter.charge(LOOK_UP_COST);
    const fd = this.#root.openPath(relative, this.#stat);
    if (fd < 0) return refusalOf(fd, path);
    kernel.close(fd);
    if (!this.#stat.isFile && !this.#stat.isDirectory) return refusalOf(-ERRNO.EACCES, path);
    return entryOf(this.#stat, this.#root.device);
  }

  list(
    path: ByteString,
    limit: number,
    after: ByteString,
    waiter: Waiter,
    left = false,
  ): Refusal | null {
    const relative = relativeOf(path);
    if (relative instanceof Refusal) return relative;
    waiter.charge(LOOK_UP_COST);
    const fd = this.#openDirectory(relative);
    if (fd < 0) return refusalOf(fd, path);
    // Nobody holds a descriptor while it waits in a queue.
    kernel.close(fd);
    const key = `${limit} ${left} ${after.length} ${after}${relative}`;
    const wanted = { folder: relative, limit, after, left };
    const open = (long: boolean): PageWork | number => this.#openPage(wanted, long);
    this.#pages.add(key, path, Number(this.#stat.size), waiter, open);
    return null;
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
    this.#snapshots.sweep(clock.now);
  }

  close(): void {
    this.#pages.close();
    this.#snapshots.clear();
    this.#prefetcher.close();
    this.digester.close();
    this.cache.clear();
    this.#packed.clear();
    this.#arena.close();
    this.#root.close();
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
    const open = (): DiskFile | ColdFile | number => this.#openOrEvict(canonical, relative);
    const opened = open();
    if (opened instanceof ColdFile) {
      this.#prefetcher.add({ path, waiter, open }, opened);
      return null;
    }
    return typeof opened === "number" ? refusalOf(opened, path) : opened;
  }

  /**
   * The file at `relative`, from the cache when the name still means it; what it takes to get it;
   * or -errno.
   */
  #openOrEvict(canonical: ByteString, relative: ByteString): DiskFile | ColdFile | number {
    const opened = this.#open(canonical, relative);
    if (opened !== -ERRNO.EMFILE && opened !== -ERRNO.ENFILE) return opened;
    // Somebody else's descriptors: give back all that is only cached, and try once more.
    this.cache.clearFds();
    return this.#open(canonical, relative);
  }

  #open(canonical: ByteString, relative: ByteString): DiskFile | ColdFile | number {
    const cached = this.cache.get(canonical);
    const stat = new FileStat();
    const found = this.#root.openPath(relative, stat);
    if (found < 0) {
      this.cache.drop(canonical);
      return found;
    }
    const old = cached !== undefined && cached.held > 0 && clock.now - cached.since > HELD_MS;
    if (cached?.stat.same(stat) && !old) {
      kernel.close(found);
      cached.checked = clock.now;
      cached.touch(clock.now);
      return cached;
    }
    if (!stat.isFile) {
      kernel.close(found);
      return stat.isDirectory ? -ERRNO.EISDIR : -ERRNO.EACCES;
    }
    const fd = this.#root.reopen(found, OPEN.readOnly);
    if (fd < 0) return fd;
    const lookedAt = clock.now;
    if (!needsPrefetch(fd, stat.size)) return this.#hold(canonical, stat, fd, lookedAt);
    return new ColdFile(fd, Number(stat.size), () => {
      // What became of it while the disk was waited for is what is sent.
      const failed = kernel.statx(fd, "", stat);
      if (failed === 0) return this.#hold(canonical, stat, fd, lookedAt);
      kernel.close(fd);
      return failed;
    });
  }

  /**
   * Puts an open file into the cache: a small one as its content, a large one as its descriptor.
   * Unless another one was found under its name since `lookedAt`, while the disk was waited for.
   */
  #hold(canonical: ByteString, stat: FileStat, fd: number, lookedAt: number): DiskFile | number {
    const newer = this.cache.get(canonical);
    if (newer !== undefined && newer.checked > lookedAt) {
      kernel.close(fd);
      return newer;
    }
    const scant = stat.size > BigInt(BODY_BYTES_MAX) && !this.#hasRoom();
    const bodyMax = scant || !this.#limits.zeroCopy ? SMALL_BYTES_MAX : BODY_BYTES_MAX;
    const body = readBody(fd, stat, bodyMax);
    if (body !== null) kernel.close(fd);
    if (typeof body === "number") return body;
    if (body === null && (scant || !this.#hasRoom())) {
      kernel.close(fd);
      return -ERRNO.EBUSY;
    }
    const content = body === null ? new Descriptor(fd, this.#fds) : new Body(body);
    const file = new DiskFile(stat, content, lookedAt, this.#root.device);
    // Just seen in memory, or brought there.
    if (stat.size <= SMALL_BYTES_MAX) file.residentUntil = clock.now + RESIDENT_MS;
    this.cache.put(canonical, file);
    return file;
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

  /** True when one more descriptor may be kept, if need be in place of a cached one. */
  #hasRoom(): boolean {
    while (this.#fds.open >= this.#limits.files && this.cache.freeFd());
    return this.#fds.open < this.#limits.files;
  }

  #openPage(asked: Omit<PageWanted, "id">, long: boolean): PageWork | number {
    const fd = this.#openDirectory(asked.folder);
    if (fd < 0) return fd;
    const wanted = { ...asked, id: folderIdOf(this.#stat) };
    if (!long) return new DirectoryPage(fd, this.#root, wanted);
    return new SnapshotPage(this.#snapshots, fd, this.#root, wanted);
  }

  /** Opens a directory for reading and leaves its facts in `#stat`: its descriptor, or -errno. */
  #openDirectory(relative: ByteString): number {
    const found = this.#root.openPath(relative, this.#stat);
    if (found < 0) return found;
    if (this.#stat.isDirectory) return this.#root.reopen(found, OPEN.directory);
    kernel.close(found);
    return -ERRNO.ENOTDIR;
  }
}
