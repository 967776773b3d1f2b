/**
 * What the thread for looks (lookworker.ts) is asked, and how it answers: names that are looked up,
 * and what is brought into memory for the loop to look at. It may wait for the disk for as long as
 * that takes; what it answers is final.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { FileStat, OPEN } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import type { Root, RootParts } from "./root.ts";

/** A name below the root: what it is, or that and the open file or folder. */
export interface NameAsked {
  readonly kind: "name";
  readonly path: ByteString;
  readonly want: "facts" | "file" | "folder";
}

/**
 * The next `bytes` of the records of `folder`, from where its descriptor stands, into the kernel's
 * memory: what it answers is how many, 0 at the end.
 */
export interface RecordsAsked {
  readonly kind: "records";
  readonly folder: number;
  readonly bytes: number;
}

/** Whatever stat(2) of `names` in the open `folder` needs: the answer is the microseconds taken. */
export interface NamesAsked {
  readonly kind: "names";
  readonly folder: number;
  /** What stands in front of each to make it a path below the root. */
  readonly prefix: ByteString;
  readonly names: readonly ByteString[];
}

/** One message to the thread; the first tells the root. */
export type LookAsked = NameAsked | RecordsAsked | NamesAsked;

/** What factsOf() gives: a descriptor or -1, the owner, the mode, and the words of a FileStat. */
export type LookFacts = readonly [fd: number, uid: number, mode: number, ...words: number[]];

/** As LookAsked says, or -errno; of a name factsOf() it. */
export type LookAnswer = number | LookFacts;

/** The first message. */
export interface LookRoot {
  readonly kind: "root";
  readonly parts: RootParts;
}

/** Bytes of records read by one call: more than one file system gives at once. */
const RECORDS_BYTES = 262_144;

const US_PER_MS = 1000;

const stat = new FileStat();

/** Does what is asked. Blocks: for the thread, and for tests. */
export function lookFor(root: Root, asked: LookAsked): LookAnswer {
  switch (asked.kind) {
    case "name":
      return lookUp(root, asked);
    case "records":
      return readRecords(asked);
    default:
      return lookAt(root, asked);
  }
}

/** A descriptor, -1 for none, and the facts of what it is of, in numbers for a message. */
export function factsOf(fd: number, { uid, mode, words }: FileStat): LookFacts {
  return [fd, uid, mode, ...words];
}

/** The descriptor in factsOf(); `into` gets the facts. */
export function readFacts(facts: LookFacts, into: FileStat): number {
  const [fd, uid, mode, ...words] = facts;
  into.uid = uid;
  into.mode = mode;
  into.words.set(words);
  return fd;
}

// --- internal ---

function lookUp(root: Root, { path, want }: NameAsked): LookAnswer {
  const found = root.openPath(path, stat);
  if (found < 0) return found;
  if (want === "facts") {
    kernel.close(found);
    return factsOf(-1, stat);
  }
  const wrong = want === "file" ? notFile(stat) : stat.isDirectory ? 0 : -ERRNO.ENOTDIR;
  if (wrong < 0) {
    kernel.close(found);
    return wrong;
  }
  const fd = root.reopen(found, want === "file" ? OPEN.readOnly : OPEN.directory);
  return fd < 0 ? fd : factsOf(fd, stat);
}

/** Why what has these facts is not read: 0, or -errno. */
export function notFile({ isFile, isDirectory }: FileStat): number {
  if (isFile) return 0;
  return isDirectory ? -ERRNO.EISDIR : -ERRNO.EACCES;
}

let records: Buffer | null = null;

function readRecords({ folder, bytes }: RecordsAsked): number {
  records ??= Buffer.allocUnsafeSlow(RECORDS_BYTES);
  let read = 0;
  while (read < bytes) {
    const filled = kernel.getdents(folder, records);
    if (filled <= 0) return read > 0 ? read : filled;
    read += filled;
  }
  return read;
}

function lookAt(root: Root, { folder, prefix, names }: NamesAsked): number {
  const start = performance.now();
  for (const name of names) {
    if (kernel.statx(folder, name, stat) < 0 || !stat.isLink) continue;
    const fd = root.openPath(prefix + name, stat);
    if (fd >= 0) kernel.close(fd);
  }
  return Math.round((performance.now() - start) * US_PER_MS);
}
