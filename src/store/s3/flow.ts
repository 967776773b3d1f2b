/**
 * One range on its way out of an object store, as its reader sees it: a ring of what has come and
 * was not taken. It can be parked: it gives up what it holds and its connection to the store, and
 * brings the same bytes again when they are wanted. flows.ts decides when it runs.
 */
import { clock, tick } from "../../sys/clock.ts";
import { Refusal } from "../../wire/errors.ts";
import type { ByteStream } from "../store.ts";
import type { ObjectVersion } from "./bucket.ts";
import type { Ranges, RangeSink } from "./ranges.ts";

/**
 * Bytes held for a reader before the store is asked for no more; one piece, of 256 KiB at most, may
 * come on top, and Bun holds up to 1 MiB of a body that nobody reads (measured).
 */
export const RING_BYTES = 262_144;

/** Who decides which flows run. */
export interface FlowOwner {
  /** `flow` has nothing and wants something. */
  wants(flow: Flow): void;
  /** `flow`, which ran, does not any more, and holds nothing. */
  rests(flow: Flow): void;
  /** `flow` was closed while it waited for its turn. */
  left(flow: Flow): void;
}

/** A range of a version for one reader. */
export class Flow implements ByteStream, RangeSink {
  readonly peer: string;
  readonly #version: ObjectVersion;
  readonly #ranges: Ranges;
  readonly #owner: FlowOwner;
  readonly #awake: () => void;
  /** Where the first byte that was not taken is. */
  #at: number;
  /** Bytes from there on. */
  #left: number;
  #pieces: Uint8Array[] = [];
  #held = 0;
  state: ByteStream["state"] = "flowing";
  /** It waits for its turn to run. */
  queued = false;
  closed = false;
  /** What ends its request; null while none is under way. */
  #abort: AbortController | null = null;
  #room: (() => void) | null = null;
  /** Since when it runs, in clock.now's milliseconds. */
  since = 0;
  /** Since when its reader has taken nothing while the ring was full; 0: it takes. */
  stalledAt = 0;
  /** Since when the store has been asked for the next bytes; 0: it is not. */
  askedAt = 0;

  constructor(
    version: ObjectVersion,
    from: number,
    length: number,
    peer: string,
    ranges: Ranges,
    owner: FlowOwner,
    awake: () => void,
  ) {
    this.#version = version;
    this.#at = from;
    this.#left = length;
    this.peer = peer;
    this.#ranges = ranges;
    this.#owner = owner;
    this.#awake = awake;
  }

  /** Bytes that have come and were not taken. */
  get held(): number {
    return this.#held;
  }

  /** It has a request under way, or holds bytes: until neither is so it uses its place. */
  get active(): boolean {
    return this.#abort !== null || this.#held > 0;
  }

  // --- its reader ---

  get ready(): Uint8Array | null {
    return this.#pieces[0] ?? null;
  }

  take(count: number): void {
    const [first] = this.#pieces;
    if (first === undefined || count > first.length) throw new Error("took what is not there");
    if (count < first.length) this.#pieces[0] = first.subarray(count);
    else this.#pieces.shift();
    this.#at += count;
    this.#left -= count;
    this.#held -= count;
    if (this.stalledAt > 0) this.stalledAt = clock.now;
    if (this.#held < RING_BYTES) this.#makeRoom();
    if (!this.active) this.#owner.rests(this);
  }

  want(): void {
    const idle = !this.closed && !this.active && !this.queued;
    if (idle && this.state === "flowing") this.#owner.wants(this);
  }

  close(): void {
    this.closed = true;
    if (this.queued) this.#owner.left(this);
    this.park();
  }

  // --- its owner ---

  /** Asks for the bytes behind those that are here. Only while it neither runs nor is closed. */
  run(): void {
    const abort = new AbortController();
    this.#abort = abort;
    this.since = tick();
    this.askedAt = clock.now;
    const from = this.#at + this.#held;
    const { signal } = abort;
    // A promise for each range, none for each piece but those of the stream itself.
    const sink: RangeSink = { push: (bytes) => (signal.aborted ? null : this.push(bytes)) };
    const ended = (failed: Refusal | null): void => {
      if (this.#abort === abort) this.#ended(failed);
    };
    void this.#ranges
      .bring(this.#version, from, this.#left - this.#held, sink, signal)
      .then(ended, () => ended(BROKEN));
  }

  /** Gives up its request and what it holds, which is brought again when it is wanted. */
  park(): void {
    const { active } = this;
    this.#pieces = [];
    this.#held = 0;
    this.#stop();
    if (active) this.#owner.rests(this);
  }

  /** The store has not given the next bytes in time: nothing follows. */
  fail(): void {
    this.state = "failed";
    this.#stop();
    if (!this.active) this.#owner.rests(this);
    this.#awake();
  }

  push(bytes: Uint8Array): Promise<void> | null {
    this.askedAt = tick();
    if (bytes.length === 0) return null;
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    const full = this.#held >= RING_BYTES;
    if (full) {
      this.askedAt = 0;
      this.stalledAt = clock.now;
    }
    const room = full ? new Promise<void>((resolve) => (this.#room = resolve)) : null;
    if (this.#pieces.length === 1) this.#awake();
    return room;
  }

  // --- internal ---

  #makeRoom(): void {
    const room = this.#room;
    if (room === null) return;
    this.#room = null;
    this.stalledAt = 0;
    this.askedAt = clock.now;
    room();
  }

  #ended(failed: Refusal | null): void {
    if (failed !== null) this.state = failed.code === "ESTALE" ? "changed" : "failed";
    this.#stop();
    // What is left here waits for its reader alone.
    if (this.#held > 0) this.stalledAt = tick();
    else this.#owner.rests(this);
    if (failed !== null) this.#awake();
  }

  #stop(): void {
    const abort = this.#abort;
    this.#abort = null;
    this.askedAt = 0;
    this.stalledAt = 0;
    abort?.abort();
    const room = this.#room;
    this.#room = null;
    room?.();
  }
}

/** For an error of ours on the way, which the reader learns as any other failure. */
const BROKEN = new Refusal("EIO");
