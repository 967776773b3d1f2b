/**
 * The download of a file that comes in one piece only: from a server of HTTP without ranges,
 * without a version that could be relied on, or without a size. One reply from the start is all
 * there is: when it is cut the next one starts over, and nothing of an earlier run is believed.
 */
import { LocalError } from "../destination/error.ts";
import type { Staged } from "../destination/staged.ts";
import { kernel } from "../sys/kernel.ts";
import { socketToFile } from "../receive/splice.ts";
import { RangeSink } from "../receive/rangesink.ts";
import { printable } from "../wire/printable.ts";
import type { Origin, RemoteFile } from "./origin.ts";
import type { FileCounter } from "./progress.ts";
import { Retry } from "./retry.ts";

/** Bytes after which the disk is told to begin: as often as a chunk of other files. */
const SYNC_BYTES = 4 * 1024 * 1024;

/** Largest file, 64 TiB, as of those whose size is known. */
const SIZE_MAX = 2 ** 46;

/** Brings one file. */
export class OnePiece {
  readonly #origin: Origin;
  readonly #file: RemoteFile;
  readonly #staged: Staged;
  readonly #counter: FileCounter;

  constructor(origin: Origin, file: RemoteFile, staged: Staged, counter: FileCounter) {
    this.#origin = origin;
    this.#file = file;
    this.#staged = staged;
    this.#counter = counter;
  }

  /** Brings it: resolves to what it turned out to be. Rejects with ClientError or LocalError. */
  async run(): Promise<RemoteFile> {
    const { retries, waited } = this.#origin.options;
    // No progress counts: a reply that is cut again and again would be asked for without an end.
    return new Retry(retries, waited).reach(() => this.#fetch());
  }

  // --- internal ---

  async #fetch(): Promise<RemoteFile> {
    const { path, entry } = this.#file;
    kernel.ftruncate(this.#staged.fd, 0n);
    if (entry.size > 0n) this.#staged.reserve(entry.size);
    const range = { offset: 0, length: SIZE_MAX, written: 0 };
    let synced = 0;
    const sink = new RangeSink(this.#staged, range, socketToFile(), (count) => {
      range.written += count;
      if (range.written > SIZE_MAX) throw new LocalError("EFBIG", "more than 64 TiB came");
      this.#counter.receive(count);
      this.#counter.place(count);
      if (range.written - synced < SYNC_BYTES) return;
      kernel.startSync(this.#staged.fd, BigInt(synced), range.written - synced);
      synced = range.written;
    });
    const client = await this.#origin.take();
    this.#counter.connections = 1;
    try {
      const { size, etag, mtime, sha256 = null } = await client.read(path, sink);
      kernel.ftruncate(this.#staged.fd, size);
      const http = { parts: false, sized: true, sha256 };
      if (entry.http?.sized === true && size !== entry.size) {
        this.#origin.options.note(`${printable(path)} has changed on the server meanwhile`);
      }
      return { path, entry: { type: "file", size, etag, mtime, http } };
    } catch (error) {
      this.#counter.place(-range.written);
      throw error;
    } finally {
      this.#counter.connections = 0;
      this.#origin.giveBack(client);
    }
  }
}
