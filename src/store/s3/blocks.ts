/** The blocks of versions of objects in a cache on this machine's disk. */
import type { BlockCache } from "../blocks/blockcache.ts";
import { idOf } from "../blocks/origin.ts";
import type { BlockReader } from "../blocks/reader.ts";
import type { Entry } from "../../wire/entry.ts";
import type { ObjectVersion } from "./bucket.ts";
import type { Ranges } from "./ranges.ts";

/** What keeps blocks of one bucket. */
export class VersionBlocks {
  readonly cache: BlockCache;
  readonly #ranges: Ranges;
  readonly #endpoint: string;
  readonly #bucket: string;

  /** Cold blocks come from `ranges`. Blocks of another endpoint or bucket are others. */
  constructor(cache: BlockCache, ranges: Ranges, endpoint: string, bucket: string) {
    this.cache = cache;
    this.#ranges = ranges;
    this.#endpoint = endpoint;
    this.#bucket = bucket;
  }

  /** The name under which blocks of `version` are kept: 5 us. */
  idOf({ key, tag, size }: ObjectVersion): Uint8Array {
    return idOf({ endpoint: this.#endpoint, bucket: this.#bucket, key, tag, size });
  }

  /** As Source.blocks, of `version`, whose name is `id`. */
  read(
    version: ObjectVersion,
    id: Uint8Array,
    entry: Entry,
    range: { readonly start: number; readonly length: number },
    peer: string,
    awake: () => void,
  ): BlockReader | null {
    const bring: Parameters<BlockCache["read"]>[2]["bring"] = (from, length, sink, signal) =>
      this.#ranges.bring(version, from, length, sink, signal);
    return this.cache.read(id, entry, { bring }, range, peer, awake);
  }
}
