/** A range of a file as the place of one answer: pulled or written, each byte at its offset. */
import { expect, test } from "bun:test";
import { CopyToFile, MOVED } from "../../src/receive/splice.ts";
import { RangeSink } from "../../src/receive/rangesink.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { failed } from "../rig/destination.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { landing, pair, readable } from "./pair.ts";

/** A range from `offset` on of `length` bytes, and each piece that was told. */
function rangeOf(offset: number, length = Infinity) {
  const range = { offset, length, written: 0 };
  const told: number[] = [];
  const arrived = (count: number): void => {
    told.push(count);
    range.written += count;
  };
  return { range, told, arrived };
}

test("a range takes bytes that are pulled and bytes that are written, each at its offset", async () => {
  using both = await pair();
  using here = landing();
  const { range, told, arrived } = rangeOf(3);
  const sink = new RangeSink(here.file, range, new CopyToFile(), arrived);
  both.peer.send("cdef");
  await eventually("the bytes", () => readable(both.socket.fd));
  sink.begin(7);
  sink.write(Buffer.from("ab"));
  expect([sink.pulls, sink.pull(both.socket.fd, 3)]).toEqual([true, 3]);
  sink.write(Buffer.from("-"));
  expect([sink.pull(both.socket.fd, 9), sink.pull(both.socket.fd, 9)]).toEqual([1, MOVED.nothing]);
  both.peer.finish();
  await eventually("FIN", () => sink.pull(both.socket.fd, 9) === MOVED.ended);
  sink.end();
  expect([told, sink.written]).toEqual([[2, 3, 1, 1], 7]);
  expect(here.content().toString()).toBe("\0\0\0abcde-f");
});

test("a sink without a way from the socket pulls nothing, and tells of no byte that failed", () => {
  using here = landing();
  const { range, told, arrived } = rangeOf(0);
  const sink = new RangeSink(here.file, range, null, arrived);
  expect([sink.pulls, sink.pull(0, 9)]).toEqual([false, MOVED.nothing]);
  {
    using _ = replaceCall("pwrite", () => () => -ERRNO.ENOSPC);
    expect(failed(() => sink.write(Buffer.from("x"))).code).toBe("ENOSPC");
  }
  expect([told, sink.written]).toEqual([[], 0]);
  sink.write(Buffer.from("y"));
  expect([told, sink.written, here.content().toString()]).toEqual([[1], 1, "y"]);
});

test("a range that is shortened takes nothing behind its end, written or pulled", async () => {
  using both = await pair();
  using here = landing();
  const { range, told, arrived } = rangeOf(2, 6);
  const sink = new RangeSink(here.file, range, new CopyToFile(), arrived);
  both.peer.send("cdefgh");
  await eventually("the bytes", () => readable(both.socket.fd));
  sink.write(Buffer.from("ab"));
  range.length = 3;
  expect(sink.pull(both.socket.fd, 9)).toBe(1);
  // What follows in the socket comes by write(), and is counted and dropped.
  expect(sink.pull(both.socket.fd, 9)).toBe(MOVED.ended);
  sink.write(Buffer.from("defgh"));
  expect([told, sink.written]).toEqual([[2, 1, 5], 8]);
  expect(here.content().toString()).toBe("\0\0abc");
});
