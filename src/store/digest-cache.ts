/**
 * What was computed: digests by the version of the file, kind and length, in tables by where they
 * begin, and whole replies. A version that is gone is never asked for again; what was not asked for
 * longest is forgotten first.
 *
 * Everything has a greatest age: a write through mmap(2) changes content and no time (msync(2) of
 * Linux does not even ask for one), so that nothing else would ever end a wrong digest.
 */
import { clock } from "../sys/clock.ts";

/**
 * Most digests kept: 64 GiB in chunks of 4 MiB, or four of the largest replies. About 120 bytes
 * each, 2 MiB together.
 */
export const KEPT_DIGESTS_MAX = 16_384;

/** Bytes of whole replies kept: sixteen of the largest, or thousands of the usual ones. */
export const KEPT_REPLY_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Milliseconds after which a digest or a reply is computed again: long enough for all parts of one
 * download and for many clients of one file, at a cost of one reading a minute.
 */
export const KEPT_MS = 60_000;

/** Digests of one version, kind and length, each with LF, by the offset of their first byte. */
interface Table {
  /** When the oldest of them was computed, in clock.now's milliseconds. */
  readonly since: number;
  readonly digests: Map<number, string>;
}

/** The same for whoever looks them up. */
export interface KnownDigests {
  readonly since: number;
  readonly digests: ReadonlyMap<number, string>;
}

interface Reply {
  readonly since: number;
  readonly text: Uint8Array;
}

/** What is known, the least recently used first. */
export class DigestCache {
  readonly #tables = new Map<string, Table>();
  readonly #replies = new Map<string, Reply>();
  #size = 0;
  #replyBytes = 0;

  /** Digests kept. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of replies kept. */
  get replyBytes(): number {
    return this.#replyBytes;
  }

  /** The digests under `key`, or undefined: one look-up for any number of them. */
  known(key: string): KnownDigests | undefined {
    const table = this.#tables.get(key);
    if (table === undefined) return undefined;
    this.#tables.delete(key);
    if (clock.now - table.since > KEPT_MS) {
      this.#size -= table.digests.size;
      return undefined;
    }
    this.#tables.set(key, table);
    return table;
  }

  /** Keeps `digest` of what begins at `offset`, if need be in place of the oldest one. */
  put(key: string, offset: number, digest: string): void {
    let table = this.#tables.get(key);
    if (table === undefined) {
      table = { since: clock.now, digests: new Map() };
      this.#tables.set(key, table);
    }
    if (!table.digests.has(offset)) this.#size += 1;
    table.digests.set(offset, digest);
    while (this.#size > KEPT_DIGESTS_MAX) this.#forgetOne();
  }

  /** The whole reply under `key`, or undefined. It stays as it is. */
  reply(key: string): Uint8Array | undefined {
    const reply = this.#replies.get(key);
    if (reply === undefined) return undefined;
    this.#replies.delete(key);
    if (clock.now - reply.since > KEPT_MS) {
      this.#replyBytes -= reply.text.length;
      return undefined;
    }
    this.#replies.set(key, reply);
    return reply.text;
  }

  /** Keeps the reply `text`, whose digests are not older than `since`. */
  putReply(key: string, text: Uint8Array, since: number): void {
    const before = this.#replies.get(key);
    this.#replyBytes += text.length - (before?.text.length ?? 0);
    this.#replies.delete(key);
    this.#replies.set(key, { since, text });
    for (const [oldest, reply] of this.#replies) {
      if (this.#replyBytes <= KEPT_REPLY_BYTES_MAX) return;
      this.#replies.delete(oldest);
      this.#replyBytes -= reply.text.length;
    }
  }

  clear(): void {
    this.#tables.clear();
    this.#replies.clear();
    this.#size = 0;
    this.#replyBytes = 0;
  }

  // --- internal ---

  #forgetOne(): void {
    for (const [key, { digests }] of this.#tables) {
      for (const offset of digests.keys()) {
        digests.delete(offset);
        this.#size -= 1;
        break;
      }
      if (digests.size === 0) this.#tables.delete(key);
      return;
    }
  }
}
