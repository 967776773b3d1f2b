/**
 * The content of a file that somebody wants whole while the loop waits, as a folder's page wants
 * its README. It never waits for the disk: open() has brought a small file into memory, and what
 * has left it since is not read.
 */
import { readFully } from "../sys/shortcount.ts";
import { isResident } from "./diskread.ts";
import { type OpenFile, SMALL_BYTES_MAX } from "./store.ts";

/**
 * All of `file`, which open() has just given: null when it has more than SMALL_BYTES_MAX bytes, is
 * not in memory or can't be read. The bytes may be the store's own: they are to be read only. 64
 * KiB take 20 us.
 */
export function contentAtOnce({ entry, body, fd, base }: OpenFile): Uint8Array | null {
  if (body !== null) return body;
  if (entry.size > BigInt(SMALL_BYTES_MAX) || fd < 0) return null;
  const size = Number(entry.size);
  if (!isResident(fd, base, size)) return null;
  const bytes = Buffer.allocUnsafeSlow(size);
  const got = readFully(fd, bytes, size, base);
  return got === size ? bytes : null;
}
