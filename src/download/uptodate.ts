/** Whether a file that is here already is the version that a server has. */
import { ETAG_ATTRIBUTE } from "../destination/staged.ts";
import type { Folder } from "../destination/folder.ts";
import { kernel } from "../sys/kernel.ts";
import { type FileStat, OPEN } from "../sys/types.ts";
import type { Entry } from "../wire/entry.ts";
import type { ByteString } from "../wire/bytes.ts";

/**
 * What file systems make of a time, in nanoseconds: one that is a multiple of the first may stand
 * for any that is less than the second away. Whole seconds and FAT's two, exFAT's 10 ms, node:fs's
 * 1 ms, 1 us of many in user space, NTFS's 100 ns.
 */
const GRAINS_NS = [
  [1_000_000_000n, 2_000_000_000n],
  [10_000_000n, 10_000_000n],
  [1_000_000n, 1_000_000n],
  [1000n, 1000n],
  [100n, 100n],
] as const;

/**
 * True when `name` in `folder`, which is `here`, has the size and time of `entry`, and its etag
 * where one was noted when it was brought.
 */
export function isUpToDate(
  folder: Folder,
  name: ByteString,
  here: FileStat,
  entry: Entry,
): boolean {
  if (!here.isFile || here.size !== entry.size || !sameTime(here.mtime, entry.mtime)) return false;
  const fd = kernel.openat(folder.fd, name, OPEN.readOnly | OPEN.noFollow | OPEN.nonBlocking);
  if (fd < 0) return true;
  const noted = kernel.attribute(fd, ETAG_ATTRIBUTE);
  kernel.close(fd);
  return typeof noted === "number" || noted === entry.etag;
}

/** Times in nanoseconds that are equal, or as equal as a coarser file system can keep them. */
export function sameTime(here: bigint, there: bigint): boolean {
  const apart = here > there ? here - there : there - here;
  if (apart === 0n) return true;
  return GRAINS_NS.some(([grain, within]) => here % grain === 0n && apart < within);
}
