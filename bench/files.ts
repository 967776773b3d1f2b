/**
 * Owns the files that are served: made in a fresh temporary folder, removed at the end.
 * Never reuses a folder. Invariant: the content of a file depends on its length alone, so that two
 * runs serve the same bytes, and no two stretches of a file are alike.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Folder, temporaryFolder } from "./temporary.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Name to length in bytes. `empty` stands for a ping over HTTP. */
export const FILES = {
  empty: 0,
  "1k": KIB,
  "16k": 16 * KIB,
  "32k": 32 * KIB,
  "64k": 64 * KIB,
  "100k": 100 * KIB,
  "1m": MIB,
  "10m": 10 * MIB,
  "100m": 100 * MIB,
} as const;

export type FileName = keyof typeof FILES;

/** Bytes that are written at once while a file is made. */
const BLOCK_BYTES = MIB;

/** Makes the named files in a new folder. */
export function makeFiles(names: Iterable<FileName>): Folder {
  const folder = temporaryFolder();
  for (const name of new Set(names)) writeFile(join(folder.path, name), FILES[name]);
  return folder;
}

/** Fills `block` with the numbers that follow `state` (xorshift32); returns the new state. */
export function fillRandom(block: Uint32Array, state: number): number {
  let x = state;
  for (let i = 0; i < block.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    block[i] = x;
  }
  return x;
}

// --- internal ---

function writeFile(path: string, length: number): void {
  const fd = openSync(path, "wx");
  const block = new Uint32Array(BLOCK_BYTES / 4);
  const bytes = new Uint8Array(block.buffer);
  let state = length + 1;
  try {
    for (let written = 0; written < length;) {
      state = fillRandom(block, state);
      written += writeSync(fd, bytes, 0, Math.min(BLOCK_BYTES, length - written));
    }
  } finally {
    closeSync(fd);
  }
}
