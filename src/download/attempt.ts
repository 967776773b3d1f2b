/** An attempt to bring an order: whom it reports to, and who may look at its file. */
import type { Order } from "./order.ts";
import type { FileCounter } from "./progress.ts";

/** Whom attempts report to. Each order that was handed out is reported once. */
export interface AttemptOwner {
  /** The file has its name. */
  delivered(order: Order, file: FileCounter): void;
  /** The attempt was abandoned, and another one may help. */
  failed(order: Order, file: FileCounter, error: unknown): void;
  /** No attempt would help. `file` is the abandoned attempt's, null when there was none. */
  undelivered(order: Order, file: FileCounter | null, error: unknown): void;
  /** Starts work that the delivery's end waits for. */
  run(work: () => Promise<void>): void;
  /** Orders have left a queue: there may be room for others. */
  dequeued(): void;
}

/**
 * Looks at the complete file of an order under `path`; rejects when it may not be published. True
 * when all of it was compared with what it should be.
 */
export type Inspect = (order: Order, path: string) => Promise<boolean>;
