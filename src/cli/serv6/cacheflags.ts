/** The flags of the cache in front of an object store. */
import path from "node:path";
import { CACHE_BYTES_DEFAULT } from "../../server/cache.ts";
import type { ServeOptions } from "../../server/start.ts";
import { isS3Root } from "../../store/s3/address.ts";
import { BLOCK_BYTES, SLOTS_MAX } from "../../store/blocks/layout.ts";
import { UsageError, type Values } from "../flags/flags.ts";
import { filePath, size } from "../flags/values.ts";

const WHAT = "What is served";

/** Fewest bytes: 16 whole blocks, so that those that are sent leave room for others. */
const CACHE_BYTES_MIN = 16 * BLOCK_BYTES;

/** Part of the table of serv6. */
export const CACHE_FLAGS = {
  cache: {
    type: "string",
    group: WHAT,
    valueHint: "folder",
    reader: filePath,
    description: "keep what is read of s3://bucket in this folder, which is for nothing else",
  },
  "cache-size": {
    type: "string",
    group: WHAT,
    valueHint: "size",
    reader: size({ min: CACHE_BYTES_MIN, max: SLOTS_MAX * BLOCK_BYTES }),
    description: "how much of its disk that may take, as 100G; default: 10G",
  },
} as const;

/** What they mean for `roots`. Throws UsageError where they mean nothing. */
export function cacheOf(
  values: Values<typeof CACHE_FLAGS>,
  roots: readonly string[],
): Pick<ServeOptions, "cache"> {
  const { cache, "cache-size": bytes } = values;
  if (cache === undefined) {
    if (bytes !== undefined) throw new UsageError("--cache-size needs --cache FOLDER");
    return {};
  }
  if (!roots.some(isS3Root)) throw new UsageError("--cache needs s3://bucket as ROOT");
  return { cache: { folder: path.resolve(cache), bytes: bytes ?? CACHE_BYTES_DEFAULT } };
}
