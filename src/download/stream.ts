/**
 * One file into a stream: a pipe, standard output. What has gone out can't be fetched again, so a
 * lost connection goes on at the byte where it stopped, in the same version; and what went out is
 * compared all the same: a difference is told, with the byte.
 */
import { BytesSink, type Sink } from "../receive/sink.ts";
import { digestOf } from "../digest/digest.ts";
import { CHUNK_BYTES_DEFAULT } from "../wire/digest.ts";
import { printable } from "../wire/printable.ts";
import { ClientError, folderError } from "../client/error.ts";
import type { Origin } from "./origin.ts";
import { Retry } from "./retry.ts";
import type { Tally } from "./progress.ts";
import { changed } from "./verifier.ts";
import { type ByteString } from "../wire/bytes.ts";

/** Chunks whose digests one request asks for. */
const ASKED_AT_ONCE = 64;

/** Brings one file to a sink, in order. */
export class Stream {
  readonly #origin: Origin;
  readonly #path: ByteString;
  readonly #sink: Sink;
  readonly #tally: Tally;
  readonly #retry: Retry;
  /** Digests of the chunks that have gone out, and the bytes of the one that goes out now. */
  readonly #digests: string[] = [];
  readonly #chunk: BytesSink = new BytesSink(CHUNK_BYTES_DEFAULT);
  #sent = 0;
  #size = 0n;
  #etag = "";

  constructor(origin: Origin, path: ByteString, sink: Sink, tally: Tally) {
    this.#origin = origin;
    this.#path = path;
    this.#sink = sink;
    this.#tally = tally;
    this.#retry = new Retry(origin.options.retries, origin.options.waited);
  }

  /** Brings all of it. Rejects with ClientError. */
  async run(): Promise<void> {
    const entry = await this.#origin.stat(this.#path);
    if (entry.type === "dir") {
      throw folderError(printable(this.#path));
    }
    const size = Number(entry.size);
    this.#size = entry.size;
    this.#etag = entry.etag;
    this.#tally.bytes += size;
    this.#tally.totalKnown = true;
    this.#chunk.begin(Math.min(size, CHUNK_BYTES_DEFAULT));
    while (this.#sent < size) await this.#go();
    if (this.#chunk.written > 0) this.#chunkDone();
    if (this.#origin.verifies) await this.#compare(size);
  }

  // --- internal ---

  async #go(): Promise<void> {
    try {
      const client = await this.#origin.take();
      try {
        const sink: Sink = {
          written: 0,
          begin: () => {},
          write: (bytes) => this.#write(bytes),
          end: () => {},
        };
        const rest = { offset: BigInt(this.#sent), ifEtag: this.#etag };
        const { etag, size } = await client.read(this.#path, sink, rest);
        // A server that does not keep to `if=`: asking on would never end, or bring a mixture.
        if (etag !== this.#etag || size !== this.#size) throw changed(this.#path);
      } finally {
        this.#origin.giveBack(client);
      }
    } catch (error) {
      await this.#retry.after(this.#told(error));
    }
  }

  /** What lies behind the end of the file now was in it before: it has been cut short. */
  #told(error: unknown): unknown {
    const behind = error instanceof ClientError && error.code === "ERANGE";
    return behind ? changed(this.#path) : error;
  }

  #write(bytes: Uint8Array): void {
    this.#sink.write(bytes);
    this.#sent += bytes.length;
    this.#tally.received += bytes.length;
    this.#tally.arrived += bytes.length;
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
        this.#origin.link.ask((client) => client.hash(this.#path, range)),
      );
      if (reply === null) return;
      if (reply.etag !== this.#etag) throw changed(this.#path);
      for (const [nth, digest] of reply.digests.entries()) {
        if (digest === this.#digests[first + nth]) continue;
        const at = (first + nth) * CHUNK_BYTES_DEFAULT;
        const text = `EIO: ${printable(this.#path)}: bytes ${at} on arrived wrong, and are out`;
        throw new ClientError("corrupt", "EIO", text);
      }
    }
    this.#tally.verified += size;
  }

  /** Null when the server has no digests. */
  async #asked<T>(request: () => Promise<T>): Promise<T | null> {
    try {
      return await this.#retry.run(request);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== "ENOSYS") throw this.#told(error);
      this.#origin.cannotVerify();
      return null;
    }
  }
}
