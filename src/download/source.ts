/**
 * A server as one of the sources of one file: its copy, its tries, whether it still takes part, and
 * how much it has brought. Servers tell versions in their own words (etag, mtime): each source is
 * asked for its own version, and whether the content is the same is told by digests alone.
 */
import { urlOf } from "../client/address.ts";
import { ClientError } from "../client/error.ts";
import type { DigestRange } from "../client/hash.ts";
import { changed } from "./changed.ts";
import type { Origin, RemoteFile } from "./origin.ts";
import type { ConnectionPool } from "./pool.ts";
import type { SourceProgress } from "./progress.ts";
import { Retry } from "./retry.ts";

/** A file on one server. */
export interface SourceFile {
  readonly origin: Origin;
  readonly file: RemoteFile;
}

/**
 * Whether a server is to blame for `error`: not the caller who stops it, nor this machine, whose
 * full disk whoever comes next would meet too.
 */
export function isServers(error: unknown): error is ClientError {
  return error instanceof ClientError && error.kind !== "aborted" && error.kind !== "local";
}

/** One source of a file that is being brought. */
export class Source implements SourceFile, SourceProgress {
  readonly origin: Origin;
  readonly file: RemoteFile;
  readonly retry: Retry;
  /** The connections that bring from it, those of one download behind those of the one before. */
  readonly #pools: ConnectionPool[] = [];
  /** It tells digests, as far as is known. */
  hashes: boolean;
  /** It has let the others wait for a digest, and is not waited for until it answers. */
  late = false;
  #left = false;
  readonly #beganMs = performance.now();
  #endedMs: number | null = null;

  constructor({ origin, file }: SourceFile) {
    this.origin = origin;
    this.file = file;
    this.retry = new Retry(origin.options.retries, origin.options.waited);
    this.hashes = origin.verifies;
  }

  /** Its URL: printable, without secrets. */
  get name(): string {
    return urlOf(this.origin.server, this.file.path);
  }

  get server(): string {
    return urlOf(this.origin.server);
  }

  /** True once it takes part no more. */
  get left(): boolean {
    return this.#left;
  }

  /** The connections that bring from it; set by whoever makes them. */
  get pool(): ConnectionPool | undefined {
    return this.#pools.at(-1);
  }

  set pool(pool: ConnectionPool) {
    this.#pools.push(pool);
    this.#endedMs = null;
  }

  get received(): number {
    return this.#pools.reduce((sum, { received }) => sum + received, 0);
  }

  get bytesPerSecond(): number {
    const ms = (this.#endedMs ?? performance.now()) - this.#beganMs;
    return (this.received * 1000) / Math.max(1, ms);
  }

  /** It takes part no more. */
  leave(): void {
    this.#left = true;
    this.end();
  }

  /** Its part is over: its rate is that of the time until now. */
  end(): void {
    this.#endedMs ??= performance.now();
  }

  /**
   * Its digests of `range`, one for each chunk, asked as often as allowed. Rejects with
   * ClientError: "changed" when its file is not that version any more, ENOSYS when it has none.
   */
  async hash(range: Partial<DigestRange>): Promise<readonly string[]> {
    const { path, entry } = this.file;
    try {
      const reply = await this.retry.reach(() =>
        this.origin.control.ask((client) => client.hash(path, range)),
      );
      // Of a shorter file fewer digests come than are awaited.
      if (reply.etag !== entry.etag || reply.size !== entry.size) throw changed(path);
      return reply.digests;
    } catch (error) {
      // The range is the wanted version's: the file that ends before it is another one.
      if (error instanceof ClientError && error.code === "ERANGE") throw changed(path);
      throw error;
    }
  }
}
