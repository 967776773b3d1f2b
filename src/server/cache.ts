/** The cache in front of object stores, as who starts a server says it. */
import { type OptionNames, refuseUnknown } from "../guard/options.ts";
import { BlockCache } from "../store/blocks/blockcache.ts";
import { type CacheFolder, openFolder } from "../store/blocks/folder.ts";
import { DiskThread, type MakeDisk } from "../store/blocks/thread.ts";
import { StoreError } from "../store/servedroot.ts";
import { kernel } from "../sys/kernel.ts";

/** Bytes of a cache when nobody says: 10 GiB. */
export const CACHE_BYTES_DEFAULT = 10 * 1024 ** 3;

/** A cache in front of object stores. */
export interface CacheOptions {
  /** A folder of its own, made where it is not there. */
  readonly folder: string;
  /** Most bytes of the disk for blocks; CACHE_BYTES_DEFAULT when nobody says. */
  readonly bytes?: number;
}

const CACHE: OptionNames<CacheOptions> = { folder: true, bytes: true };

/**
 * The cache, or null where there is to be none, or where its disk can't be used or another program
 * uses it: files are served without it then, and `note` is told why, later. Throws StoreError for a
 * folder that is not its own.
 */
export function cacheOf(
  given: CacheOptions | undefined,
  note: (line: string) => void,
): BlockCache | null {
  if (given === undefined) return null;
  refuseUnknown("serve(): cache", given, CACHE);
  const { folder, bytes = CACHE_BYTES_DEFAULT } = given;
  let opened: CacheFolder;
  try {
    if (!kernel.native) throw new StoreError("a cache needs Linux", "EIO");
    opened = openFolder(folder, bytes);
  } catch (error) {
    const passes = error instanceof StoreError && ["EIO", "EBUSY"].includes(error.code);
    if (!passes) throw error;
    // The log is made behind the store.
    queueMicrotask(() => note(`${error.message}; serving without it`));
    return null;
  }
  const make: MakeDisk = (...args) => new DiskThread(...args);
  return new BlockCache(opened, bytes, make, note);
}
