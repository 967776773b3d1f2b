/**
 * A pipeline of small files: one connection on which READ and HASH of many files are under way at
 * once, so that no file costs a round trip. Each file is compared in memory before it is written.
 *
 * Invariant: an order leaves the pipeline exactly once: received, failed, or given back because the
 * connection ended.
 */
import { WholeSink } from "../receive/sink.ts";
import { digestOf } from "../digest/digest.ts";
import { CHUNK_BYTES_DEFAULT } from "../wire/digest.ts";
import { printable } from "../wire/printable.ts";
import type { FileClient } from "../client/fileclient.ts";
import type { Digests } from "../client/hash.ts";
import { ClientError } from "../client/error.ts";
import type { Order } from "./order.ts";
import type { Origin } from "./origin.ts";
import { passes } from "./retry.ts";
import { FileCounter, type Progress } from "./progress.ts";
import { changed } from "./changed.ts";

/** A file up to this size is small: one chunk, held in memory until it is compared. */
export const SMALL_BYTES_MAX = CHUNK_BYTES_DEFAULT;

/** Files under way at once: with a round trip of 50 ms, 5,000 files a second. */
const FILES_AHEAD = 256;

/** Bytes under way at once, beyond the first file's: they are held in memory. */
const BYTES_AHEAD = 16 * 1024 * 1024;

/** What a pipeline asks of whoever runs it. */
export interface PipelineOwner {
  /** The next order, or null when there is none just now. */
  next(): Order | null;
  /** The content has come, and was compared where that is wanted. */
  received(order: Order, file: FileCounter, bytes: Uint8Array): void;
  /** The attempt was abandoned: ESTALE, a bad content, ENOENT, a refusal. */
  failed(order: Order, file: FileCounter, error: unknown): void;
}

/** One connection for small files. */
export class Pipeline {
  readonly #client: FileClient;
  readonly #origin: Origin;
  readonly #owner: PipelineOwner;
  readonly #progress: Progress;
  readonly #underWay = new Set<Order>();
  #bytes = 0;
  readonly #over = Promise.withResolvers<Order[]>();
  /** run() is about to end: a later order is the next pipeline's. */
  #ended = false;
  /** The error that ended the connection. */
  #broken: unknown = null;
  /** The owner had no order when it was asked last. */
  #starved = false;

  constructor(client: FileClient, origin: Origin, owner: PipelineOwner, progress: Progress) {
    this.#client = client;
    this.#origin = origin;
    this.#owner = owner;
    this.#progress = progress;
  }

  /**
   * Works until there is no order left. Rejects with the error that ended the connection, after it
   * has given back what was under way by `lost`.
   */
  async run(lost: (orders: readonly Order[]) => void): Promise<void> {
    this.fill();
    const left = await this.#over.promise;
    if (this.#broken === null) return;
    lost(left);
    throw this.#broken;
  }

  /** Takes as many orders as there is room for: also when new ones have come. */
  fill(): void {
    while (!this.#ended && this.#hasRoom()) {
      const order = this.#owner.next();
      this.#starved = order === null;
      if (order === null) break;
      this.#ask(order);
    }
    if (this.#underWay.size > 0) return;
    this.#ended = true;
    this.#over.resolve([]);
  }

  // --- internal ---

  #hasRoom(): boolean {
    return this.#underWay.size < FILES_AHEAD && this.#bytes < BYTES_AHEAD;
  }

  #ask(order: Order): void {
    const { path, entry } = order.file;
    const file = new FileCounter(this.#progress, order);
    this.#underWay.add(order);
    this.#bytes += file.size;
    const sink = new WholeSink(file.size);
    const reading = this.#client.read(path, sink, { length: entry.size, ifEtag: entry.etag });
    const hashing = this.#origin.verifies ? this.#client.hash(path) : null;
    reading.then(
      ({ size }) => {
        file.receive(file.size);
        if (size !== entry.size) this.#fail(order, file, changed(path));
        else if (hashing === null) this.#receive(order, file, sink.bytes);
        else this.#compareWith(hashing, order, file, sink.bytes);
      },
      (error: unknown) => this.#fail(order, file, error),
    );
    // Where the content failed nobody looks at its digest.
    hashing?.catch(() => {});
  }

  #compareWith(
    hashing: Promise<Digests>,
    order: Order,
    file: FileCounter,
    bytes: Uint8Array,
  ): void {
    hashing.then(
      (digests) => this.#compare(order, file, bytes, digests),
      (error: unknown) => this.#notCompared(order, file, bytes, error),
    );
  }

  #compare(order: Order, file: FileCounter, bytes: Uint8Array, { etag, digests }: Digests): void {
    const { path, entry } = order.file;
    const text = printable(path);
    if (etag !== entry.etag) {
      this.#fail(order, file, changed(path));
    } else if (digests[0] === digestOf("xxh3", bytes)) {
      file.verify(bytes.length);
      this.#receive(order, file, bytes);
    } else {
      const error = new ClientError("corrupt", "EIO", `EIO: it arrived wrong: ${text}`);
      this.#fail(order, file, error);
    }
  }

  #notCompared(order: Order, file: FileCounter, bytes: Uint8Array, error: unknown): void {
    if (!(error instanceof ClientError) || error.code !== "ENOSYS") {
      this.#fail(order, file, error);
      return;
    }
    this.#origin.cannotVerify();
    this.#receive(order, file, bytes);
  }

  #receive(order: Order, file: FileCounter, bytes: Uint8Array): void {
    if (!this.#remove(order)) return;
    this.#owner.received(order, file, bytes);
    this.#refill();
  }

  #fail(order: Order, file: FileCounter, error: unknown): void {
    // The connection has ended, not the file: all that was under way is asked for again.
    if (passes(error) && !this.#client.open) {
      this.#ended = true;
      this.#broken ??= error;
      this.#over.resolve([...this.#underWay]);
      this.#underWay.clear();
      return;
    }
    if (!this.#remove(order)) return;
    file.abandon();
    this.#owner.failed(order, file, error);
    this.#refill();
  }

  /** False when the order was given back already: a digest came with the connection's end. */
  #remove(order: Order): boolean {
    this.#bytes -= Number(order.file.entry.size);
    return this.#underWay.delete(order);
  }

  /** Asks again in lumps: as many lines leave in one write. */
  #refill(): void {
    const half = this.#underWay.size < FILES_AHEAD / 2 || this.#bytes < BYTES_AHEAD / 2;
    if (half || this.#starved) this.fill();
  }
}
