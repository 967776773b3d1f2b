/** Blocks are brought once, written, found again, checked after a restart, and bounded. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { ERRNO } from "../../../src/sys/errno.ts";
import { Refusal } from "../../../src/wire/errors.ts";
import { BLOCK_BYTES } from "../../../src/store/blocks/layout.ts";
import { AHEAD_BLOCKS } from "../../../src/store/blocks/fill.ts";
import { FILLS_MAX, PAUSED_MS } from "../../../src/store/blocks/blockcache.ts";
import { CacheRig, FakeObject } from "../../rig/blocks.ts";
import { afterMs, eventually, replaceCall } from "../../rig/faults.ts";
import { Tree } from "../../rig/tree.ts";

const MIB = 1024 * 1024;

/** Bytes of the disk that the blocks of a folder take. */
function taken(folder: string): number {
  return fs.statSync(`${folder}/blocks.data`).blocks * 512;
}

test("a cold object is brought once for all that ask at a time, and never again", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("a", 2 * BLOCK_BYTES + 12_345);
  const all = await Promise.all(Array.from({ length: 20 }, () => rig.reads(object)));
  expect(all).toEqual(Array(20).fill("right"));
  expect(object.asked).toEqual([`0+${object.size}`]);
  expect(await rig.reads(object, 5 * MIB, 3)).toBe("right");
  expect(object.asked).toHaveLength(1);
  expect(rig.cache.facts).toMatchObject({ blocks: 3, fills: 1, bypasses: 0, wrong: 0 });
});

test("a reader has the first bytes while the rest of the block is still to come", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("a", BLOCK_BYTES);
  object.pieceBytes = 1000;
  let pieces = 0;
  const more = Promise.withResolvers<void>();
  object.gate = () => (pieces++ === 1 ? more.promise : undefined);
  let woken = 0;
  const reader = rig.reader(object, 0, object.size, () => (woken += 1))!;
  expect(reader.next()).toBe("wait");
  await eventually("the first piece", () => woken > 0);
  expect(reader.next()).toBeNull();
  expect(rig.part(reader).equals(object.bytes(0, 1000))).toBe(true);
  reader.close();
  more.resolve();
});

test("a range in the middle asks for its own blocks alone, and up to one that is here", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("a", 6 * BLOCK_BYTES);
  await rig.read(object, 3 * BLOCK_BYTES + 5, 10);
  await rig.read(object, BLOCK_BYTES + 7, 5 * BLOCK_BYTES - 7);
  const block = BLOCK_BYTES;
  expect(object.asked).toEqual([
    `${3 * block}+${block}`,
    `${block}+${2 * block}`,
    `${4 * block}+${2 * block}`,
  ]);
});

test("who reads on behind a block that another asked for is not brought each by itself", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 128 * MIB);
  const object = new FakeObject("a", 8 * BLOCK_BYTES);
  const [digest, whole] = [rig.reads(object, 0, BLOCK_BYTES), rig.reads(object)];
  expect(await Promise.all([digest, whole])).toEqual(["right", "right"]);
  expect(object.asked).toEqual([`0+${BLOCK_BYTES}`, `${BLOCK_BYTES}+${7 * BLOCK_BYTES}`]);
});

test("a failing origin fails all who wait, and is asked anew by who comes later", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("a", BLOCK_BYTES);
  object.failAt = 600_000;
  object.refusal = new Refusal("EBUSY", "");
  const all = await Promise.all([rig.reads(object), rig.reads(object), rig.reads(object, 3 * MIB)]);
  expect(all.map((each) => String(each).replace(/ after.*/, ""))).toEqual(Array(3).fill("failed"));
  object.refusal = new Refusal("ESTALE", "");
  expect(await rig.reads(object, 3 * MIB)).toBe("changed after 0");
  object.failAt = Infinity;
  expect(await rig.reads(object)).toBe("right");
  expect(object.asked).toHaveLength(3);
});

