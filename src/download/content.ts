/**
 * Whether a file here that looks like the server's has its content: the server's digests against
 * those of the file here, which the digest thread reads. Nothing is fetched.
 */
import { ClientError } from "../client/error.ts";
import { kernel } from "../sys/kernel.ts";
import { OPEN } from "../sys/types.ts";
import type { ByteString } from "../wire/bytes.ts";
import { CHUNK_BYTES_DEFAULT } from "../wire/digest.ts";
import type { Order } from "./order.ts";
import type { Origin, RemoteFile } from "./origin.ts";
import { readback, type ReadableFile } from "./readback.ts";
import { Retry } from "./retry.ts";

/**
 * Files that are compared at once, each with a descriptor: over a long line the round trips of
 * small ones overlap. Large ones wait for the one thread anyway.
 */
const COMPARED_AT_ONCE = 64;

/** Bytes under one request: from a cold disk a server has read them within seconds. */
const ASKED_BYTES = 16 * CHUNK_BYTES_DEFAULT;

/** What becomes of a comparison. */
export interface ContentOwner {
  same(order: Order, path: ByteString): void;
  /** Its content differs, or can't be read here. Resolves when it is ordered. */
  differs(order: Order, path: ByteString): Promise<void>;
  /** It can't be compared: ClientError; null where that was told of another for all. */
  incomparable(error: unknown, order: Order): void;
}

/** The comparisons of one mirror. */
export class ContentComparison {
  readonly #origin: Origin;
  readonly #owner: ContentOwner;
  readonly #running = new Set<Promise<void>>();
  /** The server computes no digests. */
  #unable = false;

  constructor(origin: Origin, owner: ContentOwner) {
    this.#origin = origin;
    this.#owner = owner;
  }

  /** Compares the file that `order` would bring; resolves when there is room for another. */
  async add(order: Order, path: ByteString): Promise<void> {
    const running = this.#compare(order, path).finally(() => this.#running.delete(running));
    this.#running.add(running);
    while (this.#running.size >= COMPARED_AT_ONCE) await Promise.race(this.#running);
  }

  /** Resolves when all are compared, and what differs is ordered. */
  async finish(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
  }

  // --- internal ---

  async #compare(order: Order, path: ByteString): Promise<void> {
    try {
      const { folder, name, file } = order;
      if (await hasContent(folder.fd, name, this.#origin, file)) this.#owner.same(order, path);
      else await this.#owner.differs(order, path);
    } catch (error) {
      const known = this.#unable;
      this.#unable ||= error instanceof ClientError && error.code === "ENOSYS";
      this.#owner.incomparable(known ? null : error, order);
    }
  }
}

/**
 * True when `name` in the folder `at` has the content of `file`, in its very version. False also
 * when it can't be read here. Rejects with ClientError.
 */
export async function hasContent(
  at: number,
  name: ByteString,
  origin: Origin,
  file: RemoteFile,
): Promise<boolean> {
  const fd = kernel.openat(at, name, OPEN.readOnly | OPEN.noFollow | OPEN.nonBlocking);
  if (fd < 0) return false;
  const here = { fd };
  try {
    const size = Number(file.entry.size);
    for (let offset = 0; offset < size; offset += ASKED_BYTES) {
      const length = Math.min(ASKED_BYTES, size - offset);
      if (!(await isSame(here, origin, file, offset, length))) return false;
    }
    return true;
  } finally {
    // What failed on the server's side may still be read on this one.
    await readback.forget(here);
    kernel.close(fd);
  }
}

// --- internal ---

async function isSame(
  here: ReadableFile,
  origin: Origin,
  { path, entry }: RemoteFile,
  offset: number,
  length: number,
): Promise<boolean> {
  const { retries, waited } = origin.options;
  const chunk = BigInt(CHUNK_BYTES_DEFAULT);
  const range = { offset: BigInt(offset), length: BigInt(length), chunk };
  const hashing = new Retry(retries, waited).run(() =>
    origin.control.ask((client) => client.hash(path, range)),
  );
  try {
    const [there, ours] = await Promise.all([hashing, digestsOf(here, offset, length)]);
    const { digests } = there;
    if (there.etag !== entry.etag || digests.length !== ours.length) return false;
    return digests.every((digest, nth) => digest === ours[nth]);
  } catch (error) {
    // Shorter than it was listed: it has changed, as the order for it will find.
    if (error instanceof ClientError && error.code === "ERANGE") return false;
    throw error;
  }
}

/** A digest for each chunk, or -errno in its place: that equals none. */
async function digestsOf(
  file: ReadableFile,
  offset: number,
  length: number,
): Promise<readonly (string | number)[]> {
  const asking: Promise<readonly string[] | number>[] = [];
  // One by one: the thread's buffer is as large as what is asked for at once.
  for (let from = 0; from < length; from += CHUNK_BYTES_DEFAULT) {
    const count = Math.min(CHUNK_BYTES_DEFAULT, length - from);
    asking.push(readback.digests(file, offset + from, count));
  }
  return (await Promise.all(asking)).flat();
}
