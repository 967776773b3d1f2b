/** A sendfile transfer step by step: what is sent, looked for and read ahead, and when. */
import { expect, test } from "bun:test";
import { STEP } from "../../src/send/transfer.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { Sendfiling } from "../rig/sendfiling.ts";

const MIB = 1024 * 1024;
const STEP_BYTES = 2 * MIB;
const READ_BYTES = MIB / 2;

test("two MiB a step, each from its place; the last byte waits for a look at the file", () => {
  using it = new Sendfiling(6 * MIB);
  const transfer = it.transfer(100, 5 * MIB);
  const steps: number[] = [];
  const seen: number[] = [];
  for (let nth = 0; nth < 4; nth++) {
    expect(transfer.position).toBe(100n + BigInt(transfer.sent));
    seen.push(it.revalidated);
    steps.push(transfer.step(it.socket));
  }
  expect(steps).toEqual([STEP.more, STEP.more, STEP.more, STEP.done]);
  expect(it.sent).toEqual([
    [100, STEP_BYTES],
    [100 + STEP_BYTES, STEP_BYTES],
    [100 + 2 * STEP_BYTES, MIB - 1],
    [100 + 5 * MIB - 1, 1],
  ]);
  expect([seen, it.revalidated, transfer.sent]).toEqual([[0, 0, 0, 0], 1, 5 * MIB]);
  // Both ends of what goes in two steps, and then of the rest.
  const [begin, half, end] = [100, 100 + 4 * MIB, 100 + 5 * MIB];
  expect(it.looks).toEqual([begin, half - 1, half, end - 1]);
  expect([it.corks, it.reads.length]).toEqual([[1, 0], 0]);
  transfer.close();
  expect(it.users).toBe(0);
});

test.each([
  ["changed", STEP.changed],
  ["grown", STEP.done],
] as const)("a file that is %s before its last byte ends in step %d", (state, step) => {
  using it = new Sendfiling(100);
  const transfer = it.transfer(0, 10);
  it.answers.push(9);
  expect(transfer.step(it.socket)).toBe(STEP.more);
  it.state = state;
  expect([transfer.step(it.socket), transfer.sent]).toEqual([step, step === STEP.done ? 10 : 9]);
  // What is one byte from the start is sent in one step, as all that is small.
  const one = it.transfer(0, 1);
  expect(one.step(it.socket)).toBe(STEP.done);
});

test("behind the first byte the place is the second, and the last one is kept back", () => {
  using it = new Sendfiling(100);
  const transfer = it.transfer(7, 3);
  it.answers.push(1);
  for (let nth = 0; nth < 3; nth++) transfer.step(it.socket);
  expect([it.sent, it.revalidated]).toEqual([
    [
      [7, 3],
      [8, 1],
      [9, 1],
    ],
    1,
  ]);
  const two = it.transfer(7, 2);
  it.answers.push(1);
  expect([two.step(it.socket), two.position, two.step(it.socket)]).toEqual([
    ...[STEP.more, 8n, STEP.done],
  ]);
  expect(it.revalidated).toBe(2);
});

test.each([
  [262_143, []],
  [262_144, [1, 0]],
])("%d bytes are corked so: %j", (length, corks) => {
  using it = new Sendfiling(MIB);
  expect(it.transfer(0, length).step(it.socket)).toBe(STEP.done);
  expect(it.corks).toEqual(corks);
});

test("what was seen in memory is believed for ten ms, and looked for again after that", () => {
  using it = new Sendfiling(10 * MIB);
  const transfer = it.transfer(0, 10 * MIB);
  it.answers.push(1000, 1000, 1000);
  transfer.step(it.socket);
  expect(it.looks).toEqual([0, 4 * MIB - 1]);
  it.pass(10);
  transfer.step(it.socket);
  expect(it.looks.length).toBe(2);
  it.pass(1);
  transfer.step(it.socket);
  expect(it.looks.slice(2)).toEqual([2000, 2000 + 4 * MIB - 1]);
});

test.each([
  ["a file of one step", STEP_BYTES, [0, STEP_BYTES - 1], 5010],
  ["a larger one", STEP_BYTES + 1, [0, STEP_BYTES - 1], 0],
])("%s is remembered to be in memory, or not", (_, size, looks, until) => {
  using it = new Sendfiling(size);
  it.transfer(0, STEP_BYTES).step(it.socket);
  expect([it.looks, it.file.residentUntil]).toEqual([looks, until]);
  it.file.residentUntil = it.now + 1;
  it.looks = [];
  it.transfer(0, STEP_BYTES).step(it.socket);
  expect(it.looks).toEqual(until > 0 ? [] : looks);
  it.file.residentUntil = it.now;
  it.looks = [];
  it.transfer(0, STEP_BYTES).step(it.socket);
  expect(it.looks).toEqual(looks);
});

