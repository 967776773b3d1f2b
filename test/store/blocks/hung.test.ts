/** A disk that does not answer, or never will: who reads is served past it, whatever it awaits. */
import { expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../src/store/blocks/layout.ts";
import { CacheRig, FakeObject } from "../../rig/blocks.ts";
import { afterMs, eventually } from "../../rig/faults.ts";
import { Tree } from "../../rig/tree.ts";

const MIB = 1024 * 1024;

test("a disk that does not answer is done without after 2 s", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  await rig.read(new FakeObject("kept", 50_000));
  rig.disk!.held = true;
  const object = new FakeObject("a", 3 * MIB);
  const reading = rig.reads(object);
  await eventually("a write waits", () => rig.disk!.jobs.length > 0);
  using _later = afterMs(2100);
  rig.cache.sweep();
  expect(await reading).toBe("bypass after 0");
  expect(rig.reader(object, 0, 5)).toBeNull();
  expect(rig.said).toEqual([
    `cache ${tree.root}: it has not answered for 2 s; serving without it for 1 s`,
  ]);
  rig.disk!.release();
});

test("who waits for the last write of a disk that does not answer is served past it", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  await rig.read(new FakeObject("kept", 50_000));
  rig.disk!.held = true;
  const object = new FakeObject("a", 100);
  const reading = rig.reads(object);
  await eventually("its only write waits", () => rig.disk!.jobs.length > 0);
  using _later = afterMs(2100);
  rig.cache.sweep();
  expect(await reading).toBe("bypass after 0");
  rig.disk!.release();
  await eventually("it is written after all", () => rig.disk!.jobs.length === 0);
  using _muchLater = afterMs(1100);
  expect(await rig.reads(object)).toBe("right");
  expect(object.asked).toHaveLength(1);
});

test("who comes to a block that is not compared yet asks no disk that is done without", async () => {
  using tree = new Tree();
  const object = new FakeObject("a", 2 * BLOCK_BYTES);
  {
    using rig = new CacheRig(tree.root, 64 * MIB);
    await rig.read(object);
  }
  using rig = new CacheRig(tree.root, 64 * MIB);
  await rig.read(object, 0, 10);
  const reader = rig.reader(object, 0, object.size)!;
  expect(reader.next()).toBeNull();
  rig.disk!.die();
  expect(rig.part(reader).equals(object.bytes(0, BLOCK_BYTES))).toBe(true);
  expect(reader.next()).toBe("bypass");
  reader.close();
});

test("a thread that ends is the end of the cache, and of nothing else", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("a", 3 * MIB);
  await rig.reads(new FakeObject("b", 10));
  rig.disk!.held = true;
  const reading = rig.reads(object);
  await eventually("a write waits", () => rig.disk!.jobs.length > 0);
  rig.disk!.die();
  expect(await reading).toBe("bypass after 0");
  using _later = afterMs(3_600_000);
  expect(rig.reader(object, 0, 5)).toBeNull();
  expect(rig.said).toEqual([
    `cache ${tree.root}: its thread has ended; serving without it from now on`,
  ]);
});

test("a block that can't be read while it is written gives its slot to no other before that", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  await rig.read(new FakeObject("kept", 10));
  const disk = rig.disk!;
  const send = disk.send.bind(disk);
  let written = 0;
  disk.send = (job) => {
    if (job.op === "write" && job.record !== null) disk.held = true;
    send(job);
    written = disk.jobs.length;
  };
  const reader = rig.reader(new FakeObject("a", BLOCK_BYTES), 0, BLOCK_BYTES)!;
  reader.next();
  await eventually("its last write waits, and some of it is there", () => {
    return disk.held && reader.next() === null;
  });
  disk.send = send;
  reader.unreadable();
  reader.close();
  using _later = afterMs(1100);
  const next = new FakeObject("b", BLOCK_BYTES);
  const first = rig.reads(next);
  await eventually("the begin of another block", () => {
    return disk.jobs.some((job) => job.op === "write" && job.at === 0);
  });
  disk.held = false;
  for (; written > 0; written--) disk.go();
  // Of the second nothing is written yet.
  disk.held = true;
  const second = rig.reads(next);
  disk.release();
  expect(await Promise.all([first, second])).toEqual(["right", "right"]);
});