test("an origin that ends early is a failure and leaves no block", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("a", BLOCK_BYTES + 10);
  object.failAt = 3_900_000;
  expect(String(await rig.reads(object))).toStartWith("failed");
  await eventually("nothing is kept", () => rig.cache.facts.blocks === 0);
});

test("whose readers have all gone ends behind its block, which is kept", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("a", 8 * BLOCK_BYTES);
  let woken = 0;
  const reader = rig.reader(object, 0, object.size, () => (woken += 1))!;
  reader.next();
  await eventually("it has begun", () => woken > 0);
  reader.close();
  await eventually("it has ended", () => object.aborted === 1);
  expect(rig.cache.facts.blocks).toBe(1);
  expect(await rig.reads(object, 0, 100)).toBe("right");
  expect(object.asked).toHaveLength(1);
});

test("a reader that takes nothing holds no fill and is brought the rest when it goes on", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 128 * MIB);
  const object = new FakeObject("a", 12 * BLOCK_BYTES);
  object.pieceBytes = MIB;
  let woken = Promise.withResolvers<void>();
  const reader = rig.reader(object, 0, object.size, () => woken.resolve())!;
  reader.next();
  await eventually("it waits", () => rig.cache.facts.paused === 1);
  using later = afterMs(PAUSED_MS + 100);
  rig.cache.sweep();
  await eventually("it has ended", () => object.aborted === 1);
  later[Symbol.dispose]();
  expect(rig.cache.facts.blocks).toBe(AHEAD_BLOCKS + 1);
  let got = 0;
  while (got < object.size) {
    const unread = reader.next();
    if (unread === "wait") {
      await woken.promise;
      woken = Promise.withResolvers<void>();
      continue;
    }
    expect(unread).toBeNull();
    const part = rig.part(reader);
    expect(part.equals(object.bytes(got, part.length))).toBe(true);
    got += part.length;
  }
  reader.close();
});

test("a reader that is slower than the origin has it wait, and all is one request", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 128 * MIB);
  const object = new FakeObject("a", 12 * BLOCK_BYTES);
  object.pieceBytes = MIB;
  let woken = Promise.withResolvers<void>();
  const reader = rig.reader(object, 0, object.size, () => woken.resolve())!;
  let got = 0;
  let ahead = 0;
  while (got < object.size) {
    const unread = reader.next();
    if (unread === "wait") {
      await woken.promise;
      woken = Promise.withResolvers<void>();
      continue;
    }
    const part = rig.part(reader);
    expect(part.equals(object.bytes(got, part.length))).toBe(true);
    got += part.length;
    const most = Math.min(12, Math.floor(got / BLOCK_BYTES) + AHEAD_BLOCKS + 1);
    await eventually("as far ahead as it goes", () => rig.cache.facts.blocks >= most - 2);
    ahead = Math.max(ahead, rig.cache.facts.blocks - Math.floor(got / BLOCK_BYTES));
  }
  reader.close();
  expect(object.asked).toHaveLength(1);
  expect(ahead).toBeLessThanOrEqual(AHEAD_BLOCKS + 2);
});

test("a fill that waits for a slow reader gives way to one that is needed", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB, 1);
  const object = new FakeObject("slow", 7 * BLOCK_BYTES);
  object.pieceBytes = MIB;
  const reader = rig.reader(object, 0, object.size)!;
  reader.next();
  expect(await rig.reads(new FakeObject("new", 100))).toBe("bypass after 0");
  await eventually("it waits", () => rig.cache.facts.paused === 1);
  expect(await rig.reads(new FakeObject("new", 100))).toBe("right");
  reader.close();
});

test("a slow reader does not hold a fast one", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 128 * MIB);
  const object = new FakeObject("a", 8 * BLOCK_BYTES);
  object.pieceBytes = MIB;
  const slow = rig.reader(object, 0, object.size)!;
  slow.next();
  expect(await rig.reads(object)).toBe("right");
  expect(object.asked).toEqual([`0+${object.size}`]);
  slow.close();
});

