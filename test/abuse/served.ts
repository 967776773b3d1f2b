/**
 * The folder that is served while it is attacked, and what lies where. One folder serves many runs:
 * nothing in it changes but the file that honest clients get, which is another version each time,
 * and the one that an attacker rewrites.
 */
import fs from "node:fs";
import path from "node:path";
import { fillRandom } from "../../bench/files.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Names below the root, as requests have them without their slash. */
export const SERVED = {
  /** 16 KiB: its content is held in memory. */
  small: "small",
  /** 64 KiB: the largest content that is digested without the thread. */
  tiny: "tiny",
  /** 16 MiB of content. */
  large: "large",
  /** 4 TiB without a block: no digest of it ever ends. */
  sparse: "sparse",
  /** 256 MiB without a block, old enough that its digests are kept. */
  hashed: "hashed",
  /** A folder of many names. */
  wide: "wide",
  /** 64 files of 1 MiB, to be dropped from memory. */
  cold: "cold",
  /** 8 MiB that an attacker writes to. */
  rewritten: "rewritten",
  /** Two links that lead to each other. */
  loop: "loop-a",
  /** The first of more links in a row than the kernel follows. */
  chain: "chain-0",
  /** 100 folders in each other, called "d". */
  deep: "deep",
  /** What honest clients get. */
  honest: "honest/file",
  /** What honest clients list. */
  some: "some",
} as const;

/** Bytes of the file that honest clients get. */
export const HONEST_BYTES = 3_000_000;

/** Files in `cold`. */
export const COLD_FILES = 64;

/** The names in `some`, sorted. */
export const SOME_NAMES: readonly string[] = Array.from({ length: 20 }, (_, i) => `file-${10 + i}`);

/** Folders in each other below `deep`. */
export const DEPTH = 100;

const SPARSE_BYTES = 4 * 1024 ** 4;
const HASHED_BYTES = 256 * MIB;
const CHAIN_LINKS = 50;

/** Names of one inode: file systems allow 65,000 (ext4) and more. */
const LINKS_MAX = 50_000;

/** Makes everything below `root`, an empty folder; `wideNames` in the wide one. */
export function makeServed(root: string, wideNames: number): void {
  const at = (name: string): string => path.join(root, name);
  for (const folder of [SERVED.wide, SERVED.cold, SERVED.deep, SERVED.some, "honest"]) {
    fs.mkdirSync(at(folder));
  }
  fs.writeFileSync(at(SERVED.small), randomBytes(16 * KIB, 1));
  fs.writeFileSync(at(SERVED.tiny), randomBytes(64 * KIB, 2));
  fs.writeFileSync(at(SERVED.large), randomBytes(16 * MIB, 3));
  fs.writeFileSync(at(SERVED.rewritten), randomBytes(8 * MIB, 4));
  fs.writeFileSync(at(SERVED.honest), randomBytes(HONEST_BYTES, 5));
  for (const name of SOME_NAMES) fs.writeFileSync(at(`${SERVED.some}/${name}`), name);
  makeHole(at(SERVED.sparse), SPARSE_BYTES);
  makeHole(at(SERVED.hashed), HASHED_BYTES);
  for (const name of [SERVED.large, SERVED.hashed, SERVED.sparse]) age(at(name));
  makeCold(at(SERVED.cold));
  makeWide(at(SERVED.wide), wideNames);
  fs.mkdirSync(at(SERVED.deep) + "/d".repeat(DEPTH), { recursive: true });
  fs.symlinkSync("loop-b", at("loop-a"));
  fs.symlinkSync("loop-a", at("loop-b"));
  for (let i = 0; i < CHAIN_LINKS; i++) {
    fs.symlinkSync(i + 1 === CHAIN_LINKS ? SERVED.small : `chain-${i + 1}`, at(`chain-${i}`));
  }
}

/**
 * Another version of the file that honest clients get, of the same bytes: neither it nor its
 * digests are known from before.
 */
export function renewHonest(root: string): void {
  age(path.join(root, SERVED.honest));
}

// --- internal ---

let ages = 0;

/** A modification time an hour ago, never the same twice. */
function age(file: string): void {
  const seconds = Math.floor(Date.now() / 1000) - 3600 - ages++;
  fs.utimesSync(file, seconds, seconds);
}

function randomBytes(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  fillRandom(words, seed);
  return new Uint8Array(words.buffer, 0, length);
}

function makeHole(file: string, bytes: number): void {
  fs.closeSync(fs.openSync(file, "wx"));
  fs.truncateSync(file, bytes);
}

/** Synced, because only clean pages can be dropped. */
function makeCold(folder: string): void {
  const bytes = randomBytes(MIB, 6);
  for (let i = 0; i < COLD_FILES; i++) fs.writeFileSync(`${folder}/${i}`, bytes);
  for (let i = 0; i < COLD_FILES; i++) {
    const fd = fs.openSync(`${folder}/${i}`, "r+");
    fs.fdatasyncSync(fd);
    fs.closeSync(fd);
  }
}

/** Hard links: a name costs a tenth of what a file does. */
function makeWide(folder: string, names: number): void {
  for (let i = 0; i < names; i++) {
    const file = `${folder}/inode-${Math.floor(i / LINKS_MAX)}`;
    if (i % LINKS_MAX === 0) fs.writeFileSync(file, "");
    else fs.linkSync(file, `${folder}/entry-${i}`);
  }
}
