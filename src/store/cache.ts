/**
 * The open-file cache: contents of small files on one shelf, by bytes, descriptors of large ones on
 * another, by number, so that neither pushes the other out.
 */
import type { DiskFile } from "./file.ts";
import { Shelf } from "./shelf.ts";
import type { ByteString } from "../wire/bytes.ts";

/** What the cache may hold. */
export interface CacheBudget {
  /** Bytes of held bodies, each with what it costs besides. */
  readonly bytes: number;
  /** Descriptors of cached files. */
  readonly fds: number;
}

/** What a cached file costs beside its body: entry, facts, key, digest. */
const ENTRY_BYTES = 1024;

/** Descriptors looked at in one age(): ten seconds for the largest table, 10 us a second. */
const AGE_LOOKS_MAX = 512;

/** Files by path; it owns one reference to each. */
export class FileCache {
  readonly #bodies: Shelf;
  readonly #fds: Shelf;

  constructor({ bytes, fds }: CacheBudget) {
    this.#bodies = new Shelf(bytes, (file) => file.held + ENTRY_BYTES);
    this.#fds = new Shelf(fds, () => 1);
  }

  get size(): number {
    return this.#bodies.size + this.#fds.size;
  }

  /** Bytes that held bodies are counted as. */
  get bytes(): number {
    return this.#bodies.weight;
  }

  /** Descriptors of cached files. */
  get fds(): number {
    return this.#fds.weight;
  }

  /** The file under `path`, whatever its age, without a new reference. */
  get(path: ByteString): DiskFile | undefined {
    return this.#bodies.get(path) ?? this.#fds.get(path);
  }

  /** Takes over the caller's reference to `file`; what was under `path` is let go. */
  put(path: ByteString, file: DiskFile): void {
    this.drop(path);
    (file.held > 0 ? this.#bodies : this.#fds).put(path, file);
  }

  /** Forgets `path`. Transfers that use the file go on. */
  drop(path: ByteString): void {
    if (!this.#bodies.drop(path)) this.#fds.drop(path);
  }

  /** Closes one descriptor that no transfer uses; false when there is none. */
  freeFd(): boolean {
    return this.#fds.free();
  }

  /** Closes descriptors not used since `since`: a removed file keeps its disk space until then. */
  age(since: number): void {
    this.#fds.age(since, AGE_LOOKS_MAX);
  }

  /** Closes all descriptors that only the cache holds. */
  clearFds(): void {
    this.#fds.clear();
  }

  /** Lets all files go. */
  clear(): void {
    this.#bodies.clear();
    this.#fds.clear();
  }
}
