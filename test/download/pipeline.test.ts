/** A pipeline of small files: an order leaves it once, in whatever order its answers come. */
import { expect, test } from "bun:test";
import { incompleteError, refusedError } from "../../src/client/error.ts";
import type { Digests } from "../../src/client/hash.ts";
import type { ReadResult } from "../../src/client/exchange.ts";
import type { WireClient } from "../../src/client/wireclient.ts";
import { digestOf } from "../../src/digest/digest.ts";
import type { Order } from "../../src/download/order.ts";
import type { Origin } from "../../src/download/origin.ts";
import { Pipeline } from "../../src/download/pipeline.ts";
import { Progress } from "../../src/download/progress.ts";
import type { Sink } from "../../src/receive/sink.ts";

const BYTES = Buffer.from("content");

/** A connection whose answers are the test's. */
class Answers {
  open = true;
  readonly reads: { sink: Sink; done: PromiseWithResolvers<ReadResult> }[] = [];
  readonly hashes: PromiseWithResolvers<Digests>[] = [];

  read(_path: string, sink: Sink): Promise<ReadResult> {
    const done = Promise.withResolvers<ReadResult>();
    this.reads.push({ sink, done });
    return done.promise;
  }

  hash(): Promise<Digests> {
    const done = Promise.withResolvers<Digests>();
    this.hashes.push(done);
    return done.promise;
  }

  bring(nth: number): void {
    const { sink, done } = this.reads[nth]!;
    sink.begin(BYTES.length);
    sink.write(BYTES);
    done.resolve({ etag: "e", size: BigInt(BYTES.length) } as ReadResult);
  }

  digest(nth: number, digest = digestOf("xxh3", BYTES)): void {
    this.hashes[nth]!.resolve({ etag: "e", digests: [digest] } as unknown as Digests);
  }

  /** The connection is lost: all that is not answered fails. */
  lose(): void {
    this.open = false;
    for (const { done } of this.reads) done.reject(incompleteError("lost", false));
    for (const done of this.hashes) done.reject(incompleteError("lost", false));
  }
}

/** A pipeline of `count` orders over answers, and where each order went. */
function pipelineOf(count: number) {
  const entry = { size: BigInt(BYTES.length), etag: "e" };
  const orders = Array.from({ length: count }, (_, nth) => {
    return { file: { path: `/f${nth}`, entry } } as unknown as Order;
  });
  const names = new Map(orders.map((order, nth) => [order, nth]));
  const answers = new Answers();
  const left = { received: [] as number[], failed: [] as number[], lost: [] as number[] };
  const waiting = [...orders];
  const owner = {
    next: () => waiting.shift() ?? null,
    received: (order: Order) => void left.received.push(names.get(order)!),
    failed: (order: Order) => void left.failed.push(names.get(order)!),
  };
  const origin = { verifies: true } as Origin;
  const progress = new Progress();
  const client = answers as unknown as WireClient;
  const pipeline = new Pipeline(client, origin, owner, progress);
  const ended = pipeline
    .run((lost) => left.lost.push(...lost.map((order) => names.get(order)!)))
    .then(
      () => null,
      (error: unknown) => error,
    );
  return { answers, left, waiting, orders, pipeline, progress, ended };
}

test("what is answered when the connection is lost leaves once, received or given back", async () => {
  const { answers, left, ended, progress } = pipelineOf(4);
  answers.bring(0);
  answers.digest(0);
  await Bun.sleep(0);
  // Content, digest and the connection's end come in one read.
  answers.bring(1);
  answers.digest(1);
  answers.bring(2);
  answers.lose();
  expect(await ended).toMatchObject({ code: "ECONNRESET" });
  await Bun.sleep(0);
  const all = [...left.received, ...left.failed, ...left.lost].toSorted();
  expect([all, left.received.includes(0)]).toEqual([[0, 1, 2, 3], true]);
  expect(progress.received).toBe(3 * BYTES.length);
});

test("one that fails is abandoned, and the others go on; at the end nothing is under way", async () => {
  const { answers, left, ended, progress } = pipelineOf(3);
  answers.bring(0);
  answers.digest(0, "0000000000000000");
  answers.reads[1]!.done.reject(refusedError("ENOENT", "gone"));
  answers.bring(2);
  answers.digest(2);
  expect(await ended).toBeNull();
  expect(left).toEqual({ received: [2], failed: [1, 0], lost: [] });
  expect([progress.verified, progress.received]).toEqual([BYTES.length, 2 * BYTES.length]);
});

test("an order that comes when the pipeline has run dry is left to the next one", async () => {
  const { answers, waiting, orders, pipeline, ended } = pipelineOf(1);
  answers.bring(0);
  answers.digest(0);
  expect(await ended).toBeNull();
  waiting.push(orders[0]!);
  pipeline.fill();
  expect([waiting.length, answers.reads.length]).toEqual([1, 1]);
});
