/**
 * The folder of a cache, opened: its two files by their descriptors, and what the index says. All
 * that a server ever opens of it is opened here, before it gives up its rights; later it neither
 * opens nor removes anything. Nothing is followed, and what is not ours is neither used nor
 * changed.
 */
import crypto from "node:crypto";
import { AT_FDCWD, FileStat, OPEN } from "../../sys/types.ts";
import { ERRNO, errnoName } from "../../sys/errno.ts";
import { kernel } from "../../sys/kernel.ts";
import { readFully } from "../../sys/shortcount.ts";
import { bytesOf } from "../../wire/bytes.ts";
import { printableText } from "../../wire/printable.ts";
import { StoreError } from "../servedroot.ts";
import {
  BLOCK_BYTES,
  type BlockRecord,
  DATA_NAME,
  type Header,
  HEADER_BYTES,
  headerBytes,
  headerOf,
  INDEX_NAME,
  RECORD_BYTES,
  recordOf,
  roomOf,
  slotAt,
  slotsFor,
} from "./layout.ts";

/** Bits of a mode by which others than the owner may write. */
const OTHERS_WRITE = 0o022;

/** Records that are read at once: 256 KiB. */
const RECORDS_AT_ONCE = 4096;

/** The two files of a folder, open. */
export interface CacheFolder {
  /** As it was named. */
  readonly label: string;
  readonly index: number;
  readonly data: number;
  readonly header: Header;
}

/** Told each block that the index has. */
export type RecordTaker = (slot: number, record: BlockRecord) => void;

/**
 * Opens the folder `label` for a cache of `bytes`, making it and its files where they are not
 * there, for this program alone. Throws StoreError: EBUSY while another has it, EACCES where others
 * may write into it, EINVAL for files that are none of a cache.
 */
export function openFolder(label: string, bytes: number): CacheFolder {
  const opened: number[] = [];
  try {
    const dir = directoryOf(label, opened);
    const index = fileOf(label, dir, INDEX_NAME, opened);
    const data = fileOf(label, dir, DATA_NAME, opened);
    if (kernel.lock(index) < 0) throw refused(label, "EBUSY", "another program has it");
    const header = sized(label, index, data, slotsFor(bytes));
    // Behind all slots: a file system without holes says so. A slot is given back by one.
    const punched = kernel.punchHole(data, slotAt(header.slots), BLOCK_BYTES);
    if (punched < 0) throw refused(label, "EIO", `no holes in files: ${errnoName(-punched)}`);
    kernel.close(dir);
    return { label, index, data, header };
  } catch (error) {
    for (const fd of opened) kernel.close(fd);
    throw error;
  }
}

/**
 * The same to look at, or null where there is no cache. Nothing is made or changed, and another
 * program may have it. Throws StoreError.
 */
export function lookIntoFolder(label: string): CacheFolder | null {
  const dir = kernel.openat(AT_FDCWD, bytesOf(label), OPEN.readOnly | OPEN.directory);
  if (dir === -ERRNO.ENOENT) return null;
  if (dir < 0) throw refused(label, "EIO", errnoName(-dir));
  const flags = OPEN.readOnly | OPEN.noFollow | OPEN.nonBlocking;
  const index = kernel.openat(dir, INDEX_NAME, flags);
  const data = kernel.openat(dir, DATA_NAME, flags);
  kernel.close(dir);
  const header = index < 0 || data < 0 ? null : headerIn(index);
  if (header !== null && header !== "other") return { label, index, data, header };
  closeFolder({ index, data });
  return null;
}

/** Closes both files. */
export function closeFolder({ index, data }: Pick<CacheFolder, "index" | "data">): void {
  kernel.close(index);
  kernel.close(data);
}

/** Tells `take` each record that is whole. An index that can't be read has none. */
export function readRecords({ index, header }: CacheFolder, take: RecordTaker): void {
  const bytes = Buffer.alloc(RECORDS_AT_ONCE * RECORD_BYTES);
  for (let first = 0; first < header.slots; first += RECORDS_AT_ONCE) {
    const at = BigInt(HEADER_BYTES + first * RECORD_BYTES);
    const got = readFully(index, bytes, bytes.length, at);
    for (let nth = 0; (nth + 1) * RECORD_BYTES <= got; nth++) {
      const slot = first + nth;
      const from = nth * RECORD_BYTES;
      if (bytes[from + 20] === 0 && bytes.readUInt32LE(from + 20) === 0) continue;
      const record = recordOf(bytes.subarray(from, from + RECORD_BYTES), slot, header);
      if (record !== null && slot < header.slots) take(slot, record);
    }
  }
}

/**
 * Gives back all room behind the `kept` bytes of each slot: what a crash left, and what was
 * forgotten. Only while nobody sends from it. Blocks for some us a slot that is in use. 0 or
 * -errno: room may be left taken.
 */
export function sweepFolder({ data, header }: CacheFolder, kept: (slot: number) => number): number {
  for (let slot = 0; slot < header.slots; slot++) {
    const from = slotAt(slot) + BigInt(roomOf(kept(slot)));
    const at = kernel.nextData(data, from);
    if (at === -ERRNO.ENXIO) return 0;
    if (at < 0) return at;
    const end = slotAt(slot + 1);
    if (BigInt(at) >= end) {
      // Slots between have nothing; this one may have more than it keeps.
      slot = Math.floor(at / BLOCK_BYTES) - 1;
      continue;
    }
    const punched = kernel.punchHole(data, from, Number(end - from));
    if (punched < 0) return punched;
  }
  return 0;
}

