/**
 * The sorted names of one wide folder as they were at one time, made in steps that all pages which
 * need them share. It owns a descriptor of the folder while it reads.
 *
 *   reading -> merging -> ready, or too wide, or -errno
 */
import { kernel } from "../sys/kernel.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import { HERE } from "../wire/path.ts";
import { Merge, SortedNames } from "./names.ts";
import { readNames } from "./records.ts";

/**
 * Bytes of one folder's names: two million of 16 bytes. A wider folder is read whole for each page,
 * as if there were no snapshots: that takes long, and no memory.
 */
export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1024;

/** Names sorted at once, by the engine: 2 ms. */
const RUN_NAMES = 8192;

/** Names a step of merging moves: 0.4 ms. */
const MERGED_PER_STEP = 2048;

/**
 * A folder that changed less than so many milliseconds before it was read may change again without
 * its times telling: they move with the kernel's tick (4 ms), or in steps of 2 s on FAT.
 */
export const SETTLED_MS = 2000;

/** Ends of pages that are remembered: of a walk through a million names there are 715. */
const ENDS_MAX = 8192;

const NS_PER_MS = 1_000_000n;

/** Names in the making, and then made. */
export class Snapshot {
  /** The folder's facts from before its names were read. */
  readonly stat = new FileStat();
  /** When reading began, in clock.now's milliseconds. */
  readonly since: number;
  /** When a page last used it, in clock.now's milliseconds. */
  usedAt: number;
  /** Pages that are made of it now. */
  users = 0;
  /** The names once they are sorted; null until then, and in a folder that is too wide. */
  names: SortedNames | null = null;
  state: "reading" | "merging" | "ready" | "too wide" | number = "reading";
  /** Names that pages ended with which said that more follow, the oldest first. */
  readonly #ends = new Set<ByteString>();
  readonly #allows: (name: ByteString) => boolean;
  readonly #settled: boolean;
  #fd: number;
  #run: ByteString[] = [];
  #runs: SortedNames[] = [];
  #merge: Merge | null = null;
  #bytes = 0;

  /**
   * Of the open directory `folder`, which stays the caller's; a name that `allows` is false for is
   * none.
   */
  constructor(folder: number, now: number, allows: (name: ByteString) => boolean) {
    this.since = now;
    this.usedAt = now;
    this.#allows = allows;
    this.#fd = kernel.openat(folder, HERE, OPEN.readOnly | OPEN.directory);
    const failed = this.#fd < 0 ? this.#fd : kernel.statx(this.#fd, "", this.stat);
    if (failed < 0) this.#finish(failed);
    const { mtime, ctime } = this.stat;
    const changed = (mtime > ctime ? mtime : ctime) / NS_PER_MS;
    this.#settled = BigInt(Date.now()) - changed >= BigInt(SETTLED_MS);
  }

  /** True while there are steps to make. */
  get making(): boolean {
    return this.state === "reading" || this.state === "merging";
  }

  /** Bytes that it takes, at most. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True when a folder whose facts are `stat` now has these names and no others. */
  fits(stat: FileStat): boolean {
    return this.#settled && this.stat.same(stat);
  }

  /** A page ended with `name` and said that more follow; "" where it had no entry: no walk. */
  addEnd(name: ByteString): void {
    // What is behind "" is a walk's begin, which must not be of old names.
    if (name === "") return;
    this.#ends.add(name);
    const [oldest = ""] = this.#ends;
    if (this.#ends.size > ENDS_MAX) this.#ends.delete(oldest);
  }

  /** The walks of `other`, which this one replaces, go on in this one. */
  adoptEnds(other: Snapshot): void {
    for (const name of other.#ends) this.#ends.add(name);
  }

  /** True when a walk that asks for what is behind `name` goes on in these names. */
  hasEnd(name: ByteString): boolean {
    return this.#ends.has(name);
  }

  /** Works on for about half a millisecond, 3 ms where a run is sorted. */
  step(): void {
    if (this.state === "reading") this.#read();
    else if (this.state === "merging") this.#mergeOn();
  }

  /** Nobody needs it any more. */
  close(): void {
    if (this.making) this.#finish("too wide");
    this.names = null;
  }

  // --- internal ---

  #read(): void {
    const filled = readNames(this.#fd, (name) => {
      if (!this.#allows(name)) return;
      this.#bytes += name.length + 1;
      this.#run.push(name);
    });
    if (filled < 0) {
      this.#finish(filled);
      return;
    }
    if (this.#bytes > SNAPSHOT_BYTES_MAX) {
      this.#finish("too wide");
      return;
    }
    if (filled === 0 || this.#run.length >= RUN_NAMES) {
      // Without a comparison of ours: the same order, in a fifth of the time.
      this.#runs.push(SortedNames.of(this.#run.sort()));
      this.#run = [];
    }
    if (filled === 0) this.state = "merging";
  }

  #mergeOn(): void {
    if (this.#merge === null) {
      const [left, right] = this.#runs;
      if (left === undefined || right === undefined) {
        this.names = left ?? new SortedNames();
        this.#finish("ready");
        return;
      }
      this.#runs = this.#runs.slice(2);
      this.#merge = new Merge(left, right);
    }
    if (!this.#merge.step(MERGED_PER_STEP)) return;
    this.#runs.push(this.#merge.merged);
    this.#merge = null;
  }

  #finish(state: "ready" | "too wide" | number): void {
    this.state = state;
    if (state !== "ready") this.#bytes = 0;
    this.#run = [];
    this.#runs = [];
    this.#merge = null;
    if (this.#fd >= 0) kernel.close(this.#fd);
    this.#fd = -1;
  }
}
