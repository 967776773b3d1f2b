/**
 * From a name to an open file in the cache: looked up on the loop where that needs no disk, else by
 * the thread for looks (looks.ts), and a small one's content by the prefetcher. A descriptor that
 * comes when nobody waits for it any more is closed here.
 */
import type { Digester } from "./digester.ts";
import { clock } from "../sys/clock.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Refusal } from "../wire/errors.ts";
import { readBody } from "./body.ts";
import type { FileCache } from "./cache.ts";
import { RESIDENT_MS } from "./diskread.ts";
import { Body, Descriptor, DiskFile, type FdCount } from "./file.ts";
import { type LookAnswer, notFile, readFacts } from "./look.ts";
import type { Looks } from "./looks.ts";
import { ColdFile, needsPrefetch, Prefetcher } from "./prefetch.ts";
import { refusalOf } from "./refusal.ts";
import { COLD, type Root } from "./root.ts";
import { BODY_BYTES_MAX, type OpenFile, SMALL_BYTES_MAX, type Waiter } from "./store.ts";

/**
 * A content in memory is read again after so many milliseconds: a write through mmap(2) changes
 * bytes and no time. One reading in ten seconds costs a hot file nothing.
 */
export const HELD_MS = 10_000;

/** The descriptors a store may use. */
export interface DiskLimits {
  /** Open files, cached and in use together. */
  readonly files: number;
  /** False where nothing leaves by sendfile(2): small contents are then held to be written. */
  readonly zeroCopy: boolean;
  /** Bytes of small contents held in memory; HELD_BYTES_MAX (disk.ts) by default. */
  readonly heldBytes?: number;
  /** What it computes digests with, shared with other stores; one of its own by default. */
  readonly digester?: Digester;
}

/** A name that somebody asks for. */
export interface Named {
  /** As it was asked for. */
  readonly path: ByteString;
  readonly relative: ByteString;
  /** Its key in the cache, whatever its spelling. */
  readonly canonical: ByteString;
}

/** Opens files below a root. */
export class Opener {
  /** Descriptors held by files, cached or in use. */
  readonly fds: FdCount = { open: 0 };
  readonly #root: Root;
  readonly #cache: FileCache;
  readonly #looks: Looks;
  readonly #limits: DiskLimits;
  readonly #prefetcher = new Prefetcher();
  #closed = false;

  /** They stay the caller's. */
  constructor(root: Root, cache: FileCache, looks: Looks, limits: DiskLimits) {
    this.#root = root;
    this.#cache = cache;
    this.#looks = looks;
    this.#limits = limits;
  }

  /** As Store.open(), of what is not known to be in the cache. */
  open(named: Named, waiter: Waiter): OpenFile | Refusal | null {
    const opened = this.#openOrEvict(named);
    if (opened instanceof ColdFile) {
      this.#prefetch(named, waiter, opened);
      return null;
    }
    if (opened === COLD) {
      this.#look(named, waiter);
      return null;
    }
    return typeof opened === "number" ? refusalOf(opened, named.path) : opened;
  }

  /** Answers nobody any more. */
  close(): void {
    this.#closed = true;
    this.#prefetcher.close();
  }

  // --- internal ---

