/**
 * The digests of one range on their way: what is still to be asked of the thread, the reply as far
 * as it is known, and who waits for it. It keeps its file open as long as the thread may read it.
 */
import { DIGESTS } from "../wire/digest.ts";
import type { Refusal } from "../wire/errors.ts";
import type { DigestCache } from "./digest-cache.ts";
import type { Portion } from "../digest/worker.ts";
import { clock } from "../sys/clock.ts";
import type { DigestRange, OpenFile, Waiter } from "./store.ts";

/**
 * Bytes read for one answer of the thread: jobs take turns at this grain, 1 ms of xxh3 and 4 of
 * sha256. Only a single chunk of xxh3 can be more, since it is computed in one piece.
 */
export const PORTION_BYTES = 4 * 1024 * 1024;

/** A digest of fewer bytes is computed as fast as it would be looked up. */
const KEPT_CHUNK_BYTES_MIN = 65_536;

/**
 * A file that was written so lately can be written again without a new mtime (2 s is the coarsest
 * clock, FAT's): its digests are good for those who wait now, and not kept. In nanoseconds.
 */
const SETTLED_NS = 2_000_000_000n;

const NS_PER_MS = 1_000_000n;

/** What two equal questions have in common. The etag stands for the version of the file. */
export function jobKey({ entry }: OpenFile, { start, length, chunk, algo }: DigestRange): string {
  return `${entry.etag} ${algo} ${start} ${length} ${chunk}`;
}

/** So many who wait are never looked through for those that have left. */
const WAITERS_MIN = 256;

/** Bytes of a reply that count as one unit of work: the largest has 17. */
const UNIT_BYTES = 16_384;

/** One range of one version. */
export class DigestJob {
  readonly key: string;
  readonly id: number;
  readonly file: OpenFile;
  readonly range: DigestRange;
  /** The peer that asked first: its share is charged. */
  readonly peer: string;
  /** When the oldest digest in it was computed, in clock.now's milliseconds. */
  since: number = clock.now;
  /** Portions that the thread has not answered. */
  pending = 0;
  /** Stops what brings its next portion into memory; null while nothing does. */
  stop: (() => void) | null = null;
  /** Nobody is answered any more: failed, done, or dropped. */
  over = false;
  readonly #cache: DigestCache;
  readonly #keeps: boolean;
  #waiters: Waiter[] = [];
  /** So many may wait before those who have left are taken out. */
  #waitersMax = WAITERS_MIN;
  /** Made with the first digest: a job that waits for its turn holds none. */
  #text: Buffer | null = null;
  /** Bytes of the range that are known or asked for. */
  #asked = 0;
  /** Chunks of which a piece was asked for and the last one is not answered. */
  #inPieces = 0;

  constructor(id: number, peer: string, file: OpenFile, range: DigestRange, cache: DigestCache) {
    this.id = id;
    this.peer = peer;
    this.key = jobKey(file, range);
    this.file = file;
    this.range = range;
    this.#cache = cache;
    const now = BigInt(Date.now()) * NS_PER_MS;
    const settled = now - file.entry.mtime > SETTLED_NS;
    // Beyond 2^53 - 1 no number is exact: such a range is computed each time.
    const exact = range.start + BigInt(range.length) <= BigInt(Number.MAX_SAFE_INTEGER);
    this.#keeps = range.chunk >= KEPT_CHUNK_BYTES_MIN && settled && exact;
    this.catchUp();
  }

  /** The reply as far as it is known: all of it when `complete`. */
  get text(): Buffer {
    this.#text ??= Buffer.alloc(this.#textBytes);
    return this.#text;
  }

