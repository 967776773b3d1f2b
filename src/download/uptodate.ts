/** Whether a file that is here already is the version that a server has. */
import type { NamedEntry } from "../client/exchange.ts";
import { LocalError } from "../destination/error.ts";
import { ETAG_ATTRIBUTE } from "../destination/staged.ts";
import type { Folder } from "../destination/folder.ts";
import { kernel } from "../sys/kernel.ts";
import { type FileStat, OPEN } from "../sys/types.ts";
import type { Entry } from "../wire/entry.ts";
import type { ByteString } from "../wire/bytes.ts";
import { printable } from "../wire/printable.ts";

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

/** By what a file here is another one than the server's, in the order of asking. */
export type Difference = "type" | "size" | "time" | "version" | "content";

/**
 * By what `name` in `folder`, which is `here`, differs from `entry`: size, time, or its etag where
 * one was noted when it was brought. Null: by none of them; nothing looks at the content.
 */
export function differenceOf(
  folder: Folder,
  name: ByteString,
  here: FileStat,
  entry: Entry,
): Difference | null {
  if (!here.isFile) return "type";
  if (here.size !== entry.size) return "size";
  if (!sameTime(here.mtime, entry.mtime)) return "time";
  const fd = kernel.openat(folder.fd, name, OPEN.readOnly | OPEN.noFollow | OPEN.nonBlocking);
  if (fd < 0) return null;
  const noted = kernel.attribute(fd, ETAG_ATTRIBUTE);
  kernel.close(fd);
  return typeof noted === "number" || noted === entry.etag ? null : "version";
}

/**
 * The same for what has the name of `entry` in `folder`; "new" where nothing has it. Throws
 * LocalError where that is in the way: neither a file nor a link.
 */
export function differenceIn(folder: Folder, entry: NamedEntry): Difference | "new" | null {
  const here = folder.stat(entry.name);
  if (here === null) return "new";
  if (here.isFile || here.isLink) return differenceOf(folder, entry.name, here, entry);
  const shown = printable(folder.pathOf(entry.name));
  throw new LocalError("EEXIST", `${shown} is in the way: it is no file`);
}

/** Times in nanoseconds that are equal, or as equal as a coarser file system can keep them. */
export function sameTime(here: bigint, there: bigint): boolean {
  const apart = here > there ? here - there : there - here;
  if (apart === 0n) return true;
  return GRAINS_NS.some(([grain, within]) => here % grain === 0n && apart < within);
}
