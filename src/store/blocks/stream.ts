/**
 * The bytes of a source as a stream, out of a cache where there is one: for who wants them in
 * memory, as digests do. Blocks are read by the pool of threads, one window at a time.
 */
import { clock } from "../../sys/clock.ts";
import type { ByteStream, OpenFile, Source } from "../store.ts";
import { type DiskRead, windows } from "../diskread.ts";
import { BLOCK_BYTES } from "./layout.ts";
import type { BlockReader } from "./reader.ts";

/** Bytes read at once, and held. */
const WINDOW_BYTES = 262_144;

/** As Source.stream, through the cache of `source` where it has one that can be used. */
export function streamOf(
  source: Source,
  at: bigint,
  length: number,
  peer: string,
  awake: () => void,
): ByteStream {
  const cached =
    source.blocks === undefined ? null : new BlockStream(source, at, length, peer, awake);
  return cached?.usable === true ? cached : source.stream(at, length, peer, awake);
}

/** What is in blocks, and from where the cache can't give it the rest out of the source itself. */
export class BlockStream implements ByteStream {
  ready: Uint8Array | null = null;
  state: ByteStream["state"] = "flowing";
  readonly #source: Source;
  readonly #peer: string;
  readonly #awake: () => void;
  readonly #reader: BlockReader | null;
  readonly #window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #at: bigint;
  #left: number;
  /** What is read of the disk, and the block that is kept for it. */
  #read: DiskRead | null = null;
  #view: OpenFile | null = null;
  #direct: ByteStream | null = null;
  #closed = false;

  constructor(source: Source, at: bigint, length: number, peer: string, awake: () => void) {
    this.#source = source;
    this.#at = at;
    this.#left = length;
    this.#peer = peer;
    this.#awake = awake;
    this.#reader = source.blocks?.(at, length, peer, () => this.#advance(true)) ?? null;
    // Not within this call: its owner does not have it yet.
    if (this.#reader !== null) setImmediate(() => this.#advance(true));
  }

  /** False: the source has no cache that can be used now. */
  get usable(): boolean {
    return this.#reader !== null;
  }

  want(): void {
    if (this.#direct !== null) this.#direct.want();
    else if (this.ready === null) this.#advance(false);
  }

  take(count: number): void {
    this.#at += BigInt(count);
    this.#left -= count;
    if (this.#direct !== null) {
      this.#direct.take(count);
      this.ready = this.#direct.ready;
      return;
    }
    const rest = this.ready?.subarray(count) ?? null;
    this.ready = rest === null || rest.length === 0 ? null : rest;
    this.#reader?.take(count);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropRead();
    this.#direct?.close();
    this.#reader?.close();
  }

  // --- internal ---

  /** Brings the next bytes where none are here. `late`: its reader may be told within this call. */
  #advance(late: boolean): void {
    const reader = this.#reader;
    // What it reads may never come.
    if (reader?.stuck) this.#dropRead();
    const idle = !this.#closed && this.#direct === null && this.#read === null;
    if (!idle || reader === null || this.ready !== null || this.#left === 0) return;
    const unread = reader.next();
    if (unread === "wait") return;
    if (unread === "bypass") this.#pass();
    else if (unread === null && reader.view !== null) this.#readFrom(reader, reader.view);
    else {
      this.state = unread === "changed" ? "changed" : "failed";
      if (late) this.#awake();
      else setImmediate(() => this.#tell());
    }
  }

  #tell(): void {
    if (!this.#closed) this.#awake();
  }

  #readFrom(reader: BlockReader, view: OpenFile): void {
    const count = Math.min(WINDOW_BYTES, reader.available);
    const at = view.base + BigInt(reader.position % BLOCK_BYTES);
    view.retain();
    const read = windows.read(this.#peer, view, this.#window, count, at, (got, failed) => {
      view.release();
      if (this.#read !== read) return;
      this.#read = null;
      reader.diskSince = 0;
      if (failed || got < count) {
        reader.unreadable();
        this.#pass();
      } else {
        this.ready = this.#window.subarray(0, count);
        this.#awake();
      }
    });
    this.#read = read;
    this.#view = view;
    reader.diskSince = clock.now;
  }

  /** Its block is kept until the call that is under way has ended. */
  #dropRead(): void {
    if (this.#read?.drop()) this.#view?.release();
    this.#read = null;
  }

  /** Goes on past the cache. */
  #pass(): void {
    this.#reader?.close();
    const direct = this.#source.stream(this.#at, this.#left, this.#peer, () => {
      this.ready = direct.ready;
      this.state = direct.state;
      this.#tell();
    });
    this.#direct = direct;
    direct.want();
  }
}
