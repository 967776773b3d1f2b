/**
 * SIGKILL at any moment of a cache of blocks, and what a power cut may leave behind it: no wrong
 * byte is given afterwards, and nothing is left that has no bound. `make torture` does it a
 * thousand times.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";
import { BLOCK_BYTES } from "../../src/store/blocks/layout.ts";
import type { Random } from "../fuzz/random.ts";
import { CacheRig } from "../rig/blocks.ts";
import { environment } from "../rig/program.ts";
import { Tree } from "../rig/tree.ts";
import { AGAIN, repeat, runs, timeFor } from "./rig.ts";

const KILLS = runs(5);

/** Smaller than what is asked for, so that blocks give way all the time. */
const CAPACITY = 12 * BLOCK_BYTES;

/** What a file system may need beside the blocks. */
const TABLES = 131_072;

/** Of one run. */
const READS_MAX = 150;

const PROGRAM = path.join(import.meta.dir, "../rig/cacheprogram.ts");

/** What a run said before it was killed. */
async function killedRun(folder: string, seed: number, random: Random): Promise<string> {
  const child = Bun.spawn([process.execPath, PROGRAM, folder, String(CAPACITY), String(seed)], {
    stdout: "pipe",
    stderr: "inherit",
    env: environment(),
  });
  let said = "";
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  // However slow the machine is: behind so many reads, and a moment.
  const reads = random.below(random.below(2) === 0 ? 5 : READS_MAX);
  while (said.split("\n").length <= reads + 1) {
    const { done, value } = await reader.read();
    if (done) break;
    said += decoder.decode(value);
  }
  await Bun.sleep(random.below(30));
  child.kill("SIGKILL");
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    said += decoder.decode(value);
  }
  await child.exited;
  return said;
}

/** What was written last may not be on the disk: zeros, or what was there before. */
function cutPower(folder: string, random: Random): void {
  const data = fs.openSync(`${folder}/blocks.data`, "r+");
  const { size } = fs.fstatSync(data);
  for (let times = random.below(12); times > 0 && size > 0; times--) {
    const slot = random.below(Math.ceil(size / BLOCK_BYTES));
    const at = slot * BLOCK_BYTES + 4096 * random.below(256);
    const bytes = new Uint8Array(4096 * (1 + random.below(100))).fill(random.below(2) * 255);
    fs.writeSync(data, bytes, 0, bytes.length, at);
  }
  fs.closeSync(data);
  const index = fs.openSync(`${folder}/blocks.index`, "r+");
  for (let times = random.below(3); times > 0; times--) {
    const at = 4096 + random.below(30 * 64);
    fs.writeSync(index, Buffer.from([random.below(256)]), 0, 1, at);
  }
  fs.closeSync(index);
}

test(
  `a cache that is killed gives no wrong byte and keeps to its size (${KILLS}, ${AGAIN})`,
  async () => {
    using tree = new Tree();
    const folder = tree.path("cache");
    let kept = 0;
    let reads = 0;
    await repeat(KILLS, async (random, seed) => {
      const said = await killedRun(folder, seed, random);
      expect(said).toMatch(/^ready \d+\n(?:read\n)*$/);
      kept += Number.parseInt(said.slice(6), 10);
      reads += said.split("read\n").length - 1;
      if (random.below(2) === 0) cutPower(folder, random);
      if (random.below(4) > 0) return;
      // Opened again, nothing is left that no block has.
      const rig = new CacheRig(folder, CAPACITY);
      const { bytes } = rig.cache.facts;
      const taken = fs.statSync(`${folder}/blocks.data`).blocks * 512;
      rig[Symbol.dispose]();
      expect(bytes).toBeLessThanOrEqual(CAPACITY);
      expect(taken).toBeLessThanOrEqual(bytes + TABLES);
      expect(fs.readdirSync(folder).sort()).toEqual(["blocks.data", "blocks.index"]);
    });
    console.log(`cache: ${KILLS} kills, ${reads} reads right, ${kept} blocks found again`);
    expect(KILLS < 3 || kept > 0).toBe(true);
  },
  timeFor(KILLS, 10_000),
);
