/**
 * The digest of a whole file that comes over HTTP: told by the server (Repr-Digest), or by a file
 * SHA256SUMS beside it. There may be none, which is told once for each server.
 */
import { ClientError } from "../client/error.ts";
import { WholeSink } from "../receive/sink.ts";
import { type ByteString, byteStringOf } from "../wire/bytes.ts";
import { unescape } from "../wire/escape.ts";
import type { Origin, RemoteFile } from "./origin.ts";
import type { Checksum } from "./settings.ts";

/** Largest SHA256SUMS that is read, in bytes: 10,000 lines. */
const SUMS_BYTES_MAX = 1_048_576;

/** Folders whose SHA256SUMS is kept at once; more are asked for again. */
const FOLDERS_MAX = 64;

/** A line of sha256sum(1): the mark before the name says text or binary. */
const LINE = /^([0-9a-fA-F]{64}) [ *](.+)$/;

/** By server, so that each has its lists of a folder once. */
const known = new WeakMap<Origin, WholeDigests>();

/** The digests that `origin` tells: the same object for all who ask in its run. */
export function wholeDigestsOf(origin: Origin): WholeDigests {
  let digests = known.get(origin);
  if (digests === undefined) known.set(origin, (digests = new WholeDigests(origin)));
  return digests;
}

/** The digests that one server tells. */
class WholeDigests {
  readonly #origin: Origin;
  readonly #sums = new Map<ByteString, Promise<ReadonlyMap<ByteString, string>>>();
  #told = false;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** What `file` must have, or null: the server does not tell, which is told once. */
  async of(file: RemoteFile): Promise<Checksum | null> {
    if (!this.#origin.options.verify) return null;
    const found = await this.find(file);
    if (found !== null) return found;
    const text = "the server tells no digest: what came is complete but not compared";
    if (!this.#told) this.#origin.options.note(`${text} (--checksum compares)`);
    this.#told = true;
    return null;
  }

  /** The same, and nothing is said where there is none. */
  async find({ path, entry }: RemoteFile): Promise<Checksum | null> {
    const told =
      entry.http?.sha256 ?? (await this.#asked(path, entry.etag)) ?? (await this.#listed(path));
    return told === null ? null : { algo: "sha256", hex: told };
  }

  /** The lists are read anew from now on. */
  forget(): void {
    this.#sums.clear();
  }

  // --- internal ---

  /** What the server tells of this very version, when it is asked. */
  async #asked(path: ByteString, etag: string): Promise<string | null> {
    if (etag === "") return null;
    try {
      const whole = { algo: "sha256" } as const;
      const reply = await this.#origin.control.ask((client) => client.hash(path, whole));
      return reply.etag === etag ? (reply.digests[0] ?? null) : null;
    } catch (error) {
      // It tells none, or not in time.
      if (error instanceof ClientError && error.kind !== "aborted") return null;
      throw error;
    }
  }

  async #listed(path: ByteString): Promise<string | null> {
    const slash = path.lastIndexOf("/") + 1;
    const folder = path.slice(0, slash);
    let sums = this.#sums.get(folder);
    if (sums === undefined) {
      if (this.#sums.size >= FOLDERS_MAX) this.#sums.clear();
      sums = this.#read(`${folder}SHA256SUMS`);
      this.#sums.set(folder, sums);
    }
    return (await sums).get(unescape(path.slice(slash)) ?? "") ?? null;
  }

  async #read(path: ByteString): Promise<ReadonlyMap<ByteString, string>> {
    // One that does not say how long it is, is being made: of a large folder for hours.
    const sink = new WholeSink(SUMS_BYTES_MAX);
    const known = new Map<ByteString, string>();
    try {
      await this.#origin.control.ask((client) => client.read(path, sink));
    } catch (error) {
      // Most servers have none, and some answer with a page; whatever came in its place is no list.
      if (error instanceof ClientError && error.kind !== "aborted") return known;
      throw error;
    }
    for (const line of byteStringOf(sink.bytes).split(/\r?\n/)) {
      const [, hex, name] = LINE.exec(line) ?? [];
      if (hex !== undefined && name !== undefined) known.set(name, hex.toLowerCase());
    }
    return known;
  }
}
