/**
 * Where ranges of versions come from: what a flow needs to know of whoever brings its bytes. A
 * cache of blocks, by `version` and offset, can stand in front of the store here.
 */
import type { Refusal } from "../../wire/errors.ts";
import type { Bucket, ObjectVersion } from "./bucket.ts";

/** Takes the bytes of a range. */
export interface RangeSink {
  /** The next bytes, which are its own from now on: null, or what to wait for before the next. */
  push(bytes: Uint8Array): Promise<void> | null;
}

/** Brings ranges of versions. */
export interface Ranges {
  /**
   * Brings `length` > 0 bytes of `version` from `from`: null when all have been pushed and nothing
   * else came, or why not: ESTALE when that version is gone. Ends soon once `signal` is aborted.
   */
  bring(
    version: ObjectVersion,
    from: number,
    length: number,
    sink: RangeSink,
    signal: AbortSignal,
  ): Promise<Refusal | null>;
}

/** From the store itself, a request for each range. */
export class StoreRanges implements Ranges {
  readonly #bucket: Bucket;
  readonly #short: Refusal;

  /** `short` is the refusal for a body that is not as long as its head promised. */
  constructor(bucket: Bucket, short: Refusal) {
    this.#bucket = bucket;
    this.#short = short;
  }

  async bring(
    version: ObjectVersion,
    from: number,
    length: number,
    sink: RangeSink,
    signal: AbortSignal,
  ): Promise<Refusal | null> {
    const reply = await this.#bucket.range(version, from, length, signal);
    if (!(reply instanceof Response)) return reply;
    const reader = reply.body?.getReader();
    let left = length;
    try {
      for (;;) {
        const next = await reader?.read();
        if (next === undefined || next.done) return left === 0 ? null : this.#short;
        left -= next.value.length;
        if (left < 0) return this.#short;
        const room = sink.push(next.value);
        if (room !== null) await room;
        if (signal.aborted) return this.#short;
      }
    } catch {
      return this.#short;
    } finally {
      // What is left of it, if anything, ends with its connection.
      await reader?.cancel().catch(() => {});
    }
  }
}
