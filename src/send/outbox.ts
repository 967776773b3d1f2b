/**
 * How small replies leave: those of one event are gathered in one buffer, shared by all
 * connections, and written by one call. What the socket does not take becomes the connection's own
 * Rest. An idle connection holds nothing.
 */
import { kernel } from "../sys/kernel.ts";
import type { StreamSocket } from "../sys/socket.ts";

/**
 * Bytes gathered before a write: 16 replies of 1 KiB fit, and a peer that does not read holds at
 * most this.
 */
export const GATHER_BYTES = 49_152;

/** Bytes that the socket did not take, in order before everything else. */
export interface Rest {
  unsent: Uint8Array | null;
  /** Bytes of `unsent` that are out. */
  unsentAt: number;
  /** Bytes given to the kernel in the connection's life. */
  written: number;
}

/** What a flush came to: "clear" all out, "full" drain will come, "dead" the peer is gone. */
export type Flushed = "clear" | "full" | "dead";

/**
 * The gathering buffer. Empty between two events: a connection that appends flushes it before it
 * returns to the loop.
 */
export class Outbox {
  readonly #bytes = Buffer.allocUnsafeSlow(GATHER_BYTES);
  #used = 0;

  get used(): number {
    return this.#used;
  }

  /** Gathers `bytes`; false when there is no room: flush, then try again or send() them. */
  append(bytes: Uint8Array): boolean {
    if (this.#used + bytes.length > GATHER_BYTES) return false;
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
    return true;
  }

  /** The same for text, as UTF-8. */
  appendText(text: string): boolean {
    // Three bytes a UTF-16 unit are the most that UTF-8 needs.
    if (this.#used + text.length * 3 > GATHER_BYTES) return false;
    this.#used += this.#bytes.write(text, this.#used);
    return true;
  }

  /** Forgets what was gathered: for a connection that failed meanwhile. */
  discard(): void {
    this.#used = 0;
  }

  /**
   * Writes what was gathered. On "full" the rest is copied out, since the buffer serves others
   * next. `more`: a transfer follows at once, so that a head does not leave in a segment of its
   * own.
   */
  flush(socket: StreamSocket, rest: Rest, more = false): Flushed {
    const used = this.#used;
    if (used === 0) return "clear";
    this.#used = 0;
    const held = more ? Math.max(0, kernel.sendMore(socket.fd, this.#bytes, used)) : 0;
    rest.written += held;
    if (held === used) return "clear";
    // Bun's own write for what was refused: it arms `drain`, and knows whether the peer is gone.
    const wrote = socket.write(this.#bytes, held, used - held);
    if (wrote < 0) return "dead";
    rest.written += wrote;
    const taken = held + wrote;
    if (taken === used) return "clear";
    rest.unsent = Buffer.from(this.#bytes.subarray(taken, used));
    rest.unsentAt = 0;
    return "full";
  }

  /**
   * Writes `bytes` themselves, nothing being gathered. They are referenced, not copied: never
   * change them.
   */
  send(socket: StreamSocket, bytes: Uint8Array, rest: Rest): Flushed {
    const taken = socket.write(bytes, 0, bytes.length);
    if (taken < 0) return "dead";
    rest.written += taken;
    if (taken === bytes.length) return "clear";
    rest.unsent = bytes;
    rest.unsentAt = taken;
    return "full";
  }
}

/** Goes on with what the socket did not take. */
export function flushRest(socket: StreamSocket, rest: Rest): Flushed {
  const bytes = rest.unsent;
  if (bytes === null) return "clear";
  const count = bytes.length - rest.unsentAt;
  const taken = socket.write(bytes, rest.unsentAt, count);
  if (taken < 0) return "dead";
  rest.written += taken;
  rest.unsentAt += taken;
  if (taken < count) return "full";
  rest.unsent = null;
  return "clear";
}
