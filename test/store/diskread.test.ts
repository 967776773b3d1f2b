/**
 * Who reads from the disk waits for one read of each other peer, and not for all that somebody with
 * many connections has asked for: small files, files that are read ahead, and copied ones.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { type DiskRead, READS_MAX, ReadShare } from "../../src/store/diskread.ts";
import { replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Simulation } from "../rig/simulation.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { Tree } from "../rig/tree.ts";

/** Connections of the one address: each asks for a file of its own. */
const CROWD = 60;

const CASES = [
  { reads: "prefetch", length: 40_000, zeroCopy: true },
  { reads: "readahead", length: 2_500_000, zeroCopy: true },
  { reads: "window", length: 600_000, zeroCopy: false },
] as const;

test.each(CASES)(
  "$reads: another address comes in between the reads of a crowd",
  ({ reads, length, zeroCopy }) => {
    const names = Array.from({ length: CROWD }, (_, nth) => `crowd${nth}`);
    const bytes = content(1, 0, length);
    const files = Object.fromEntries([...names, "other"].map((name) => [name, bytes]));
    using simulation = new Simulation(files, { zeroCopy });
    // Small files are asked about as a whole: nothing is there before it was read.
    using _disk = replaceCall(
      "resident",
      () => (_fd, _offset, count) => (reads === "prefetch" && count === undefined ? 1 : 0),
    );
    for (const name of names) simulation.connect({}, "10.0.0.1").send(`READ /${name}\n`);
    const other = simulation.connect({}, "10.0.0.2");
    other.send("READ /other\n");
    const head = `OK ${length} `;
    const body = (): Buffer => other.bytes.subarray(other.text.indexOf("\n") + 1);
    let before = 0;
    for (; body().length < length; before++) {
      if (simulation.loop.reads > 0) simulation.loop.read();
      while (simulation.loop.immediates > 0) simulation.loop.turn();
    }
    expect(other.text).toStartWith(head);
    expect(verify(body(), 1, 0)).toBeNull();
    // Each of its own comes behind those under way and one of the crowd's.
    const own = reads === "prefetch" ? 1 : Math.ceil(length / 250_000);
    expect(before).toBeLessThanOrEqual(own * (READS_MAX[reads] + 2));
    simulation.loop.settle();
  },
);

test("a read that comes in parts goes on behind each, by its place and never past its end", () => {
  using loop = new SimulatedLoop();
  using tree = new Tree({ f: content(1, 0, 1_300_000) });
  const fd = fs.openSync(tree.path("f"), "r");
  const share = new ReadShare(1);
  const into = Buffer.alloc(1_200_010, ".");
  const told: unknown[] = [];
  const length = 1_200_000;
  share.read("", { fd }, into, length, 16n, (count, failed) => told.push([count, failed]));
  let calls = 0;
  while (loop.reads > 0) {
    expect([told, share.full]).toEqual([[], true]);
    loop.read();
    calls += 1;
  }
  expect([told, calls, share.full]).toEqual([[[length, false]], 3, false]);
  const bytes = content(1, 0, 1_300_000).subarray(16, 16 + length);
  expect(into.equals(Buffer.concat([bytes, Buffer.alloc(10, ".")]))).toBe(true);
  // At the file's end fewer come, and a failure is told with what came before it.
  share.read("", { fd }, into, length, 1_000_000n, (count, failed) => told.push([count, failed]));
  while (loop.reads > 0) loop.read();
  share.read("", { fd }, null, length, 0n, (count, failed) => told.push([count, failed]));
  loop.read();
  loop.read(undefined, "EIO");
  expect(told.slice(1)).toEqual([
    [300_000, false],
    [524_288, true],
  ]);
  fs.closeSync(fd);
});

test("reads that were dropped are not made, and a disk that hangs gathers few of them", () => {
  using loop = new SimulatedLoop();
  using tree = new Tree({ f: content(1, 0, 1_000_000) });
  const fd = fs.openSync(tree.path("f"), "r");
  const share = new ReadShare(2);
  const told: string[] = [];
  const read = (name: string, length = 1000): DiskRead =>
    share.read(name, { fd }, null, length, 0n, (count) => told.push(`${name} ${count}`));
  const first = read("first", 1_000_000);
  const second = read("second");
  const [third, fourth] = [read("third"), read("fourth")];
  expect([loop.reads, share.waiting]).toEqual([2, 2]);
  // Under way: told when the call has ended, and no other call is made.
  expect([first.drop(), first.dropped, second.dropped]).toEqual([false, true, false]);
  expect([third.drop(), third.dropped]).toEqual([true, true]);
  loop.read();
  expect([told, loop.reads, share.waiting]).toEqual([["first 524288"], 2, 0]);
  loop.settle();
  expect(told).toEqual(["first 524288", "second 1000", "fourth 1000"]);
  expect(fourth.dropped).toBe(false);
  read("stays");
  read("stays too");
  for (let nth = 0; nth < 100; nth++) read("few").drop();
  expect(share.waiting).toBe(100);
  const waits = Array.from({ length: 10 }, () => read("waits"));
  for (let nth = 0; nth < 10_000; nth++) read("left").drop();
  expect(share.waiting).toBeLessThan(600);
  loop.settle();
  expect(told.slice(3)).toEqual(["stays 1000", "stays too 1000", ...waits.map(() => "waits 1000")]);
  expect([share.waiting, share.full]).toEqual([0, false]);
  fs.closeSync(fd);
});