test("who joins a fill that waits for a slow reader has it go on, and is woken by no other", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 128 * MIB, 1);
  const object = new FakeObject("slow", 12 * BLOCK_BYTES);
  object.pieceBytes = MIB;
  const slow = rig.reader(object, 0, object.size)!;
  slow.next();
  await eventually("it waits", () => rig.cache.facts.paused === 1);
  const at = (AHEAD_BLOCKS + 2) * BLOCK_BYTES;
  let woken = 0;
  const joined = rig.reader(object, at, 100, () => (woken += 1))!;
  expect(joined.next()).toBe("wait");
  const other = rig.reader(new FakeObject("new", 100), 0, 100)!;
  other.next();
  expect(woken).toBe(0);
  await eventually("its bytes", () => woken > 0 && joined.next() === null);
  expect(rig.part(joined).equals(object.bytes(at, 100))).toBe(true);
  expect(object.asked).toHaveLength(1);
  for (const reader of [slow, joined, other]) reader.close();
});

test("its size bounds what is on the disk, whatever is asked for", async () => {
  using tree = new Tree();
  const capacity = 5 * BLOCK_BYTES;
  using rig = new CacheRig(tree.root, capacity);
  const bytes: number[] = [];
  for (let nth = 0; nth < 12; nth++) {
    const object = new FakeObject(`o${nth}`, BLOCK_BYTES + 5000 * nth + 1);
    expect(await rig.reads(object)).toBe("right");
    bytes.push(rig.cache.facts.bytes, taken(tree.root));
  }
  // Ext4 counts its own tables of extents too.
  expect(Math.max(...bytes)).toBeLessThanOrEqual(capacity + 65_536);
  expect(rig.cache.facts.blocks).toBeGreaterThan(3);
});

test("small objects take the room of their own bytes", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, BLOCK_BYTES);
  for (let nth = 0; nth < 100; nth++) await rig.read(new FakeObject(`o${nth}`, 5000));
  expect(rig.cache.facts).toMatchObject({ blocks: 100, bytes: 100 * 8192 });
  expect(rig.cache.facts.bypasses).toBe(0);
});

test("a block that is being sent is not evicted; with nothing to evict the cache is passed", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, BLOCK_BYTES);
  const object = new FakeObject("a", BLOCK_BYTES);
  await rig.read(object);
  const reader = rig.reader(object, 0, object.size)!;
  expect(reader.next()).toBeNull();
  reader.view!.retain();
  expect(await rig.reads(new FakeObject("b", 100))).toBe("bypass after 0");
  expect(rig.part(reader).equals(object.bytes(0, object.size))).toBe(true);
  reader.close();
});

test("what was cached is there after a restart, and is compared before it is given", async () => {
  using tree = new Tree();
  const [right, wrong] = [new FakeObject("a", 100_000), new FakeObject("b", 300_000)];
  {
    using rig = new CacheRig(tree.root, 64 * MIB);
    await rig.read(right);
    await rig.read(wrong);
  }
  // The second slot is the second object's.
  const data = fs.openSync(`${tree.root}/blocks.data`, "r+");
  fs.writeSync(data, "x", BLOCK_BYTES + 299_999);
  fs.closeSync(data);
  using rig = new CacheRig(tree.root, 64 * MIB);
  expect(rig.cache.facts.blocks).toBe(2);
  expect(await rig.reads(right, 7, 9)).toBe("right");
  expect(await rig.reads(wrong)).toBe("right");
  expect(right.asked).toHaveLength(1);
  expect(wrong.asked).toHaveLength(2);
  expect(rig.cache.facts.wrong).toBe(1);
});

