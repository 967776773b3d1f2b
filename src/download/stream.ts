/**
 * A stream of one file into a sink: a pipe, standard output. What has gone out can't be taken back,
 * so after a lost connection the next one goes on at the byte where it stopped, in the same
 * version. What went out is compared all the same: a difference is an error that names the byte.
 */
import { BytesSink, type Sink } from "../receive/sink.ts";
import { digestOf } from "../digest/digest.ts";
import type { Entry } from "../wire/entry.ts";
import { CHUNK_BYTES_DEFAULT } from "../wire/digest.ts";
import { printable } from "../wire/printable.ts";
import { ClientError, folderError } from "../client/error.ts";
import type { Origin } from "./origin.ts";
import { Retry } from "./retry.ts";
import type { Progress } from "./progress.ts";
import { changed } from "./changed.ts";
import { type ByteString } from "../wire/bytes.ts";

/** Chunks whose digests one request asks for. */
const ASKED_AT_ONCE = 64;

/** Brings one file to a sink, in order. */
export class Stream {
  readonly #origin: Origin;
  readonly #path: ByteString;
  readonly #sink: Sink;
  readonly #progress: Progress;
  readonly #retry: Retry;
  /** Digests of the chunks that have gone out, and the bytes of the one that is going out. */
  readonly #digests: string[] = [];
  readonly #chunk: BytesSink = new BytesSink(CHUNK_BYTES_DEFAULT);
  #sent = 0;
  #size = 0n;
  #etag = "";

  constructor(origin: Origin, path: ByteString, sink: Sink, progress: Progress) {
    this.#origin = origin;
    this.#path = path;
    this.#sink = sink;
    this.#progress = progress;
    this.#retry = new Retry(origin.options.retries, origin.options.waited);
  }

  /** Brings all of it, which is `known` where that was learned. Rejects with ClientError. */
  async run(known: Entry | null = null): Promise<void> {
    const entry = known ?? (await this.#origin.stat(this.#path));
    if (entry.type === "dir") {
      throw folderError(printable(this.#path));
    }
    if (entry.http?.parts === false) {
      await this.#readWhole(entry);
      return;
    }
    const size = Number(entry.size);
    this.#size = entry.size;
    this.#etag = entry.etag;
    this.#progress.bytes += size;
    this.#progress.totalKnown = true;
    this.#chunk.begin(Math.min(size, CHUNK_BYTES_DEFAULT));
    while (this.#sent < size) await this.#readOn();
    if (this.#chunk.written > 0) this.#chunkDone();
    if (this.#origin.verifies) await this.#compare(size);
  }

  // --- internal ---

  /** All of it by one reply, which can't be gone on with: what has gone out is out. */
  async #readWhole({ size, http }: Entry): Promise<void> {
    this.#progress.bytes += Number(size);
    this.#progress.totalKnown = http?.sized !== false;
    for (;;) {
      const client = await this.#retry.reach(() => this.#origin.take());
      try {
        await client.read(this.#path, this.#outlet());
        return;
      } catch (error) {
        if (this.#sent > 0) throw error;
        await this.#retry.after(error);
      } finally {
        this.#origin.giveBack(client);
      }
    }
  }

  /** Where a reply's bytes go. */
  #outlet(): Sink {
    const sink: Sink & { written: number } = {
      written: 0,
      begin: () => {},
      write: (bytes) => {
        sink.written += bytes.length;
        this.#write(bytes);
      },
      end: () => {},
    };
    return sink;
  }

  async #readOn(): Promise<void> {
    try {
      const client = await this.#origin.take();
      try {
        const sink = this.#outlet();
        const rest = { offset: BigInt(this.#sent), ifEtag: this.#etag };
        const { etag, size } = await client.read(this.#path, sink, rest);
        // A server that does not keep to `if=`: asking on would never end, or bring a mixture.
        if (etag !== this.#etag || size !== this.#size) throw changed(this.#path);
      } finally {
        this.#origin.giveBack(client);
      }
    } catch (error) {
      await this.#retry.after(this.#meaning(error));
    }
  }

  /** A range behind the file's end was within it before: the file has been cut short. */
  #meaning(error: unknown): unknown {
    const behind = error instanceof ClientError && error.code === "ERANGE";
    return behind ? changed(this.#path) : error;
  }

  #write(bytes: Uint8Array): void {
    this.#sink.write(bytes);
    this.#sent += bytes.length;
    this.#progress.received += bytes.length;
    this.#progress.arrived += bytes.length;
    this.#retry.progress();
    if (!this.#origin.verifies) return;
    for (let rest = bytes; rest.length > 0;) {
      const room = CHUNK_BYTES_DEFAULT - this.#chunk.written;
      this.#chunk.write(rest.subarray(0, room));
      rest = rest.subarray(room);
      if (this.#chunk.written === CHUNK_BYTES_DEFAULT) this.#chunkDone();
    }
  }

  #chunkDone(): void {
    this.#digests.push(digestOf("xxh3", this.#chunk.bytes));
    this.#chunk.written = 0;
  }

  async #compare(size: number): Promise<void> {
    for (let first = 0; first < this.#digests.length; first += ASKED_AT_ONCE) {
      const offset = BigInt(first * CHUNK_BYTES_DEFAULT);
      const length = BigInt(ASKED_AT_ONCE * CHUNK_BYTES_DEFAULT);
      const range = { offset, length, chunk: BigInt(CHUNK_BYTES_DEFAULT) };
      const reply = await this.#asked(() =>
        this.#origin.control.ask((client) => client.hash(this.#path, range)),
      );
      if (reply === null) return;
      // Of a shorter file fewer digests come, and the rest would count as compared.
      if (reply.etag !== this.#etag || reply.size !== this.#size) throw changed(this.#path);
      for (const [nth, digest] of reply.digests.entries()) {
        if (digest === this.#digests[first + nth]) continue;
        const at = (first + nth) * CHUNK_BYTES_DEFAULT;
        const text = `EIO: ${printable(this.#path)}: bytes ${at} on arrived wrong, and are out`;
        throw new ClientError("corrupt", "EIO", text);
      }
    }
    this.#progress.verified += size;
  }

  /** Null when the server has no digests. */
  async #asked<T>(request: () => Promise<T>): Promise<T | null> {
    try {
      return await this.#retry.run(request);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== "ENOSYS") throw this.#meaning(error);
      this.#origin.cannotVerify();
      return null;
    }
  }
}