/** Forgets all blocks, also while a server uses the folder: it notices within seconds. -errno. */
export function forgetBlocks(label: string): number {
  const dir = kernel.openat(AT_FDCWD, bytesOf(label), OPEN.readOnly | OPEN.directory);
  if (dir < 0) return dir;
  const index = kernel.openat(dir, INDEX_NAME, OPEN.readWrite | OPEN.noFollow | OPEN.nonBlocking);
  const data = kernel.openat(dir, DATA_NAME, OPEN.readWrite | OPEN.noFollow | OPEN.nonBlocking);
  kernel.close(dir);
  const header = index < 0 ? null : headerIn(index);
  let answer = index < 0 ? index : data < 0 ? data : -ERRNO.EINVAL;
  if (header !== null && header !== "other" && data >= 0) {
    answer = writeHeader(index, { ...header, epoch: header.epoch + 1 });
    // Nobody else has it: its room is given back at once.
    if (answer === 0 && kernel.lock(index) === 0) answer = kernel.ftruncate(data, 0n);
  }
  closeFolder({ index, data });
  return answer;
}

/** The header of `index`; null: it has none of ours. */
export function headerIn(index: number): Header | "other" | null {
  const bytes = Buffer.alloc(HEADER_BYTES);
  const got = readFully(index, bytes, HEADER_BYTES, 0n);
  return got < HEADER_BYTES ? null : headerOf(bytes);
}

// --- internal ---

function refused(label: string, code: "EBUSY" | "EACCES" | "EINVAL" | "EIO", why: string) {
  return new StoreError(`cannot cache in ${printableText(label)}: ${why}`, code);
}

function directoryOf(label: string, opened: number[]): number {
  const path = bytesOf(label);
  const made = kernel.mkdirat(AT_FDCWD, path, 0o700);
  if (made < 0 && made !== -ERRNO.EEXIST) throw refused(label, "EIO", errnoName(-made));
  const dir = kernel.openat(AT_FDCWD, path, OPEN.readOnly | OPEN.directory);
  if (dir < 0) throw refused(label, "EIO", errnoName(-dir));
  opened.push(dir);
  checked(label, dir, "the folder");
  return dir;
}

function fileOf(label: string, dir: number, name: string, opened: number[]): number {
  const flags = OPEN.readWrite | OPEN.create | OPEN.noFollow | OPEN.nonBlocking;
  const fd = kernel.openat(dir, name, flags, 0o600);
  if (fd < 0) throw refused(label, "EIO", `${name}: ${errnoName(-fd)}`);
  opened.push(fd);
  if (!checked(label, fd, name).isFile) throw refused(label, "EINVAL", `${name} is no file`);
  return fd;
}

/** Whoever may write there could choose what is served. */
function checked(label: string, fd: number, what: string): FileStat {
  const stat = new FileStat();
  const looked = kernel.statx(fd, "", stat);
  if (looked < 0) throw refused(label, "EIO", errnoName(-looked));
  const own = [process.geteuid?.(), 0].includes(stat.uid);
  if (!own) throw refused(label, "EACCES", `${what} belongs to another user`);
  if ((stat.mode & OTHERS_WRITE) !== 0) {
    throw refused(label, "EACCES", `others may write to ${what}: chmod go-w`);
  }
  return stat;
}

/** The header, for `slots` slots; of files without one, or of another layout, a new one. */
function sized(label: string, index: number, data: number, slots: number): Header {
  const found = headerIn(index);
  const of = (fd: number): bigint => {
    const stat = new FileStat();
    return kernel.statx(fd, "", stat) < 0 ? 1n : stat.size;
  };
  // What was cut off while it was made is a header at most.
  if (found === null && (of(index) > BigInt(HEADER_BYTES) || of(data) > 0n)) {
    throw refused(label, "EINVAL", "its files are none of a cache: name another folder");
  }
  const known = found === null || found === "other" ? null : found;
  if (known === null) must(label, kernel.ftruncate(data, 0n));
  const salt = known?.salt ?? crypto.randomBytes(8).readBigUInt64LE();
  const header = { salt, epoch: known?.epoch ?? 1, slots };
  if (known === null) must(label, kernel.ftruncate(index, 0n));
  must(label, writeHeader(index, header));
  must(label, kernel.ftruncate(index, BigInt(HEADER_BYTES + slots * RECORD_BYTES)));
  const end = slotAt(slots);
  if (of(data) > end) must(label, kernel.ftruncate(data, end));
  return header;
}

function must(label: string, answer: number): void {
  if (answer < 0) throw refused(label, "EIO", errnoName(-answer));
}

function writeHeader(index: number, header: Header): number {
  const bytes = headerBytes(header);
  const written = kernel.pwrite(index, bytes, bytes.length, 0n);
  return written === bytes.length ? 0 : written < 0 ? written : -ERRNO.EIO;
}