test("room that no block has is given back at start, and a smaller cache keeps to its size", async () => {
  using tree = new Tree();
  const objects = Array.from({ length: 6 }, (_, nth) => new FakeObject(`o${nth}`, BLOCK_BYTES));
  {
    using rig = new CacheRig(tree.root, 64 * MIB);
    for (const object of objects) await rig.read(object);
  }
  const data = fs.openSync(`${tree.root}/blocks.data`, "r+");
  fs.writeSync(data, new Uint8Array(2 * MIB).fill(7), 0, 2 * MIB, 40 * BLOCK_BYTES + MIB);
  fs.closeSync(data);
  using rig = new CacheRig(tree.root, 3 * BLOCK_BYTES);
  expect(rig.cache.facts).toMatchObject({ blocks: 3, bytes: 3 * BLOCK_BYTES });
  expect(taken(tree.root)).toBeLessThanOrEqual(3 * BLOCK_BYTES + 65_536);
});

test("a full disk adds nothing and serves on, says so once, and is tried again later", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const kept = new FakeObject("kept", 50_000);
  await rig.read(kept);
  const object = new FakeObject("a", 3 * MIB);
  {
    using _full = replaceCall("pwrite", (real) => (fd, bytes, count, at) => {
      return count > 64 && at > 0n ? -ERRNO.ENOSPC : real(fd, bytes, count, at);
    });
    expect(String(await rig.reads(object))).toStartWith("bypass");
    expect(String(await rig.reads(object))).toStartWith("bypass");
    expect(await rig.reads(kept)).toBe("right");
  }
  expect(rig.said).toEqual([`cache ${tree.root}: ENOSPC; adding nothing to it for 1 s`]);
  using _later = afterMs(1100);
  expect(await rig.reads(object)).toBe("right");
});

test("a write that fails in the middle of a block leaves none, though those behind it succeed", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("a", BLOCK_BYTES);
  object.pieceBytes = MIB;
  let writes = 0;
  {
    using _once = replaceCall("pwrite", (real) => (fd, bytes, count, at) => {
      if (count > 64) writes += 1;
      return writes === 2 && count > 64 ? -ERRNO.EIO : real(fd, bytes, count, at);
    });
    expect(String(await rig.reads(object))).toStartWith("bypass");
    await eventually("it is forgotten", () => rig.cache.facts.blocks === 0);
  }
  using _later = afterMs(1100);
  expect(await rig.reads(object)).toBe("right");
});

test("an origin that gives nothing for 15 s fails who waits for it", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("a", 3 * MIB);
  object.gate = () => new Promise(() => {});
  const reading = rig.reads(object);
  await eventually("it is asked", () => object.asked.length === 1);
  using _later = afterMs(15_100);
  rig.cache.sweep();
  expect(await reading).toBe("failed after 0");
});

test("more cold objects at once than it has memory for are passed by", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 1024 * MIB);
  const open = Promise.withResolvers<void>();
  const objects = Array.from({ length: FILLS_MAX + 1 }, (_, nth) => new FakeObject(`${nth}`, 9));
  for (const object of objects) object.gate = () => open.promise;
  const all = objects.map((object) => rig.reads(object));
  expect(await all.at(-1)!).toBe("bypass after 0");
  open.resolve();
  expect((await Promise.all(all)).slice(0, -1)).toEqual(Array(FILLS_MAX).fill("right"));
  expect(await rig.reads(objects.at(-1)!)).toBe("right");
});

test("a room that can't be given back is not written again", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, BLOCK_BYTES);
  const [first, second] = [new FakeObject("a", BLOCK_BYTES), new FakeObject("b", BLOCK_BYTES)];
  await rig.read(first);
  {
    using _stuck = replaceCall("punchHole", () => () => -ERRNO.EIO);
    expect(String(await rig.reads(second))).toStartWith("bypass");
    const data = fs.readFileSync(`${tree.root}/blocks.data`).subarray(0, 1000);
    expect(first.bytes(0, 1000).equals(data)).toBe(true);
  }
});
