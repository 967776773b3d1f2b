/**
 * Bytes into descriptors whose kernel is slow, short, interrupted or full: the table's rows are
 * replaced.
 */
import { afterEach, expect, test } from "bun:test";
import fs from "node:fs";
import { LocalError } from "../../src/destination/error.ts";
import { BytesSink, FdSink, UNKNOWN_LENGTH } from "../../src/receive/sink.ts";
import { writeFully } from "../../src/sys/shortcount.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";

const rows = { ...kernel };
afterEach(() => {
  Object.assign(kernel, rows);
});

/** Replaces write: each call does the next step, a count taken or an errno; then all is taken. */
function writing(steps: number[]): () => string {
  let taken = "";
  kernel.write = (_fd, bytes, count) => {
    const step = steps.shift() ?? count;
    if (step > 0) taken += Buffer.from(bytes.subarray(0, step)).toString("latin1");
    return step;
  };
  return () => taken;
}

function thrown(action: () => void): LocalError {
  try {
    action();
  } catch (error) {
    if (error instanceof LocalError) return error;
  }
  throw new Error("no LocalError was thrown");
}

test("short writes and interruptions go on where they stopped", () => {
  const taken = writing([1, -ERRNO.EINTR, 3, -ERRNO.EINTR, 2]);
  const sink = new FdSink(9, "x");
  sink.begin(11);
  sink.write(Buffer.from("hello world"));
  sink.end();
  expect([taken(), sink.written]).toEqual(["hello world", 11]);
});

test("a descriptor that is full for now is waited for, without spinning", () => {
  const taken = writing([-ERRNO.EAGAIN, 4, -ERRNO.EAGAIN]);
  const waits: [number, number][] = [];
  kernel.pollOut = (fd, timeoutMs) => {
    waits.push([fd, timeoutMs]);
    return 1;
  };
  new FdSink(9, "x").write(Buffer.from("hello world"));
  expect([taken(), waits]).toEqual([
    "hello world",
    [
      [9, -1],
      [9, -1],
    ],
  ]);
});

test("what can't be written is thrown with its name, at that call", () => {
  for (const name of ["ENOSPC", "EIO", "EPIPE", "EBADF"] as const) {
    writing([5, -ERRNO[name]]);
    const sink = new FdSink(9, "disk.img");
    const error = thrown(() => sink.write(Buffer.from("hello world")));
    expect([error.code, error.kind]).toEqual([name, "local"]);
    expect(error.message).toStartWith("writing disk.img: ");
  }
  writing([0]);
  expect(writeFully(9, Buffer.from("x"))).toBe(-ERRNO.EIO);
});

test("real descriptors: a pipe, a full device, a closed pipe", () => {
  const full = fs.openSync("/dev/full", "w");
  expect(thrown(() => new FdSink(full, "x").write(Buffer.from("x"))).code).toBe("ENOSPC");
  fs.closeSync(full);
});

test("memory takes what was promised or comes, and never more than it may", () => {
  const sink = new BytesSink(10);
  sink.begin(UNKNOWN_LENGTH);
  sink.write(Buffer.from("hello"));
  sink.write(Buffer.from("world"));
  expect(Buffer.from(sink.bytes).toString()).toBe("helloworld");
  expect(thrown(() => sink.write(Buffer.from("!"))).code).toBe("E2BIG");
  expect(thrown(() => new BytesSink(10).begin(11)).code).toBe("E2BIG");
  expect(new BytesSink(0).bytes.length).toBe(0);
});
