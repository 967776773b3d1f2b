/**
 * SIGKILL at any moment: under a final name is the old file, the new one, or nothing, and running
 * the command again ends it. `make torture` does this a thousand times for each command.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import type { Random } from "../fuzz/random.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { AGAIN, completes, read, repeat, runs, start, timeFor } from "./rig.ts";

const MIB = 1024 * 1024;
const KILLS = runs(5);

/** Kills behind each other, before the command may come to its end. */
const CHAIN_MAX = 4;

const OLD = 1;
const NEW = 2;

/** A file of the tree in its two versions. */
interface Versions {
  readonly name: string;
  readonly old: Buffer;
  readonly new: Buffer;
}

function versions(name: string, file: number, size: number): Versions {
  return { name, old: content(file, OLD, size + 16), new: content(file, NEW, size) };
}

/** The same, but that most of the old one is in the new one: it is taken from there. */
function edited(name: string, file: number, size: number): Versions {
  const old = content(file, OLD, size);
  const now = Buffer.concat([old, content(file, NEW, size / 8)]);
  for (let at = 0; at < size; at += size / 6) content(file, NEW, 100_000).copy(now, at);
  return { name, old, new: now };
}

/** What kills met. */
class Score {
  /** Before anything was published, between, and when all was. */
  before = 0;
  between = 0;
  after = 0;
  resumed = 0;

  get kills(): number {
    return this.before + this.between + this.after;
  }

  /** Looks at every file: each must be whole. True when all of them are the new ones. */
  look(folder: string, files: readonly Versions[], had: boolean): boolean {
    let published = 0;
    for (const file of files) {
      const found = read(`${folder}/${file.name}`);
      if (found?.equals(file.new) === true) published += 1;
      else if (found === null ? had : !(had && found.equals(file.old))) {
        throw new Error(`${file.name} is neither the old file nor the new one`);
      }
    }
    if (published === 0) this.before += 1;
    else if (published === files.length) this.after += 1;
    else this.between += 1;
    return published === files.length;
  }

  tell(command: string): void {
    const { kills, before, between, after, resumed } = this;
    const where = `${before} before, ${between} amid, ${after} after publishing`;
    console.log(`${command}: ${kills} kills (${where}), 0 wrong files, ${resumed} completed`);
  }
}

/** Kills the command again and again, then lets it end. `usualMs` is how long it takes. */
async function torment(
  args: readonly string[],
  folder: string,
  files: readonly Versions[],
  random: Random,
  score: Score,
  usualMs: number,
): Promise<void> {
  const had = random.below(2) === 0;
  fs.rmSync(folder, { recursive: true, force: true });
  for (const file of had ? files : []) {
    fs.mkdirSync(`${folder}/${file.name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    fs.writeFileSync(`${folder}/${file.name}`, file.old);
  }
  const slow = random.below(4) === 0 ? ["--limit-rate", `${60 + random.below(60)}M`] : [];
  const chain = 1 + random.below(CHAIN_MAX);
  for (let kill = 0; kill < chain && score.kills < KILLS; kill++) {
    const { child, ended } = start([...args, ...slow]);
    // As often near the end, where names are given, as anywhere else.
    const late = random.below(2) === 0;
    const ms = usualMs * (late ? 0.7 + random.below(500) / 1000 : random.below(1200) / 1000);
    await Bun.sleep(ms);
    child.kill("SIGKILL");
    const { signal, status, err } = await ended;
    if (signal === null) expect({ status, err }).toEqual({ status: 0, err: "" });
    if (signal === null || score.look(folder, files, had)) break;
  }
  await completes(args, folder);
  for (const file of files) expect(read(`${folder}/${file.name}`)?.equals(file.new)).toBe(true);
  score.resumed += 1;
}

/** Milliseconds of a whole run. */
async function timed(args: readonly string[], folder: string): Promise<number> {
  fs.rmSync(folder, { recursive: true, force: true });
  const began = performance.now();
  await completes(args, folder);
  return performance.now() - began;
}

async function torture(
  files: readonly Versions[],
  argsOf: (port: number, folder: string) => string[],
): Promise<Score> {
  using source = new Tree(Object.fromEntries(files.map((file) => [file.name, file.new])));
  await using server = new Running(source.root);
  using tree = new Tree();
  const folder = tree.path("to");
  const args = argsOf(server.port, folder);
  const usualMs = Math.min(await timed(args, folder), await timed(args, folder));
  const score = new Score();
  // Some runs end before the signal comes.
  await repeat(4 * KILLS, async (random) => {
    if (score.kills < KILLS) await torment(args, folder, files, random, score, usualMs);
  });
  return score;
}

test(
  `a killed get leaves the old file, the new one or none, and goes on (${KILLS}, ${AGAIN})`,
  async () => {
    const files = [versions("large", 1, 24 * MIB + 4321), edited("edited", 2, 24 * MIB)];
    const score = await torture(files, (port, folder) => [
      ...["get", "--force", "-P", folder],
      ...files.map(({ name }) => `s6://127.0.0.1:${port}/${name}`),
    ]);
    score.tell("get");
    expect(score.kills).toBeGreaterThan(KILLS / 2);
  },
  timeFor(KILLS, 10_000),
);

test(
  `a killed mirror leaves each file old, new or not there, and goes on (${KILLS}, ${AGAIN})`,
  async () => {
    const small = Array.from({ length: 60 }, (_, nth) =>
      versions(`d${nth % 4}/e/f${nth}`, nth, nth * 1733),
    );
    const large = [5, 9, 14].map((mib, nth) => versions(`d${nth}/large`, 100 + nth, mib * MIB + 5));
    const score = await torture([...small, ...large], (port, folder) => [
      "mirror",
      `s6://127.0.0.1:${port}/`,
      folder,
    ]);
    score.tell("mirror");
    expect(score.kills).toBeGreaterThan(KILLS / 2);
  },
  timeFor(KILLS, 10_000),
);
