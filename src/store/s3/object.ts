/** One version of an object as a file: what the doors tell of it, and where its bytes come from. */
import type { Entry } from "../../wire/entry.ts";
import type { Reply } from "../../wire/reply.ts";
import { clock } from "../../sys/clock.ts";
import { type ByteStream, HEADROOM_BYTES, type OpenFile, type Source } from "../store.ts";
import type { ObjectVersion } from "./bucket.ts";
import type { Flows } from "./flows.ts";
import type { VersionBlocks } from "./blocks.ts";
import type { BlockReader } from "../blocks/reader.ts";

const NS_PER_SECOND = 1_000_000_000n;

/** Hex digits of an etag. */
const ETAG_DIGITS = 16;

/**
 * The etag of a version: of the store's own name for it, and its size, and of nothing of this
 * machine: all servers of one bucket tell the same.
 */
export function etagOfVersion({ tag, size }: Pick<ObjectVersion, "tag" | "size">): string {
  const told = `serv6 object 1 ${size} ${tag}`;
  return Bun.CryptoHasher.hash("sha256", told, "hex").slice(0, ETAG_DIGITS);
}

/** What tells a folder of a bucket from every other. */
export function folderIdOf(bucket: string, key: string): string {
  const told = `serv6 folder 1 ${bucket}/${key}`;
  return Bun.CryptoHasher.hash("sha256", told, "hex").slice(0, ETAG_DIGITS);
}

/** The wire's view of a version. */
export function entryOfVersion(version: ObjectVersion): Entry {
  const { size, seconds } = version;
  const etag = etagOfVersion(version);
  return { type: "file", size: BigInt(size), mtime: BigInt(seconds) * NS_PER_SECOND, etag };
}

/** An object, small enough to be held or not. */
export class ObjectFile implements OpenFile, Source {
  readonly entry: Entry;
  readonly version: ObjectVersion;
  readonly body: Uint8Array | null;
  readonly headroom: number = HEADROOM_BYTES;
  readonly fd = -1;
  readonly base = 0n;
  readonly headAt = null;
  readonly source: Source | null;
  head: Uint8Array | null = null;
  reply: Reply | null = null;
  digest: Reply | null = null;
  residentUntil: number = Number.POSITIVE_INFINITY;
  /** When its key was last seen to mean this version, in clock.now's milliseconds. */
  checked: number = clock.now;
  readonly #flows: Flows;
  readonly #blocks: VersionBlocks | null;
  /** The name of its blocks; null until it is needed. */
  #id: Uint8Array | null = null;

  /**
   * `body` is all of it, behind HEADROOM_BYTES; null: it is brought when it is sent. `blocks` is
   * the cache of its bucket.
   */
  constructor(
    version: ObjectVersion,
    body: Uint8Array | null,
    flows: Flows,
    blocks: VersionBlocks | null = null,
  ) {
    this.version = version;
    this.entry = entryOfVersion(version);
    this.body = body;
    this.source = body === null ? this : null;
    this.#flows = flows;
    this.#blocks = blocks;
  }

  /** Bytes of memory that it takes beside itself. */
  get held(): number {
    return this.body === null ? 0 : this.body.length + HEADROOM_BYTES;
  }

  stream(at: bigint, length: number, peer: string, awake: () => void): ByteStream {
    const flow = this.#flows.begin(this.version, Number(at), length, peer, () => {
      // Whoever asks again is told of the version that is there now.
      if (flow.state === "changed") this.expire();
      awake();
    });
    return flow;
  }

  blocks(at: bigint, length: number, peer: string, awake: () => void): BlockReader | null {
    if (this.#blocks === null) return null;
    this.#id ??= this.#blocks.idOf(this.version);
    const range = { start: Number(at), length };
    return this.#blocks.read(this.version, this.#id, this.entry, range, peer, awake);
  }

  /** It is nobody's descriptor: the store keeps what there is. */
  retain(): void {}
  release(): void {}

  expire(): void {
    this.checked = Number.NEGATIVE_INFINITY;
  }

  /** Each byte is asked for by its version, and none of another one comes. */
  revalidate(): "same" {
    return "same";
  }
}
