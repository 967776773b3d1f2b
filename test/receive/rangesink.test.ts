/** A range of a file as the place of one answer: pulled or written, each byte at its offset. */
import { expect, test } from "bun:test";
import { CopyToFile, MOVED } from "../../src/receive/splice.ts";
import { RangeSink } from "../../src/receive/rangesink.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { failed } from "../rig/destination.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { landing, pair, readable } from "./pair.ts";

test("a range takes bytes that are pulled and bytes that are written, each at its offset", async () => {
  using both = await pair();
  using here = landing();
  const told: number[] = [];
  const sink = new RangeSink(here.file, 3, new CopyToFile(), (count) => told.push(count));
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

test("a range without a conduit pulls nothing, and tells of no byte that failed", () => {
  using here = landing();
  const told: number[] = [];
  const sink = new RangeSink(here.file, 0, null, (count) => told.push(count));
  expect([sink.pulls, sink.pull(0, 9)]).toEqual([false, MOVED.nothing]);
  {
    using _ = replaceCall("pwrite", () => () => -ERRNO.ENOSPC);
    expect(failed(() => sink.write(Buffer.from("x"))).code).toBe("ENOSPC");
  }
  expect([told, sink.written]).toEqual([[], 0]);
  sink.write(Buffer.from("y"));
  expect([told, sink.written, here.content().toString()]).toEqual([[1], 1, "y"]);
});
