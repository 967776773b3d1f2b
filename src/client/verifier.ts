/**
 * Compares what is on the disk with what the server has, chunk by chunk, while the file arrives. It
 * asks for digests over a connection of its own, so that they never hold up the bytes, and reads
 * each chunk back when it has just been written and its pages are warm.
 *
 * Invariant: a chunk is judged once for each time it came, and only by a digest of the wanted
 * version.
 */
import fs from "node:fs";
import { localError } from "../destination/error.ts";
import { type Staged, uninterrupted } from "../destination/staged.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { DIGESTS_MAX } from "../wire/digest.ts";
import { printable } from "../wire/printable.ts";
import type { ByteString } from "../wire/vocabulary.ts";
import type { Client } from "./connect.ts";
import { ClientError, refusedError } from "./error.ts";
import type { Plan } from "./plan.ts";

/** Bytes whose digests one request asks for: a server hashes them within a second. */
const ASKED_BYTES = 256 * 1024 * 1024;

/** Reads chunks back into this; shared, since a comparison is one synchronous piece. */
let buffer = new Uint8Array(0);

/** What a verifier needs to know of its file. */
export interface Verified {
  readonly path: ByteString;
  readonly etag: string;
  readonly plan: Plan;
  readonly file: Staged;
  /** Makes a request on the connection for digests. */
  ask<T>(request: (client: Client) => Promise<T>): Promise<T>;
  /** The chunk was compared. */
  judged(index: number, good: boolean): void;
}

/** The comparisons of one file. */
export class Verifier {
  readonly #of: Verified;
  /** The server's digests by chunk, as far as they are known. */
  readonly #theirs: (string | undefined)[] = [];
  /** Ours of chunks whose digest is still to come. */
  readonly #ours = new Map<number, string>();
  /** Chunks asked for or known. */
  readonly #asked = new Set<number>();
  /** Settles when the last read off the loop has ended; it never rejects. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(verified: Verified) {
    this.#of = verified;
  }

  /**
   * Asks for the digests of `chunks`, in ascending order, where that has not been done: neighbours
   * by one request.
   */
  async expect(chunks: readonly number[]): Promise<void> {
    const most = Math.min(DIGESTS_MAX, ASKED_BYTES / this.#of.plan.chunkBytes);
    const asking: Promise<void>[] = [];
    const due = chunks.filter((index) => !this.#asked.has(index));
    for (let first = 0, next = 1; first < due.length; next++) {
      const from = due[first] ?? 0;
      if (next - first < most && due[next] === from + next - first) continue;
      asking.push(this.#ask(from, from + next - first - 1));
      first = next;
    }
    await Promise.all(asking);
  }

  /** The chunk is whole: compares it now, or when its digest comes. Throws LocalError. */
  check(index: number): void {
    this.#settle(index, this.#digest(index));
  }

  /** The same for a chunk that may have to come from the disk: off the loop. */
  async checkCold(index: number): Promise<void> {
    const { plan, file } = this.#of;
    const { offset, length } = plan.rangeOf(index);
    const bytes = new Uint8Array(length);
    const reading = readAll(file.fd, bytes, offset);
    this.#reading = Promise.allSettled([reading]);
    await reading;
    this.#settle(index, digestOf(bytes));
  }

  /**
   * Nothing reads the file any more: a read under way would keep its lock beyond its closing, and
   * whoever starts over would meet it.
   */
  async quiet(): Promise<void> {
    await this.#reading;
  }

  // --- internal ---

  async #ask(from: number, to: number): Promise<void> {
    const { path, etag, plan } = this.#of;
    const offset = plan.rangeOf(from).offset;
    const last = plan.rangeOf(to);
    for (let index = from; index <= to; index++) this.#asked.add(index);
    try {
      const reply = await this.#of.ask((client) =>
        client.hash(Buffer.from(path, "latin1"), {
          offset: BigInt(offset),
          length: BigInt(last.offset + last.length - offset),
          chunk: BigInt(plan.chunkBytes),
        }),
      );
      if (reply.etag !== etag) throw changed(path);
      for (const [nth, digest] of reply.digests.entries()) this.#learn(from + nth, digest);
    } catch (error) {
      for (let index = from; index <= to; index++) this.#asked.delete(index);
      // The range is the wanted version's: the file that ends before it is another one.
      if (error instanceof ClientError && error.code === "ERANGE") throw changed(path);
      throw error;
    }
  }

  #learn(index: number, digest: string): void {
    this.#theirs[index] = digest;
    const ours = this.#ours.get(index);
    if (ours !== undefined) this.#settle(index, ours);
  }

  #settle(index: number, ours: string): void {
    const theirs = this.#theirs[index];
    if (theirs === undefined) {
      this.#ours.set(index, ours);
      return;
    }
    this.#ours.delete(index);
    this.#of.judged(index, ours === theirs);
  }

  #digest(index: number): string {
    const { plan, file } = this.#of;
    const { offset, length } = plan.rangeOf(index);
    if (buffer.length < plan.chunkBytes) buffer = new Uint8Array(plan.chunkBytes);
    for (let got = 0; got < length;) {
      const rest = buffer.subarray(got, length);
      const at = BigInt(offset + got);
      const count = uninterrupted(() => kernel.pread(file.fd, rest, rest.length, at));
      if (count <= 0) throw localError(count === 0 ? -ERRNO.EIO : count, "reading back a chunk");
      got += count;
    }
    return digestOf(buffer.subarray(0, length));
  }
}

/** XXH3 with 64 bits as HASH writes it. */
export function digestOf(bytes: Uint8Array): string {
  return Bun.hash.xxHash3(bytes).toString(16).padStart(16, "0");
}

/** The file has become another one while it was fetched. */
export function changed(path: ByteString): ClientError {
  return refusedError("ESTALE", `the file has changed: ${printable(path)}`);
}

// --- internal ---

/** Fills `bytes` from `fd` at `offset`; what lies past the end of the file stays 0. */
async function readAll(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
  for (let got = 0; got < bytes.length;) {
    const count = await readSome(fd, bytes, got, offset + got);
    if (count === 0) return;
    got += count;
  }
}

function readSome(fd: number, bytes: Uint8Array, at: number, offset: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  fs.read(fd, bytes, at, bytes.length - at, offset, (error, count) => {
    if (error === null) resolve(count);
    else reject(localError(error.errno ?? -ERRNO.EIO, "reading what an earlier run left"));
  });
  return promise;
}