test("what is not in memory is not sent: it is read in order, half a MiB at a time", () => {
  using it = new Sendfiling(10 * MIB);
  const there = { until: 0 };
  it.resident = (at) => at < there.until;
  const transfer = it.transfer(7, 3 * READ_BYTES + 5);
  const read: [number, number][] = [];
  for (let nth = 0; nth < 4; nth++) {
    expect([transfer.step(it.socket), transfer.step(it.socket)]).toEqual([STEP.wait, STEP.wait]);
    expect([it.reads.length, it.woken, it.users]).toEqual([1, nth, 2]);
    const { at, count } = it.reads[0]!;
    read.push([at, count]);
    it.answer();
    expect([it.woken, it.users]).toEqual([nth + 1, 1]);
    transfer.step(it.socket);
  }
  expect(read).toEqual([
    [7, READ_BYTES],
    [7 + READ_BYTES, READ_BYTES],
    [7 + 2 * READ_BYTES, READ_BYTES],
    [7 + 3 * READ_BYTES, 5],
  ]);
  expect(it.sent).toEqual([
    [7, READ_BYTES],
    [7 + READ_BYTES, READ_BYTES],
    [7 + 2 * READ_BYTES, READ_BYTES],
    [7 + 3 * READ_BYTES, 4],
  ]);
  expect(transfer.step(it.socket)).toBe(STEP.done);
  transfer.close();
  expect(it.users).toBe(0);
});

test("while what is there leaves, what comes behind it is read", () => {
  using it = new Sendfiling(10 * MIB);
  it.resident = (at) => at < 3 * MIB;
  const transfer = it.transfer(0, 10 * MIB);
  expect(transfer.step(it.socket)).toBe(STEP.more);
  // All of this step is there, and the end of the next one is not.
  expect(it.looks).toEqual([0, 4 * MIB - 1, STEP_BYTES - 1, STEP_BYTES, 2.5 * MIB - 1]);
  // The first half MiB behind it is there, which ends the reading ahead until the next look.
  expect([it.sent, it.reads.length]).toEqual([[[0, STEP_BYTES]], 0]);
  it.looks = [];
  expect(transfer.step(it.socket)).toBe(STEP.more);
  expect(it.looks).toEqual([STEP_BYTES, 6 * MIB - 1, 4 * MIB - 1, 2.5 * MIB, 3 * MIB - 1]);
  expect(it.sent.at(-1)).toEqual([STEP_BYTES, MIB]);
  expect(transfer.step(it.socket)).toBe(STEP.wait);
  expect(it.reads.map(({ at, count }) => [at, count])).toEqual([[3 * MIB, READ_BYTES]]);
});

test("a read under way is the only one, and what it brings is sent however late", () => {
  using it = new Sendfiling(10 * MIB);
  it.resident = (at) => at < STEP_BYTES;
  const transfer = it.transfer(0, 10 * MIB);
  it.answers.push(1000);
  expect(transfer.step(it.socket)).toBe(STEP.more);
  expect(it.reads.map(({ at }) => at)).toEqual([STEP_BYTES]);
  expect(transfer.step(it.socket)).toBe(STEP.more);
  expect([it.reads.length, it.sent.at(-1)]).toEqual([1, [1000, STEP_BYTES - 1000]]);
  it.resident = () => false;
  it.now += 60_000;
  it.answer();
  it.looks = [];
  expect([it.woken, transfer.step(it.socket)]).toEqual([0, STEP.more]);
  expect(it.sent.at(-1)).toEqual([STEP_BYTES, READ_BYTES]);
});

test("who leaves while the disk reads lets go of the file with the answer, and isn't woken", () => {
  using it = new Sendfiling(10 * MIB);
  it.resident = () => false;
  const transfers = Array.from({ length: 5 }, () => it.transfer(0, 10 * MIB));
  for (const transfer of transfers) expect(transfer.step(it.socket)).toBe(STEP.wait);
  // Four are read at once, the fifth has a place in the queue.
  expect([it.reads.length, it.users]).toEqual([4, 10]);
  transfers[4]!.close();
  expect(it.users).toBe(8);
  transfers[0]!.close();
  expect(it.users).toBe(7);
  it.answer();
  expect([it.users, it.woken, it.reads.length]).toEqual([6, 0, 3]);
  for (const transfer of transfers.slice(1, 4)) transfer.close();
  while (it.reads.length > 0) it.answer();
  expect([it.users, it.woken]).toEqual([0, 0]);
});

test.each([
  ["full", 0, 1, STEP.full, 0],
  ["free after all", 1, 1, STEP.more, 1],
  ["dead", -1, 1, STEP.dead, 0],
  ["of a file that has ended", 1, 0, STEP.changed, 0],
  ["of a file that can't be read", 1, -ERRNO.EIO, STEP.failed, 0],
  ["interrupted", 1, -ERRNO.EINTR, STEP.more, 0],
] as const)("EAGAIN, and a socket that is %s", (_, write, pread, step, sent) => {
  using it = new Sendfiling(1000);
  const transfer = it.transfer(5, 300);
  it.answers.push(100, -ERRNO.EAGAIN);
  it.write = write;
  it.pread = pread;
  expect(transfer.step(it.socket)).toBe(STEP.more);
  expect([transfer.step(it.socket), transfer.sent]).toEqual([step, 100 + sent]);
  expect(it.peeked).toEqual([105]);
});

test("the last byte goes by a write where there is room for it alone, and is uncorked", () => {
  using it = new Sendfiling(MIB);
  const transfer = it.transfer(0, 300_000);
  it.answers.push(299_999, -ERRNO.EAGAIN);
  expect([transfer.step(it.socket), transfer.step(it.socket)]).toEqual([STEP.more, STEP.done]);
  expect([it.corks, it.peeked, transfer.sent]).toEqual([[1, 0], [299_999], 300_000]);
});
