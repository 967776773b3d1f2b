/**
 * A cache of blocks for tests: an origin that is a function, a disk whose jobs are done in order.
 */
import type { Refusal } from "../../src/wire/errors.ts";
import type { Entry } from "../../src/wire/entry.ts";
import { tick } from "../../src/sys/clock.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { BlockCache } from "../../src/store/blocks/blockcache.ts";
import { openFolder } from "../../src/store/blocks/folder.ts";
import { type Job, JobDoer } from "../../src/store/blocks/job.ts";
import { BLOCK_BYTES } from "../../src/store/blocks/layout.ts";
import { idOf, type ObjectOrigin, type OriginSink } from "../../src/store/blocks/origin.ts";
import type { BlockReader } from "../../src/store/blocks/reader.ts";
import type { DiskOwner, JobDisk, MakeDisk } from "../../src/store/blocks/thread.ts";

/** Each page of an object begins with its name's sum and its own number. */
const PAGE = 4096;
const NOISE = Buffer.from(Array.from({ length: PAGE }, (_, at) => (at * 31 + (at >>> 8)) & 0xff));

/** An object of an origin, and what it was asked for. */
export class FakeObject implements ObjectOrigin {
  readonly id: Uint8Array;
  readonly size: number;
  readonly entry: Entry;
  readonly asked: string[] = [];
  /** Bytes of one piece. */
  pieceBytes = 300_000;
  /** It answers this behind so many bytes of a request. */
  failAt = Infinity;
  refusal: Refusal | null = null;
  /** Awaited before each piece. */
  gate: (() => Promise<void> | void) | null = null;
  aborted = 0;
  readonly #seed: number;

  /** Bytes depend on `name` alone, as far as there are `size`. */
  constructor(name: string, size: number) {
    this.id = idOf({ endpoint: "http://o", bucket: "b", key: name, tag: '"1"', size });
    this.size = size;
    this.entry = { type: "file", size: BigInt(size), mtime: 0n, etag: "0" };
    this.#seed = Bun.hash.crc32(name);
  }

  /** The bytes that it has in [from, from + length). */
  bytes(from: number, length: number): Buffer {
    const first = Math.floor(from / PAGE);
    const pages = Math.ceil((from + length) / PAGE) - first;
    const bytes = Buffer.alloc(pages * PAGE);
    for (let nth = 0; nth < pages; nth++) {
      bytes.set(NOISE, nth * PAGE);
      bytes.writeUInt32LE(this.#seed, nth * PAGE);
      bytes.writeUInt32LE(first + nth, nth * PAGE + 4);
    }
    return bytes.subarray(from - first * PAGE, from - first * PAGE + length);
  }

  async bring(
    from: number,
    length: number,
    sink: OriginSink,
    signal: AbortSignal,
  ): Promise<Refusal | null> {
    this.asked.push(`${from}+${length}`);
    for (let at = 0; at < length;) {
      await this.gate?.();
      await Bun.sleep(0);
      if (signal.aborted) {
        this.aborted += 1;
        return this.refusal;
      }
      if (at >= this.failAt) return this.refusal;
      const count = Math.min(this.pieceBytes, length - at);
      const room = sink.push(this.bytes(from + at, count));
      if (room !== null) await room;
      at += count;
    }
    return null;
  }
}

/** A disk on the loop: each job an event later, unless it is `held`. */
export class LoopDisk implements JobDisk {
  readonly jobs: Job[] = [];
  held = false;
  ended = false;
  /** What is answered in place of doing it. */
  instead: ((job: Job) => number | null) | null = null;
  readonly #doer: JobDoer;
  readonly #owner: DiskOwner;

  constructor(...[folder, memory, owner]: Parameters<MakeDisk>) {
    this.#doer = new JobDoer(folder, new Uint8Array(memory));
    this.#owner = owner;
  }

  send(job: Job): void {
    this.jobs.push(job);
    setImmediate(() => this.go());
  }

  /** It ends by itself. */
  die(): void {
    this.ended = true;
    this.#owner.ended(this);
  }

  /** Does the next one. */
  go(): void {
    if (this.held || this.ended) return;
    const job = this.jobs.shift();
    if (job !== undefined) this.#owner.answered(this.instead?.(job) ?? this.#doer.do(job));
  }

  /** Goes on. */
  release(): void {
    this.held = false;
    for (const _ of this.jobs) setImmediate(() => this.go());
  }

  end(): void {
    this.ended = true;
  }
}

/** A cache in `folder`; `using` closes it. */
export class CacheRig {
  readonly cache: BlockCache;
  readonly said: string[] = [];
  /** The one in use. */
  disk: LoopDisk | null = null;

  constructor(folder: string, capacity: number, fillsMax?: number) {
    const make: MakeDisk = (...args) => (this.disk = new LoopDisk(...args));
    const say = (line: string): void => void this.said.push(line);
    this.cache = new BlockCache(openFolder(folder, capacity), capacity, make, say, fillsMax);
  }

  /** A reader of a range; null: the cache can't be used now. */
  reader(object: FakeObject, start: number, length: number, awake = (): void => {}) {
    tick();
    const range = { start, length };
    return this.cache.read(object.id, object.entry, object, range, "peer", awake);
  }

  /** "right" where a reader gives all bytes of [start, start + length), or what it ended with. */
  async reads(object: FakeObject, start = 0, length = object.size - start): Promise<string> {
    const got = await this.read(object, start, length);
    if (typeof got === "string") return got;
    return got.equals(object.bytes(start, length)) ? "right" : "WRONG";
  }

  /** All that a reader gives of [start, start + length), or what it ended with. */
  read(object: FakeObject, start = 0, length = object.size - start): Promise<Buffer | string> {
    tick();
    return readFrom(this.cache, object, start, length);
  }

  /** What is at hand for `reader`, which takes it. */
  part(reader: BlockReader): Buffer {
    return partOf(reader);
  }

  [Symbol.dispose](): void {
    this.cache.close();
  }
}

/** All that `cache` gives of a range of `object`, or what it ended with behind how much. */
export async function readFrom(
  cache: BlockCache,
  object: FakeObject,
  start: number,
  length: number,
): Promise<Buffer | string> {
  let woken = Promise.withResolvers<void>();
  const range = { start, length };
  const awake = (): void => woken.resolve();
  const reader = cache.read(object.id, object.entry, object, range, "peer", awake);
  if (reader === null) return "none";
  const parts: Buffer[] = [];
  let got = 0;
  try {
    while (got < length) {
      const unread = reader.next();
      if (unread === "wait") {
        await woken.promise;
        woken = Promise.withResolvers<void>();
      } else if (unread === null) {
        const part = partOf(reader);
        parts.push(part);
        got += part.length;
      } else return `${unread} after ${got}`;
    }
    return Buffer.concat(parts);
  } finally {
    reader.close();
  }
}

// --- internal ---

function partOf(reader: BlockReader): Buffer {
  const { view, available, position } = reader;
  const bytes = Buffer.alloc(available);
  const at = view!.base + BigInt(position % BLOCK_BYTES);
  const got = kernel.pread(view!.fd, bytes, available, at);
  reader.take(available);
  return bytes.subarray(0, got);
}
