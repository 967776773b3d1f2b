/**
 * Owns what is downloaded, and the comparison of what arrived with it. The bytes are random, but
 * the same in every run. Invariant: `checkBytes` passes only when each byte of each file is there,
 * and no file besides.
 */
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { fillRandom } from "../files.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const BLOCK_BYTES = 4 * MIB;

export const SMALL_FILES = 10_000;
const SMALL_BYTES = 4 * KIB;
const FILES_PER_FOLDER = 100;

/** A file or a folder below the served root: its name, and what there is in it. */
export interface Corpus {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes of each file by its path below `name`; the path of a single file is "". */
  readonly sizes: ReadonlyMap<string, number>;
  /** An older version of the one file, which is there before the download. */
  readonly old?: string;
}

/** How a file differs from its older version. */
export interface Difference {
  /** Places, evenly spread, and the part of the file that is changed in all of them together. */
  readonly places: number;
  readonly changed: number;
  /** What is appended, as a part of the file. */
  readonly appended: number;
}

/** One file `name` of `mib` MiB in `root`. */
export function makeFile(root: string, name: string, mib: number): Corpus {
  const bytes = Math.max(1, Math.round(mib * MIB));
  fill(join(root, name), bytes, bytes);
  return { name, files: 1, bytes, sizes: new Map([["", bytes]]) };
}

/** The same with an older version of `mib` MiB, which lies beside `root`. */
export function makeVersions(
  root: string,
  name: string,
  mib: number,
  { places, changed, appended }: Difference,
): Corpus {
  const { bytes } = makeFile(root, name, mib);
  const old = join(root, "..", `${name}.old`);
  copyFileSync(join(root, name), old);
  const fd = openSync(join(root, name), "r+");
  try {
    const length = Math.floor((bytes * changed) / places);
    for (let nth = 0; nth < places; nth++) {
      fillAt(fd, Math.floor((bytes * nth) / places), length, bytes + nth + 1);
    }
    fillAt(fd, bytes, Math.floor(bytes * appended), bytes + places + 1);
  } finally {
    closeSync(fd);
  }
  const size = bytes + Math.floor(bytes * appended);
  return { name, files: 1, bytes: size, sizes: new Map([["", size]]), old };
}

/** A folder `name` with `files` files of 4 KiB, 100 in each of its folders. */
export function makeTree(root: string, name: string, files: number): Corpus {
  const sizes = new Map<string, number>();
  for (let i = 0; i < files; i++) {
    const folder = `d${Math.floor(i / FILES_PER_FOLDER)}`;
    if (i % FILES_PER_FOLDER === 0) mkdirSync(join(root, name, folder), { recursive: true });
    const path = `${folder}/f${i % FILES_PER_FOLDER}`;
    fill(join(root, name, path), SMALL_BYTES, i + 1);
    sizes.set(path, SMALL_BYTES);
  }
  return { name, files, bytes: files * SMALL_BYTES, sizes };
}

/** An Error unless the names and the sizes below `to` are those of the corpus. */
export function checkSizes(corpus: Corpus, to: string): void {
  const arrived = sizesBelow(to);
  for (const [path, size] of corpus.sizes) {
    const got = arrived.get(path);
    if (got === size) continue;
    throw new Error(got === undefined ? `${path} is missing` : `${path} has ${got} bytes`);
  }
  for (const path of arrived.keys()) {
    if (!corpus.sizes.has(path)) throw new Error(`${path} came besides`);
  }
}

/** An Error unless what lies at `to` is what lies at `from`, byte for byte. */
export function checkBytes(corpus: Corpus, from: string, to: string): void {
  checkSizes(corpus, to);
  const [ours, theirs] = [Buffer.alloc(BLOCK_BYTES), Buffer.alloc(BLOCK_BYTES)];
  for (const path of corpus.sizes.keys()) {
    const [a, b] = [openSync(join(from, path), "r"), openSync(join(to, path), "r")];
    try {
      for (let at = 0, read = -1; read !== 0; at += read) {
        read = readSync(a, ours, 0, BLOCK_BYTES, at);
        const same = readSync(b, theirs, 0, BLOCK_BYTES, at) === read;
        if (!same || ours.compare(theirs, 0, read, 0, read) !== 0) {
          throw new Error(`${path || to} differs within 4 MiB after byte ${at}`);
        }
      }
    } finally {
      closeSync(a);
      closeSync(b);
    }
  }
}

// --- internal ---

function fill(path: string, length: number, seed: number): void {
  const fd = openSync(path, "wx");
  try {
    fillAt(fd, 0, length, seed);
  } finally {
    closeSync(fd);
  }
}

function fillAt(fd: number, offset: number, length: number, seed: number): void {
  const block = new Uint32Array(Math.min(BLOCK_BYTES, Math.ceil(length / 4) * 4) / 4);
  const bytes = new Uint8Array(block.buffer);
  for (let written = 0, state = seed; written < length;) {
    state = fillRandom(block, state);
    const count = Math.min(bytes.length, length - written);
    written += writeSync(fd, bytes, 0, count, offset + written);
  }
}

function sizesBelow(to: string): Map<string, number> {
  const root = statSync(to, { throwIfNoEntry: false });
  if (root === undefined) throw new Error("nothing arrived");
  if (!root.isDirectory()) return new Map([["", root.size]]);
  const sizes = new Map<string, number>();
  for (const path of readdirSync(to, { recursive: true, encoding: "utf8" })) {
    const found = statSync(join(to, path));
    if (!found.isDirectory()) sizes.set(path, found.size);
  }
  return sizes;
}
