/**
 * The branch for files that have no descriptor: bytes that a store brings over a network are
 * written as they come. The store pushes them into a ring that it bounds, and wakes who waited;
 * what the socket does not take stays there, so that a slow peer slows the store down.
 */
import type { StreamSocket } from "../sys/socket.ts";
import type { ByteStream, OpenFile, Source } from "../store/store.ts";
import { type Awaiter, STEP, STEP_BYTES, type Step, type Transfer } from "./transfer.ts";

/**
 * Sends `length` bytes of `file` from `start` out of its source; tells `owner` when bytes it waited
 * for are in, or won't come.
 */
export class SourceTransfer implements Transfer {
  readonly file: OpenFile;
  readonly zeroCopy = false;
  readonly length: number;
  sent = 0;
  readonly #start: bigint;
  readonly #stream: ByteStream;
  #waiting = false;

  /** Retains `file` until close(). `length` > 0. */
  constructor(file: OpenFile, source: Source, start: bigint, length: number, owner: Awaiter) {
    file.retain();
    this.file = file;
    this.length = length;
    this.#start = start;
    this.#stream = source.stream(start, length, owner.peer, () => {
      if (!this.#waiting) return;
      this.#waiting = false;
      owner.windowReady();
    });
  }

  get position(): bigint {
    return this.#start + BigInt(this.sent);
  }

  step(socket: StreamSocket): Step {
    const end = Math.min(this.length, this.sent + STEP_BYTES);
    while (this.sent < end) {
      const { ready } = this.#stream;
      if (ready === null) return this.#empty();
      const count = Math.min(ready.length, end - this.sent);
      const taken = socket.write(ready, 0, count);
      if (taken < 0) return STEP.dead;
      this.sent += taken;
      if (taken > 0) this.#stream.take(taken);
      if (taken < count) return STEP.full;
    }
    return this.sent === this.length ? STEP.done : STEP.more;
  }

  close(): void {
    this.#stream.close();
    this.file.release();
  }

  // --- internal ---

  #empty(): Step {
    const { state } = this.#stream;
    if (state !== "flowing") return state === "changed" ? STEP.changed : STEP.failed;
    this.#waiting = true;
    this.#stream.want();
    return STEP.wait;
  }
}
