/** A copy transfer step by step, over a disk and a socket that the test plays. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { CopyTransfer } from "../../src/send/copy.ts";
import { STEP } from "../../src/send/transfer.ts";
import type { OpenFile } from "../../src/store/store.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";

const WINDOW_BYTES = 262_144;

type ReadDone = (error: Error | null, count: number) => void;

/** A call of fs.read that has not been answered. */
interface Read {
  readonly into: Uint8Array;
  readonly from: number;
  readonly count: number;
  readonly at: number;
  readonly done: ReadDone;
}

/** Everything below a transfer (`using`). */
class Copying implements Disposable {
  reads: Read[] = [];
  users = 0;
  woken = 0;
  looks = 0;
  /** Windows that were made anew. */
  made = 0;
  state = "same";
  /** What each write is answered with; all that it was given where this is empty. */
  readonly answers: number[] = [];
  written: number[] = [];
  readonly file: OpenFile;
  readonly socket: StreamSocket;
  readonly #read = fs.read;
  readonly #allocate = Buffer.allocUnsafeSlow;

  constructor() {
    const read = (...args: [number, Uint8Array, number, number, bigint, ReadDone]): void => {
      const [, into, from, count, at, done] = args;
      this.reads.push({ into, from, count, at: Number(at), done });
    };
    Object.assign(fs, { read });
    const allocUnsafeSlow = (bytes: number): Buffer => {
      this.made += 1;
      return this.#allocate(bytes);
    };
    Object.assign(Buffer, { allocUnsafeSlow });
    this.file = {
      fd: 9,
      retain: () => void (this.users += 1),
      release: () => void (this.users -= 1),
      revalidate: () => {
        this.looks += 1;
        return this.state;
      },
    } as unknown as OpenFile;
    const write = (bytes: Uint8Array, from: number, count: number): number => {
      const taken = Math.min(count, this.answers.shift() ?? count);
      this.written.push(...bytes.subarray(from, from + Math.max(0, taken)));
      return taken;
    };
    this.socket = { fd: 8, write } as unknown as StreamSocket;
  }

  transfer(start: number, length: number): CopyTransfer {
    const owner = { peer: "", windowReady: () => void (this.woken += 1) };
    return new CopyTransfer(this.file, BigInt(start), length, owner);
  }

  /** Answers the oldest read with `count` bytes, each of them its place modulo 251. */
  answer(count = this.reads[0]!.count): void {
    const { into, from, at, done } = this.reads.shift()!;
    for (let nth = 0; nth < count; nth++) into[from + nth] = (at + nth) % 251;
    done(null, count);
  }

  [Symbol.dispose](): void {
    while (this.reads.length > 0) this.answer();
    Object.assign(fs, { read: this.#read });
    Object.assign(Buffer, { allocUnsafeSlow: this.#allocate });
  }
}

/** The bytes of a file from `start` on. */
const bytesOf = (start: number, length: number): number[] =>
  Array.from({ length }, (_, nth) => (start + nth) % 251);

test("two windows are read at once, the next when one is out; all bytes leave in order", () => {
  using it = new Copying();
  const length = 2 * WINDOW_BYTES + 10;
  const transfer = it.transfer(3, length);
  expect(it.reads.map(({ at, count }) => [at, count])).toEqual([
    [3, WINDOW_BYTES],
    [3 + WINDOW_BYTES, WINDOW_BYTES],
  ]);
  expect([it.users, transfer.step(it.socket), it.woken]).toEqual([3, STEP.wait, 0]);
  it.answer();
  expect([it.users, it.woken, it.looks]).toEqual([2, 1, 0]);
  it.answer();
  // Nobody waited for the second.
  expect([it.woken, it.looks]).toEqual([1, 0]);
  expect([transfer.step(it.socket), transfer.position]).toEqual([
    ...[STEP.more, BigInt(3 + WINDOW_BYTES)],
  ]);
  expect(it.reads.map(({ at, count }) => [at, count])).toEqual([[3 + 2 * WINDOW_BYTES, 10]]);
  it.answers.push(0, 100);
  expect([transfer.step(it.socket), transfer.sent]).toEqual([STEP.full, WINDOW_BYTES]);
  expect([transfer.step(it.socket), transfer.sent]).toEqual([STEP.full, WINDOW_BYTES + 100]);
  expect([transfer.step(it.socket), transfer.step(it.socket)]).toEqual([STEP.more, STEP.wait]);
  it.answer();
  // All of it has been read: was it one version?
  expect([it.looks, it.woken]).toEqual([1, 2]);
  expect([transfer.step(it.socket), transfer.sent, it.reads.length]).toEqual([
    STEP.done,
    length,
    0,
  ]);
  expect(Buffer.from(it.written).equals(Buffer.from(bytesOf(3, length)))).toBe(true);
  transfer.close();
  transfer.close();
  expect(it.users).toBe(0);
});

test.each([
  ["edited", STEP.changed, "changed", 10, false],
  ["grown", STEP.done, "grown", 10, false],
  ["cut", STEP.changed, "same", 9, false],
  ["unreadable", STEP.failed, "same", 0, true],
] as const)(
  "a file that is %s while it is read ends in step %d",
  (_, step, state, count, fails) => {
    using it = new Copying();
    const transfer = it.transfer(0, 10);
    const { into } = it.reads[0]!;
    it.state = state;
    if (fails) it.reads.shift()!.done(new Error("EIO"), 0);
    else it.answer(count);
    // A short count alone is not the end: it asks again for the rest.
    if (count === 9) it.answer(0);
    expect([transfer.step(it.socket), it.users]).toEqual([step, 1]);
    transfer.close();
    // Its window is the next one's, whatever became of it.
    const next = it.transfer(0, 10);
    expect([it.users, it.reads[0]!.into === into]).toEqual([2, true]);
    next.close();
  },
);

test("a peer that is gone is told as such, and costs no more", () => {
  using it = new Copying();
  const transfer = it.transfer(0, 3 * WINDOW_BYTES);
  it.answer();
  it.answers.push(-1);
  expect([transfer.step(it.socket), transfer.sent]).toEqual([STEP.dead, 0]);
  transfer.close();
  // The second window is read to its end, and lets go of the file then.
  expect(it.users).toBe(1);
  it.answer();
  expect([it.users, it.woken, it.reads.length]).toEqual([0, 0, 0]);
});

test("who leaves before its windows are read asks for none, and windows are used again", () => {
  using it = new Copying();
  const transfers = Array.from({ length: 10 }, () => it.transfer(0, 2 * WINDOW_BYTES));
  // Sixteen are read at once.
  expect([it.reads.length, it.users]).toEqual([16, 30]);
  const into = new Set(it.reads.map((read) => read.into));
  for (const transfer of transfers) transfer.close();
  expect(it.users).toBe(16);
  while (it.reads.length > 0) it.answer();
  expect([it.users, it.woken]).toEqual([0, 0]);
  const again = it.transfer(0, WINDOW_BYTES);
  expect([into.size, into.has(it.reads[0]!.into)]).toEqual([16, true]);
  it.answer();
  again.close();
});

test("as many as 32 windows are kept for the next ones, read or not", () => {
  using it = new Copying();
  const transfers = (): CopyTransfer[] =>
    Array.from({ length: 20 }, () => it.transfer(0, 2 * WINDOW_BYTES));
  const leave = (all: readonly CopyTransfer[]): void => {
    for (const transfer of all) transfer.close();
    while (it.reads.length > 0) it.answer();
  };
  leave(transfers());
  it.made = 0;
  const again = transfers();
  expect(it.made).toBe(40 - 32);
  leave(again);
});
