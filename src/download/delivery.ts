/**
 * The delivery of one server's orders into one destination. This file admits orders and refuses
 * those that cannot come: files that are too large, and all that is left after a hopeless error.
 * smallfiles.ts and largefiles.ts bring the files; restarts.ts decides which failures are tried
 * again.
 *
 *   add(order) -> admission -+-> small files -+-> delivered
 *                    ^       +-> large files -+-> failed -> restarts -+-> undelivered
 *                    +--------- another attempt ----------------------+
 *
 * Invariant: each order is reported exactly once, by delivered() or undelivered(): at any moment it
 * is with one of the four, which hands it on once.
 */
import { LocalError } from "../destination/error.ts";
import type { Staging } from "../destination/staging.ts";
import { Failure } from "../wire/failure.ts";
import { printable } from "../wire/printable.ts";
import type { AttemptOwner } from "./attempt.ts";
import { LargeFiles } from "./largefiles.ts";
import type { Order } from "./order.ts";
import type { Origin } from "./origin.ts";
import { SMALL_BYTES_MAX } from "./pipeline.ts";
import { FileCounter, type FileProgress, type Progress } from "./progress.ts";
import { Restarts } from "./restarts.ts";
import { SmallFiles } from "./smallfiles.ts";

/** Orders that wait: beyond, whoever lists more is asked to wait. */
const WAITING_MAX = 16_384;

/** Largest file, 64 TiB: of its chunks a table is held. */
const SIZE_MAX = 2n ** 46n;

/** Errors of this machine after which no other file will fare better. */
const HOPELESS = ["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"];

/** What becomes of orders. */
export interface DeliveryOwner {
  /** The file is published, and its content and its name are on the disk. */
  delivered(file: FileProgress, order: Order): void;
  /** The file is not published: ClientError or LocalError. */
  undelivered(file: FileProgress, error: unknown, order: Order): void;
  /** Whether what is complete may be published; it may look at the staged file first. */
  inspect?(order: Order, path: string): Promise<boolean>;
}

/** Orders of one server into one destination. */
export class Delivery implements AttemptOwner {
  readonly #progress: Progress;
  readonly #owner: DeliveryOwner;
  readonly #small: SmallFiles;
  readonly #large: LargeFiles;
  readonly #restarts: Restarts;
  readonly #running = new Set<Promise<void>>();
  /** add() waits for room. */
  #full = false;
  #room = Promise.withResolvers<void>();
  /** The error after which nothing more is tried. */
  #hopeless: unknown = null;

  constructor(origin: Origin, staging: Staging, progress: Progress, owner: DeliveryOwner) {
    this.#progress = progress;
    this.#owner = owner;
    this.#small = new SmallFiles(origin, staging, progress, this);
    const inspect = owner.inspect?.bind(owner) ?? null;
    this.#large = new LargeFiles(origin, staging, progress, this, inspect);
    this.#restarts = new Restarts(origin, progress);
  }

  /** Takes an order; resolves when there is room for another. */
  async add(order: Order): Promise<void> {
    this.#admit(order);
    while (this.#waiting >= WAITING_MAX) {
      this.#full = true;
      await this.#room.promise;
    }
  }

  /** Resolves when every order is reported. */
  async finish(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
    this.#small.flush();
  }

  // --- for small and large files ---

  delivered(order: Order, file: FileCounter): void {
    file.succeed();
    this.#owner.delivered(file, order);
  }

  failed(order: Order, file: FileCounter, error: unknown): void {
    this.run(async () => {
      if (await this.#restarts.allows(order, error, this.#isSmall(order))) this.#admit(order);
      else this.undelivered(order, file, error);
    });
  }

  undelivered(order: Order, attempt: FileCounter | null, error: unknown): void {
    const file = attempt ?? new FileCounter(this.#progress, order);
    file.fail();
    const hopeless = isHopeless(error);
    // What was under way meets the same disk: one cause, told in one way.
    this.#owner.undelivered(file, hopeless ? (this.#hopeless ?? error) : error, order);
    if (this.#hopeless === null && hopeless) this.#giveUp(error);
  }

  run(work: () => Promise<void>): void {
    const running = work().finally(() => {
      this.#running.delete(running);
      if (this.#waiting > 0) this.#start();
    });
    this.#running.add(running);
  }

  dequeued(): void {
    if (!this.#full || this.#waiting >= WAITING_MAX) return;
    this.#full = false;
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }

  // --- internal ---

  get #waiting(): number {
    return this.#small.waiting + this.#large.waiting;
  }

  /** Takes an order without waiting: a new attempt must not wait for room that it should make. */
  #admit(order: Order): void {
    if (this.#hopeless !== null) {
      this.undelivered(order, null, this.#hopeless);
      return;
    }
    if (order.file.entry.size > SIZE_MAX) {
      const name = printable(order.file.path);
      const text = `${name} has ${order.file.entry.size} bytes: more than 64 TiB can't be fetched`;
      this.undelivered(order, null, new LocalError("EFBIG", text));
      return;
    }
    if (this.#isSmall(order)) this.#small.add(order);
    else this.#large.add(order);
    this.#start();
  }

  #start(): void {
    this.#small.start();
    this.#large.start();
  }

  /** What is to be inspected must be on the disk first, whatever its size. */
  #isSmall({ file, others = [] }: Order): boolean {
    if (others.length > 0) return false;
    return file.entry.size <= SMALL_BYTES_MAX && this.#owner.inspect === undefined;
  }

  #giveUp(error: unknown): void {
    this.#hopeless = error;
    const left = [...this.#small.drain(), ...this.#large.drain()];
    for (const order of left) this.undelivered(order, null, error);
    this.dequeued();
  }
}

// --- internal ---

/** True when no other file would fare better: the disk takes nothing, or the caller gave up. */
function isHopeless(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  return error.kind === "aborted" || (error.kind === "local" && HOPELESS.includes(error.code));
}
