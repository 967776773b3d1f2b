/**
 * Reads a small file whole, as one version or not at all. Blocks where the content is not in
 * memory: prefetch.ts reads it off the loop first.
 */
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { readFully } from "../sys/shortcount.ts";
import { FileStat } from "../sys/types.ts";
import { HEADROOM_BYTES } from "./store.ts";

/**
 * Edits that race with the reading: after this many the file is not held but sent from its
 * descriptor.
 */
const TRIES_MAX = 3;

const again = new FileStat();

/**
 * The content behind HEADROOM_BYTES of free bytes, as a view of it; `stat` is brought up to date.
 * Or -errno: EIO when fewer bytes come than the size says (files of /sys), EACCES for a file that
 * has bytes and no size (files of /proc). Or null for a file that does not hold still or has more
 * than `bytesMax` (by now).
 */
export function readBody(fd: number, stat: FileStat, bytesMax: number): Uint8Array | number | null {
  for (let tries = 0; tries < TRIES_MAX && stat.size <= BigInt(bytesMax); tries++) {
    const size = Number(stat.size);
    const buffer = Buffer.allocUnsafeSlow(HEADROOM_BYTES + size + 1);
    const body = buffer.subarray(HEADROOM_BYTES);
    // One byte more than the size: it tells a file that is longer than it says.
    const got = readFully(fd, body, size + 1, 0n);
    if (got < 0) return got;
    const failed = kernel.statx(fd, "", again);
    if (failed < 0) return failed;
    if (again.same(stat)) {
      if (got === size) return body.subarray(0, size);
      return got > size ? -ERRNO.EACCES : -ERRNO.EIO;
    }
    stat.copy(again);
  }
  return null;
}
