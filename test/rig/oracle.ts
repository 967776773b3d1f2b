/**
 * Content that tells where it comes from: every 16 bytes are "FFF.VVV.OOOOOOOO" in hex digits:
 * file, version and number of the block. A wrong, mixed or shifted byte names itself.
 */

/** Bytes of one block. */
export const BLOCK_BYTES = 16;

/** `size` bytes of version `version` of file `file`; the last block may be cut. */
export function content(file: number, version: number, size: number): Buffer {
  const blocks = Math.ceil(size / BLOCK_BYTES);
  const bytes = Buffer.alloc(blocks * BLOCK_BYTES);
  const head = `${hex(file, 3)}.${hex(version, 3)}.`;
  for (let i = 0; i < blocks; i++) bytes.write(head + hex(i, 8), i * BLOCK_BYTES, "latin1");
  return bytes.subarray(0, size);
}

const made = new Map<string, Buffer>();

/**
 * The same bytes again and again: made once for each file and version, at the largest size asked
 * for.
 */
function known(file: number, version: number, size: number): Buffer {
  const key = `${file}.${version}`;
  const had = made.get(key);
  if (had !== undefined && had.length >= size) return had;
  const bytes = content(file, version, size);
  made.set(key, bytes);
  return bytes;
}

/**
 * What is wrong with `bytes` as `file`'s version `version` from `offset`, in words; null when
 * nothing is.
 */
export function verify(
  bytes: Uint8Array,
  file: number,
  version: number,
  offset = 0,
): string | null {
  const got = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (got.equals(known(file, version, offset + got.length).subarray(offset, offset + got.length))) {
    return null;
  }
  const first = Math.floor(offset / BLOCK_BYTES);
  const skip = offset - first * BLOCK_BYTES;
  const head = `${hex(file, 3)}.${hex(version, 3)}.`;
  for (let at = 0, block = first; at < got.length; block++) {
    const from = block === first ? skip : 0;
    const want = (head + hex(block, 8)).slice(from, from + got.length - at);
    const found = got.toString("latin1", at, at + want.length);
    if (found !== want)
      return `at byte ${offset + at}: expected ${want}, found ${JSON.stringify(found)}`;
    at += want.length;
  }
  return null;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
