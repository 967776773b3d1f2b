/**
 * A program that uses a cache of blocks until it is killed: reads of all kinds, each compared. Its
 * words are FOLDER, BYTES, SEED. It says "ready", then "WRONG" and ends where a byte was wrong.
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
const say = (line: string): void => console.log(line);
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
    const length = 1 + random.below(object.size - start);
    const got = await readFrom(cache, object, start, length);
    const wrong = typeof got !== "string" && !got.equals(object.bytes(start, length));
    if (wrong || (typeof got === "string" && !/^(?:bypass|none)/.test(got))) {
      console.log("WRONG", typeof got === "string" ? got : `bytes of ${start}+${length}`);
      process.exit(1);
    }
    await Bun.sleep(0);
  }
}

for (let nth = 0; nth < READERS; nth++) void readOn(new Random(Number(seed) * 100 + nth));