  #prefetch(named: Named, waiter: Waiter, file: ColdFile): void {
    const open = (): DiskFile | ColdFile | number | null => {
      const opened = this.#openOrEvict(named);
      if (opened !== COLD) return opened;
      this.#look(named, waiter);
      return null;
    };
    this.#prefetcher.add({ path: named.path, waiter, open }, file);
  }

  /** The thread looks; `last`: for the second time. */
  #look(named: Named, waiter: Waiter, last = false): void {
    let lookedAt = clock.now;
    this.#looks.add({
      peer: waiter.peer,
      get gone() {
        return waiter.gone;
      },
      ask: (waited) => {
        const opened = waited ? this.#openOrEvict(named) : COLD;
        if (opened !== COLD) {
          this.#answer(named, waiter, opened);
          return null;
        }
        lookedAt = clock.now;
        return { kind: "name", path: named.relative, want: "file" };
      },
      answered: (answer) => this.#looked(named, waiter, answer, lookedAt, last),
      crash: (error) => waiter.crash(error),
    });
  }

  #looked(named: Named, waiter: Waiter, answer: LookAnswer, lookedAt: number, last: boolean): void {
    if (typeof answer === "number") {
      this.#cache.drop(named.canonical);
      if (waiter.gone || this.#closed) return;
      if (last || !lacksFds(answer)) {
        waiter.opened(refusalOf(answer, named.path));
        return;
      }
      this.#cache.clearFds();
      this.#look(named, waiter, true);
      return;
    }
    const stat = new FileStat();
    const fd = readFacts(answer, stat);
    if (waiter.gone || this.#closed) {
      kernel.close(fd);
      return;
    }
    const known = this.#known(named.canonical, stat, lookedAt);
    if (known === null)
      this.#answer(named, waiter, this.#take(named.canonical, stat, fd, lookedAt));
    else {
      kernel.close(fd);
      waiter.opened(known);
    }
  }

  #answer(named: Named, waiter: Waiter, opened: DiskFile | ColdFile | number): void {
    if (opened instanceof ColdFile) this.#prefetch(named, waiter, opened);
    else waiter.opened(typeof opened === "number" ? refusalOf(opened, named.path) : opened);
  }

  /**
   * The file, from the cache when the name still means it; what it takes to get it; or -errno, COLD
   * where the name is not in memory.
   */
  #openOrEvict(named: Named): DiskFile | ColdFile | number {
    const opened = this.#open(named);
    if (typeof opened !== "number" || !lacksFds(opened)) return opened;
    // Somebody else's descriptors: give back all that is only cached, and try once more.
    this.#cache.clearFds();
    return this.#open(named);
  }

  #open({ canonical, relative }: Named): DiskFile | ColdFile | number {
    const stat = new FileStat();
    const found = this.#root.openCached(relative, stat);
    if (found === COLD) return COLD;
    if (found < 0) {
      this.#cache.drop(canonical);
      return found;
    }
    const known = this.#known(canonical, stat, clock.now);
    const wrong = known === null ? notFile(stat) : 0;
    if (known !== null || wrong < 0) {
      kernel.close(found);
      return known ?? wrong;
    }
    const fd = this.#root.reopen(found, OPEN.readOnly);
    return fd < 0 ? fd : this.#take(canonical, stat, fd, clock.now);
  }

  /** The cached file when `stat`, what its name meant at `lookedAt`, is what it is; else null. */
  #known(canonical: ByteString, stat: FileStat, lookedAt: number): DiskFile | null {
    const cached = this.#cache.get(canonical);
    if (cached === undefined) return null;
    const old = cached.held > 0 && clock.now - cached.since > HELD_MS;
    if (old || !cached.stat.same(stat)) return null;
    cached.checked = Math.max(cached.checked, lookedAt);
    cached.touch(clock.now);
    return cached;
  }

  /** Takes over `fd`, which was found at `lookedAt` with the facts `stat`. */
  #take(
    canonical: ByteString,
    stat: FileStat,
    fd: number,
    lookedAt: number,
  ): DiskFile | ColdFile | number {
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
    const newer = this.#cache.get(canonical);
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
    const content = body === null ? new Descriptor(fd, this.fds) : new Body(body);
    const file = new DiskFile(stat, content, lookedAt, this.#root.device);
    // Just seen in memory, or brought there.
    if (stat.size <= SMALL_BYTES_MAX) file.residentUntil = clock.now + RESIDENT_MS;
    this.#cache.put(canonical, file);
    return file;
  }

  /** True when one more descriptor may be kept, if need be in place of a cached one. */
  #hasRoom(): boolean {
    while (this.fds.open >= this.#limits.files && this.#cache.freeFd());
    return this.fds.open < this.#limits.files;
  }
}

// --- internal ---

function lacksFds(failed: number): boolean {
  return failed === -ERRNO.EMFILE || failed === -ERRNO.ENFILE;
}