  /** What it counts as in a peer's share: 1, and more for a long reply. */
  get units(): number {
    return 1 + Math.floor(this.#textBytes / UNIT_BYTES);
  }

  /** True when the reply may be kept for later questions. */
  get keeps(): boolean {
    return this.#keeps;
  }

  /** True when something is left to ask of the thread. */
  get wants(): boolean {
    return !this.over && this.stop === null && this.#asked < this.range.length;
  }

  /** Bytes of the range that the thread has not been asked for. */
  get left(): number {
    return this.range.length - this.#asked;
  }

  /** True when every digest is in `text`. */
  get complete(): boolean {
    return this.#asked === this.range.length && this.pending === 0;
  }

  /** True in the middle of a chunk, until its digest is here: the thread keeps its beginning. */
  get begun(): boolean {
    return this.#inPieces > 0;
  }

  /** True while somebody waits. */
  get wanted(): boolean {
    while (this.#waiters.at(-1)?.gone) this.#waiters.pop();
    return this.#waiters.length > 0;
  }

  /** True when all who wait are of the peer that asked first. */
  get isPrivate(): boolean {
    return this.#waiters.every(({ peer, gone }) => gone || peer === this.peer);
  }

  /** Takes what has become known of the next chunks, by whomever. */
  catchUp(): void {
    if (!this.#keeps) return;
    const { chunk, length } = this.range;
    const whole = this.#cache.known(this.#keyOf(chunk));
    while (this.#asked % chunk === 0 && this.#asked < length) {
      const last = length - this.#asked < chunk;
      const table = last ? this.#cache.known(this.#keyOf(length - this.#asked)) : whole;
      const line = table?.digests.get(this.#offsetOf(this.#asked));
      if (table === undefined || line === undefined) return;
      this.since = Math.min(this.since, table.since);
      this.text.write(line, (this.#asked / chunk) * this.#lineBytes, "latin1");
      this.#asked += Math.min(chunk, length - this.#asked);
    }
  }

  /** Adds `waiter`; true when it is the first of its peer. */
  join(waiter: Waiter): boolean {
    // A disk that hangs must not gather those who came, asked and left.
    if (this.#waiters.length >= this.#waitersMax) {
      this.#waiters = this.#waiters.filter(({ gone }) => !gone);
      this.#waitersMax = Math.max(WAITERS_MIN, 2 * this.#waiters.length);
    }
    const first = !this.#waiters.some(({ peer }) => peer === waiter.peer);
    this.#waiters.push(waiter);
    return first;
  }

  /** The next portion. Only while it `wants` one. */
  next(): Portion {
    const { file, range } = this;
    const { start, length, chunk, algo } = range;
    const from = this.#asked;
    const inChunk = from % chunk;
    const left = Math.min(chunk - inChunk, length - from);
    const pieces = algo === "sha256" && (inChunk > 0 || left > PORTION_BYTES);
    let count = pieces ? Math.min(left, PORTION_BYTES) : left;
    while (!pieces && count + chunk <= PORTION_BYTES && from + count < length) {
      if (this.#isKnown(from + count)) break;
      count += Math.min(chunk, length - from - count);
    }
    const piece = pieces ? (count < left ? "more" : "last") : "whole";
    if (pieces && inChunk === 0) this.#inPieces += 1;
    this.pending += 1;
    this.#asked += count;
    this.catchUp();
    const source = file.body ?? file.fd;
    const at = file.base + start + BigInt(from);
    return { job: this.id, algo, source, at, count, chunk, piece };
  }

  /** The thread's lines for `portion`, read from the version that `file` is. */
  take({ at, piece }: Portion, lines: string): void {
    if (piece === "last") this.#inPieces -= 1;
    const { start, chunk } = this.range;
    const lineBytes = this.#lineBytes;
    let index = Math.floor(Number(at - this.file.base - start) / chunk);
    this.text.write(lines, index * lineBytes, "latin1");
    if (!this.#keeps) return;
    for (let from = 0; from < lines.length; from += lineBytes) {
      const begin = chunk * index++;
      const key = this.#keyOf(Math.min(chunk, this.range.length - begin));
      this.#cache.put(key, this.#offsetOf(begin), lines.slice(from, from + lineBytes));
    }
  }

  /** Tells all who still wait. */
  answer(result: Uint8Array | Refusal): void {
    for (const waiter of this.#waiters.splice(0)) {
      if (waiter.gone) continue;
      try {
        waiter.digested(result);
      } catch (error) {
        // Nobody above would catch it: it costs this client, not the others.
        waiter.crash(error);
      }
    }
  }

  // --- internal ---

  get #lineBytes(): number {
    return DIGESTS[this.range.algo] + 1;
  }

  get #textBytes(): number {
    return Math.ceil(this.range.length / this.range.chunk) * this.#lineBytes;
  }

  /** True when the digest of the chunk that begins `from` bytes behind the start is known. */
  #isKnown(from: number): boolean {
    if (!this.#keeps) return false;
    const count = Math.min(this.range.chunk, this.range.length - from);
    return this.#cache.known(this.#keyOf(count))?.digests.has(this.#offsetOf(from)) ?? false;
  }

  #offsetOf(from: number): number {
    return Number(this.range.start) + from;
  }

  /** The table of digests of `count` bytes each. */
  #keyOf(count: number): string {
    return `${this.file.entry.etag} ${this.range.algo} ${count}`;
  }
}
