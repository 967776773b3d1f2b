/** Reading back by the thread: right digests, in order, and an answer whatever becomes of it. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Readback, readBack } from "../../src/download/readback.ts";
import type { Staged } from "../../src/destination/staged.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { Tree } from "../rig/tree.ts";

const MIB = 1024 * 1024;

/** A file of `bytes`, as far as a reader needs it. */
function stagedOf(path: string, bytes: Uint8Array): Staged & Disposable {
  fs.writeFileSync(path, bytes);
  const fd = fs.openSync(path, "r");
  return { fd, [Symbol.dispose]: () => fs.closeSync(fd) } as unknown as Staged & Disposable;
}

function digest(bytes: Uint8Array): string {
  return Bun.hash.xxHash3(bytes).toString(16).padStart(16, "0");
}

function asked(readback: Readback, file: Staged, at: number, count: number) {
  const { promise, resolve } = Promise.withResolvers<string | number>();
  readback.ask(file, at, count, resolve);
  return promise;
}

test("each answer is of its range, in the order of asking", async () => {
  using tree = new Tree();
  const bytes = crypto.getRandomValues(new Uint8Array(65_536)).toBase64();
  const content = Buffer.from(bytes.repeat(40));
  using file = stagedOf(tree.path("f"), content);
  const readback = new Readback();
  const ranges = Array.from({ length: 20 }, (_, nth) => [nth * 100_003, 100_000 + nth] as const);
  const order: number[] = [];
  const answers = await Promise.all(
    ranges.map(([at, count], nth) =>
      asked(readback, file, at, count).finally(() => order.push(nth)),
    ),
  );
  expect(answers).toEqual(ranges.map(([at, n]) => digest(content.subarray(at, at + n))));
  expect(answers.slice(0, 2)).toEqual(ranges.slice(0, 2).map(([at, n]) => readBack(file, at, n)));
  expect(order).toEqual(ranges.map((_, nth) => nth));
});

test("what can't be read is answered by its errno, by the thread and without it", async () => {
  using tree = new Tree();
  using file = stagedOf(tree.path("f"), new Uint8Array(10));
  const nowhere = { fd: 1 << 20 } as Staged;
  const readback = new Readback();
  const both = (): Promise<unknown[]> =>
    Promise.all([asked(readback, file, 5, 6), asked(readback, nowhere, 0, 1)]);
  expect(await both()).toEqual([-ERRNO.EIO, -ERRNO.EBADF]);
  readback.ended();
  expect(await both()).toEqual([-ERRNO.EIO, -ERRNO.EBADF]);
});

test("a thread that ends leaves nobody without an answer", async () => {
  using tree = new Tree();
  const content = Buffer.alloc(5 * MIB, "content");
  using file = stagedOf(tree.path("f"), content);
  const readback = new Readback();
  const answers = Array.from({ length: 5 }, (_, nth) => asked(readback, file, nth * MIB, MIB));
  readback.ended();
  const wanted = Array.from({ length: 5 }, (_, nth) =>
    digest(content.subarray(nth * MIB, (nth + 1) * MIB)),
  );
  expect(await Promise.all(answers)).toEqual(wanted);
});

test("a file that is given up is not read any more, and others are", async () => {
  using tree = new Tree();
  const content = Buffer.alloc(8 * MIB, "content");
  using gone = stagedOf(tree.path("gone"), content);
  using stays = stagedOf(tree.path("stays"), content);
  const readback = new Readback();
  let answered = 0;
  for (let nth = 0; nth < 6; nth++) readback.ask(gone, nth * MIB, MIB, () => (answered += 1));
  const other = asked(readback, stays, 0, MIB);
  await readback.forget(gone);
  // Two were at the thread; their answers may come or not, but no other's.
  const then = answered;
  expect(then).toBeLessThanOrEqual(2);
  expect(await other).toBe(digest(content.subarray(0, MIB)));
  expect(answered).toBeLessThanOrEqual(2);
  await readback.forget(gone);
});
