/**
 * What the two files of a cache folder hold: `blocks.data` has the blocks, each in a slot of its
 * own at a multiple of BLOCK_BYTES; `blocks.index` has a header, and a record for each slot. Pure:
 * bytes become values and back. A record that a crash has torn is no record, and one that is whole
 * is believed only as far as the content has the checksum that it names.
 */

/**
 * Bytes of a block. A request to an object store costs 10 to 50 ms however short it is, as much as
 * 1 to 5 MB at 100 MB/s: shorter blocks would make random reads no faster, and longer ones bring
 * more that nobody asked for. It is a multiple of the largest folio (2 MiB with pages of 4 KiB), so
 * that a slot that is given back takes whole folios out of memory: of parts of one the kernel
 * overwrites what a socket may still be sending.
 */
export const BLOCK_BYTES = 4_194_304;

/** Bytes that are written, and summed, at once: what a reader of a cold block waits for at most. */
export const PIECE_BYTES = 262_144;

/**
 * Most slots: 1 TiB of whole blocks. Each has 64 bytes in the index, which is read at start, and
 * some 40 in memory.
 */
export const SLOTS_MAX = 262_144;

/** Slots for each whole block that there is room for: small objects take one each. */
const SLOTS_PER_BLOCK = 8;

/** Fewest slots: 64 KiB of index. */
const SLOTS_MIN = 1024;

/** What a file system takes for content, at least: sizes are rounded up to it. */
export const PAGE_BYTES = 4096;

/** Names in the folder. Nothing else in it is looked at. */
export const INDEX_NAME = "blocks.index";
export const DATA_NAME = "blocks.data";

/** The header's place: a page, so that it is written whole. */
export const HEADER_BYTES = 4096;
export const RECORD_BYTES = 64;

/** Bytes of the name of a version: the first half of a SHA-256. */
export const ID_BYTES = 16;

const MAGIC = "serv6 blocks 1\n\0";
const HEADER_SUM_AT = 48;
const RECORD_SUM_AT = 56;

/** What the header says. */
export interface Header {
  /** Of this folder alone: sums and records of another one are none here. */
  readonly salt: bigint;
  /** Records of another epoch are none: one more forgets everything at once. */
  readonly epoch: number;
  readonly slots: number;
}

/** A whole block in a slot. */
export interface BlockRecord {
  /** Whose version it is of: ID_BYTES. */
  readonly id: Uint8Array;
  /** Which block of it. */
  readonly block: number;
  /** Bytes that it has: BLOCK_BYTES, or fewer at the end of an object. */
  readonly length: number;
  /** Their checksum (sumOf). */
  readonly sum: bigint;
}

/** Slots of a cache of `bytes`. */
export function slotsFor(bytes: number): number {
  const wanted = SLOTS_PER_BLOCK * Math.ceil(bytes / BLOCK_BYTES);
  return Math.min(SLOTS_MAX, Math.max(SLOTS_MIN, wanted));
}

/** Bytes of a disk that `length` bytes of content take. */
export function roomOf(length: number): number {
  return Math.ceil(length / PAGE_BYTES) * PAGE_BYTES;
}

/** Where slot `slot` begins in the data. */
export function slotAt(slot: number): bigint {
  return BigInt(slot) * BigInt(BLOCK_BYTES);
}

/** Where its record is in the index. */
export function recordAt(slot: number): bigint {
  return BigInt(HEADER_BYTES + slot * RECORD_BYTES);
}

/** The sum of the next `piece` of a block whose pieces before it have the sum `before`. */
export function sumOf(before: bigint, piece: Uint8Array): bigint {
  return Bun.hash.xxHash3(piece, before);
}

/** The header's page. */
export function headerBytes({ salt, epoch, slots }: Header): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(MAGIC, 0, "latin1");
  bytes.writeBigUInt64LE(salt, 16);
  bytes.writeUInt32LE(epoch, 24);
  bytes.writeUInt32LE(slots, 28);
  bytes.writeUInt32LE(BLOCK_BYTES, 32);
  bytes.writeUInt32LE(PIECE_BYTES, 36);
  bytes.writeBigUInt64LE(Bun.hash.xxHash3(bytes.subarray(0, HEADER_SUM_AT)), HEADER_SUM_AT);
  return bytes;
}

/** What `bytes` begin with: a header; "other": one of another layout; null: nothing of ours. */
export function headerOf(bytes: Buffer): Header | "other" | null {
  if (bytes.length < HEADER_BYTES) return null;
  if (bytes.toString("latin1", 0, 13) !== MAGIC.slice(0, 13)) return null;
  const sum = Bun.hash.xxHash3(bytes.subarray(0, HEADER_SUM_AT));
  const sizes = [bytes.readUInt32LE(32), bytes.readUInt32LE(36)];
  const known = bytes.toString("latin1", 0, MAGIC.length) === MAGIC;
  if (!known || sum !== bytes.readBigUInt64LE(HEADER_SUM_AT)) return "other";
  if (sizes[0] !== BLOCK_BYTES || sizes[1] !== PIECE_BYTES) return "other";
  return {
    salt: bytes.readBigUInt64LE(16),
    epoch: bytes.readUInt32LE(24),
    slots: bytes.readUInt32LE(28),
  };
}

/** The record of `slot`. */
export function recordBytes(record: BlockRecord, slot: number, { salt, epoch }: Header): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  bytes.set(record.id.subarray(0, ID_BYTES));
  bytes.writeUInt32LE(record.block, 16);
  bytes.writeUInt32LE(record.length, 20);
  bytes.writeBigUInt64LE(record.sum, 24);
  bytes.writeUInt32LE(epoch, 32);
  bytes.writeUInt32LE(slot, 36);
  bytes.writeBigUInt64LE(recordSum(bytes, salt), RECORD_SUM_AT);
  return bytes;
}

/** What `bytes` say of `slot`; null: nothing, whatever else is there. */
export function recordOf(bytes: Buffer, slot: number, { salt, epoch }: Header): BlockRecord | null {
  const length = bytes.readUInt32LE(20);
  if (length === 0 || length > BLOCK_BYTES) return null;
  if (bytes.readUInt32LE(32) !== epoch || bytes.readUInt32LE(36) !== slot) return null;
  if (bytes.readBigUInt64LE(RECORD_SUM_AT) !== recordSum(bytes, salt)) return null;
  const id = Buffer.from(bytes.subarray(0, ID_BYTES));
  return { id, block: bytes.readUInt32LE(16), length, sum: bytes.readBigUInt64LE(24) };
}

// --- internal ---

function recordSum(bytes: Buffer, salt: bigint): bigint {
  return Bun.hash.xxHash3(bytes.subarray(0, RECORD_SUM_AT), salt);
}
