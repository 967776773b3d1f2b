/**
 * Small files over one connection, without a round trip for each: READ and HASH of many are on
 * their way at once, and each file is compared in memory before the disk sees it.
 *
 * Invariant: an order leaves it exactly once: brought, failed, or given back because the connection
 * ended.
 */
import { WholeSink } from "../receive/sink.ts";
import { digestOf } from "../digest/digest.ts";
import { CHUNK_BYTES_DEFAULT } from "../wire/digest.ts";
import { printable } from "../wire/printable.ts";
import type { WireClient } from "../client/wireclient.ts";
import type { Digests } from "../client/hash.ts";
import { ClientError } from "../client/error.ts";
import type { Order } from "./order.ts";
import type { Origin } from "./origin.ts";
import { passes } from "./retry.ts";
import type { Tally } from "./progress.ts";
import { changed } from "./verifier.ts";

/** A file up to this size is small: one chunk, held in memory until it is compared. */
export const SMALL_BYTES_MAX = CHUNK_BYTES_DEFAULT;

/** Files on their way at once: with 50 ms of distance, 5,000 a second. */
const FILES_AHEAD = 256;

/** Bytes on their way at once, beyond the first file's: they are memory. */
const BYTES_AHEAD = 16 * 1024 * 1024;

/** What a lane asks of whoever runs it. */
export interface PipelineOwner {
  /** The next order, or null when there is none just now. */
  next(): Order | null;
  /** The content is here, and compared where that is wanted. */
  brought(order: Order, bytes: Uint8Array): void;
  /** The order can't be met, or must be looked at again: ESTALE, a bad content, ENOENT. */
  failed(order: Order, error: unknown): void;
}

/** One connection for small files. */
export class Pipeline {
  readonly #client: WireClient;
  readonly #origin: Origin;
  readonly #owner: PipelineOwner;
  readonly #tally: Tally;
  readonly #underWay = new Set<Order>();
  #bytes = 0;
  readonly #over = Promise.withResolvers<Order[]>();
  #broken: unknown = null;
  /** No order was there at the last look. */
  #dry = false;

  constructor(client: WireClient, origin: Origin, owner: PipelineOwner, tally: Tally) {
    this.#client = client;
    this.#origin = origin;
    this.#owner = owner;
    this.#tally = tally;
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
    while (this.#broken === null && this.#hasRoom()) {
      const order = this.#owner.next();
      this.#dry = order === null;
      if (order === null) break;
      this.#ask(order);
    }
    if (this.#underWay.size === 0) this.#over.resolve([]);
  }

  // --- internal ---

  #hasRoom(): boolean {
    return this.#underWay.size < FILES_AHEAD && this.#bytes < BYTES_AHEAD;
  }

  #ask(order: Order): void {
    const { path, entry } = order.file;
    const size = Number(entry.size);
    this.#underWay.add(order);
    this.#bytes += size;
    const sink = new WholeSink(size);
    const reading = this.#client.read(path, sink, { length: entry.size, ifEtag: entry.etag });
    const hashing = this.#origin.verifies ? this.#client.hash(path) : null;
    reading.then(
      ({ size: there }) => {
        this.#tally.received += size;
        if (there === entry.size) this.#read(order, sink.bytes, hashing);
        else this.#fail(order, changed(path));
      },
      (error: unknown) => this.#fail(order, error),
    );
    // Where the content failed nobody looks at its digest.
    hashing?.catch(() => {});
  }

  #read(order: Order, bytes: Uint8Array, hashing: Promise<Digests> | null): void {
    if (hashing === null) {
      this.#bring(order, bytes);
      return;
    }
    hashing.then(
      (digests) => this.#compare(order, bytes, digests),
      (error: unknown) => this.#notCompared(order, bytes, error),
    );
  }

  #compare(order: Order, bytes: Uint8Array, { etag, digests }: Digests): void {
    const { path, entry } = order.file;
    const text = printable(path);
    if (etag !== entry.etag) {
      this.#fail(order, changed(path));
    } else if (digests[0] === digestOf("xxh3", bytes)) {
      this.#tally.verified += bytes.length;
      this.#bring(order, bytes);
    } else {
      this.#fail(order, new ClientError("corrupt", "EIO", `EIO: it arrived wrong: ${text}`));
    }
  }

  #notCompared(order: Order, bytes: Uint8Array, error: unknown): void {
    if (!(error instanceof ClientError) || error.code !== "ENOSYS") {
      this.#fail(order, error);
      return;
    }
    this.#origin.cannotVerify();
    this.#bring(order, bytes);
  }

  #bring(order: Order, bytes: Uint8Array): void {
    this.#leave(order);
    this.#owner.brought(order, bytes);
    this.#goOn();
  }

  #fail(order: Order, error: unknown): void {
    // The connection's end, not the file's: all that was under way is to be asked for again.
    if (passes(error) && !this.#client.open) {
      this.#broken ??= error;
      this.#over.resolve([...this.#underWay]);
      return;
    }
    this.#leave(order);
    this.#owner.failed(order, error);
    this.#goOn();
  }

  #leave(order: Order): void {
    this.#underWay.delete(order);
    this.#bytes -= Number(order.file.entry.size);
  }

  /** Asks again in lumps: as many lines leave in one write. */
  #goOn(): void {
    const half = this.#underWay.size < FILES_AHEAD / 2 || this.#bytes < BYTES_AHEAD / 2;
    if (half || this.#dry) this.fill();
  }
}
