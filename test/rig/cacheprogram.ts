/**
 * A program that uses a cache of blocks until it is killed: reads of all kinds, each compared. Its
 * words are FOLDER, BYTES, SEED. It says "ready" and how many blocks are there, then "read" behind
 * each read, or "WRONG" where a byte was wrong, and ends.
 */
import { tick } from "../../src/sys/clock.ts";
import { BlockCache } from "../../src/store/blocks/blockcache.ts";
import { openFolder } from "../../src/store/blocks/folder.ts";
import { DiskThread, type MakeDisk } from "../../src/store/blocks/thread.ts";
import { Random } from "../fuzz/random.ts";
import { FakeObject, readFrom } from "./blocks.ts";

/** Objects, of up to so many bytes. */
const OBJECTS = 24;
const SIZE_MAX = 9_000_000;

const READERS = 6;

const [folder = "", bytes = "0", seed = "1"] = process.argv.slice(2);
const make: MakeDisk = (...args) => new DiskThread(...args);
// A machine that is busy may take it for a slow disk.
const say = (): void => {};
const cache = new BlockCache(openFolder(folder, Number(bytes)), Number(bytes), make, say);
const sizes = new Random(1);
const objects = Array.from({ length: OBJECTS }, (_, nth) => {
  const size = nth % 3 === 0 ? sizes.below(60_000) : sizes.below(SIZE_MAX);
  return new FakeObject(`o${nth}`, 1 + size);
});
console.log(`ready ${cache.facts.blocks}`);
setInterval(() => cache.sweep(), 200);

async function readOn(random: Random): Promise<void> {
  for (;;) {
    tick();
    const object = objects[random.below(OBJECTS)]!;
    object.pieceBytes = 50_000 + random.below(500_000);
    const start = random.below(object.size);
    const most = random.below(4) === 0 ? object.size : 100_000;
    const length = 1 + random.below(Math.min(most, object.size - start));
    const got = await readFrom(cache, object, start, length);
    const wrong = typeof got !== "string" && !got.equals(object.bytes(start, length));
    if (wrong || (typeof got === "string" && !/^(?:bypass|none)/.test(got))) {
      console.log("WRONG", typeof got === "string" ? got : `bytes of ${start}+${length}`);
      process.exit(1);
    }
    console.log("read");
    await Bun.sleep(0);
  }
}

for (let nth = 0; nth < READERS; nth++) void readOn(new Random(Number(seed) * 100 + nth));
