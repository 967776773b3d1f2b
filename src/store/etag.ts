/**
 * A file's version as 16 hex digits. Hashed from ino, size, mtime and ctime with a key, so that no
 * part can be computed back (CVE-2003-1418 leaked inode numbers), and the same in every worker and
 * after a restart.
 */
import fs from "node:fs";
import type { FileStat } from "../sys/types.ts";

const HEX_DIGITS = 16;
const words = new BigUint64Array(5);
const bytes = new Uint8Array(words.buffer);
/** The same without the device. */
const bytesAtHome = bytes.subarray(0, 32);
let key: string | null = null;

/**
 * The etag of the version that `stat` tells of. ctime is in it: a forged mtime still changes it. Of
 * a file that is not on the device `home`, the root's, the device is in it too: two file systems
 * made alike (one image written twice) have the same inodes and times, and `--mounts` can bring one
 * in the place of the other. A device may get another number after a reboot; then a resume starts
 * over.
 */
export function etagOf(stat: FileStat, home: bigint = stat.dev): string {
  key ??= machineKey();
  words[0] = stat.ino;
  words[1] = stat.size;
  // Of a time before 1970 the array takes the low 64 bits.
  words[2] = stat.mtime;
  words[3] = stat.ctime;
  words[4] = stat.dev;
  const hashed = stat.dev === home ? bytesAtHome : bytes;
  return new Bun.CryptoHasher("sha256", key).update(hashed).digest("hex").slice(0, HEX_DIGITS);
}

/**
 * What tells a folder from every other, as 16 hex digits: hashed from device and ino, which links
 * to it share, and which stay when something is put into it.
 */
export function folderIdOf({ ino, dev }: FileStat): string {
  key ??= machineKey();
  const hash = new Bun.CryptoHasher("sha256", key).update(`folder ${dev} ${ino}`);
  return hash.digest("hex").slice(0, HEX_DIGITS);
}

/** As folderIdOf(), of a folder that is on no disk and has the folders `names`. */
export function namesIdOf(names: readonly string[]): string {
  key ??= machineKey();
  const hash = new Bun.CryptoHasher("sha256", key).update(`names ${names.join("/")}`);
  return hash.digest("hex").slice(0, HEX_DIGITS);
}

/** Reads what the key is made of while that may be read: a server gives the right up. */
export function prepareEtags(): void {
  key ??= machineKey();
}

// --- internal ---

/**
 * A secret that outlives restarts without a file of ours: machine-id(5) asks to be hashed with an
 * application's own name before anything derived from it is shown. Without one the key is public,
 * and a patient guesser could find an inode number, nothing else.
 */
function machineKey(): string {
  let id = "";
  try {
    id = fs.readFileSync("/etc/machine-id", "latin1").trim();
  } catch {
    // A container or another system: see above.
  }
  return new Bun.CryptoHasher("sha256").update(`serv6 etag 1 ${id}`).digest("hex");
}
