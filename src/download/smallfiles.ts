/**
 * The small files of a delivery: fetched by pipelines, written and published in batches. It owns
 * the queue of orders that are not asked for, the pipelines and the batch.
 *
 * Invariant: an order that was added leaves once: delivered, failed, undelivered, or by drain().
 * What a connection's end left unanswered returns to the queue's front.
 */
import { Batch } from "../destination/batch.ts";
import type { Staging } from "../destination/staging.ts";
import type { AttemptOwner } from "./attempt.ts";
import { type Order, publicationOf } from "./order.ts";
import type { Origin } from "./origin.ts";
import { Pipeline } from "./pipeline.ts";
import type { FileCounter, Progress } from "./progress.ts";
import { Retry } from "./retry.ts";

/** Pipelines to a distant server, where one connection alone is held back by round trips. */
const PIPELINES_FAR = 4;

/** Small files of one server. */
export class SmallFiles {
  readonly #origin: Origin;
  readonly #progress: Progress;
  readonly #owner: AttemptOwner;
  readonly #batch: Batch;
  readonly #queue: Order[] = [];
  readonly #pipelines = new Set<Pipeline>();
  /** Pipelines that run or are being connected. */
  #running = 0;

  constructor(origin: Origin, staging: Staging, progress: Progress, owner: AttemptOwner) {
    this.#origin = origin;
    this.#progress = progress;
    this.#owner = owner;
    this.#batch = new Batch(staging);
  }

  /** Orders that are not asked for. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes an order; start() begins it. */
  add(order: Order): void {
    this.#queue.push(order);
  }

  /** Gives orders to the pipelines that have room, and adds one where that pays. */
  start(): void {
    for (const pipeline of this.#pipelines) pipeline.fill();
    const { far, options } = this.#origin;
    const most = far ? Math.min(PIPELINES_FAR, options.connections) : 1;
    if (this.#queue.length === 0 || this.#running >= most) return;
    this.#running += 1;
    this.#owner.run(() => this.#run().finally(() => (this.#running -= 1)));
  }

  /** Publishes what has been written. */
  flush(): void {
    this.#batch.flush();
  }

  /** Takes back all orders that are not asked for. */
  drain(): Order[] {
    return this.#queue.splice(0);
  }

  // --- internal ---

  /** Runs pipelines, one behind the other, until the queue is empty. */
  async #run(): Promise<void> {
    const { options } = this.#origin;
    const retry = new Retry(options.retries, options.waited);
    while (this.#queue.length > 0) {
      try {
        await this.#runOne(retry);
      } catch (error) {
        try {
          await retry.after(error);
        } catch {
          for (const order of this.drain()) this.#owner.undelivered(order, null, error);
          this.#owner.dequeued();
        }
      }
    }
  }

  async #runOne(retry: Retry): Promise<void> {
    const client = await this.#origin.take();
    const pipeline = new Pipeline(
      client,
      this.#origin,
      {
        next: () => this.#next(),
        received: (order, file, bytes) => {
          retry.progress();
          this.#write(order, file, bytes);
        },
        failed: (order, file, error) => this.#owner.failed(order, file, error),
      },
      this.#progress,
    );
    this.#pipelines.add(pipeline);
    // The first connection has told how distant the server is: another pipeline may pay.
    this.start();
    try {
      await pipeline.run((orders) => this.#queue.unshift(...orders));
    } finally {
      this.#pipelines.delete(pipeline);
      this.#origin.giveBack(client);
    }
  }

  #next(): Order | null {
    const order = this.#queue.shift() ?? null;
    if (order !== null) this.#owner.dequeued();
    return order;
  }

  #write(order: Order, file: FileCounter, bytes: Uint8Array): void {
    const failed = (error: unknown): void => {
      file.abandon();
      this.#owner.undelivered(order, file, error);
    };
    try {
      this.#batch.add(order.staged, bytes, publicationOf(order), (error) => {
        if (error !== null) {
          failed(error);
          return;
        }
        file.place(bytes.length);
        this.#owner.delivered(order, file);
      });
    } catch (error) {
      failed(error);
    }
  }
}
