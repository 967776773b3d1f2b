/**
 * A file that lives behind a network and of which blocks are on this machine's disk: what is there
 * leaves by the branches for files, block by block, and what is not is waited for. Where the cache
 * can't give the next byte, the rest comes out of the source itself. All of them send the same
 * bytes of one version, so that they follow each other without a seam.
 */
import { clock } from "../sys/clock.ts";
import { kernel } from "../sys/kernel.ts";
import type { StreamSocket } from "../sys/socket.ts";
import { SOCKET } from "../sys/types.ts";
import { BLOCK_BYTES } from "../store/blocks/layout.ts";
import type { BlockReader } from "../store/blocks/reader.ts";
import type { OpenFile, Source } from "../store/store.ts";
import { CopyTransfer } from "./copy.ts";
import { SendfileTransfer } from "./sendfile.ts";
import { SourceTransfer } from "./source.ts";
import { type Awaiter, STEP, type Step, type Transfer } from "./transfer.ts";

/** A range of a file with a source, as its sender hands it over. */
export interface Wanted {
  readonly file: OpenFile;
  readonly source: Source;
  readonly start: bigint;
  /** Bytes, > 0. */
  readonly length: number;
}

/** The transfer of `wanted`, through a cache where the source has one that can be used. */
export function fromSource(
  socket: StreamSocket,
  wanted: Wanted,
  zeroCopy: boolean,
  owner: Awaiter,
): Transfer {
  const { file, source, start, length } = wanted;
  // Nobody is woken from inside this call: by then there is a transfer.
  const reader = source.blocks?.(start, length, owner.peer, () => transfer.awake()) ?? null;
  if (reader === null) return new SourceTransfer(file, source, start, length, owner);
  const transfer = new CachedTransfer(socket, wanted, reader, zeroCopy, owner);
  return transfer;
}

/** Sends what is in blocks; tells `owner` when bytes that a step waited for are there. */
export class CachedTransfer implements Transfer {
  readonly file: OpenFile;
  readonly length: number;
  sent = 0;
  readonly #source: Source;
  readonly #start: bigint;
  readonly #owner: Awaiter;
  readonly #reader: BlockReader;
  #sendfile: boolean;
  /** What sends the bytes at hand. */
  #part: Transfer | null = null;
  /** The cache is not used any more: what sends now sends all the rest. */
  #direct = false;
  #waiting = false;

  /** Retains `wanted.file` until close(). `reader` is of the same range, and is closed here. */
  constructor(
    socket: StreamSocket,
    wanted: Wanted,
    reader: BlockReader,
    zeroCopy: boolean,
    owner: Awaiter,
  ) {
    const { file, source, start, length } = wanted;
    this.file = file;
    this.length = length;
    this.#source = source;
    this.#start = start;
    this.#owner = owner;
    this.#sendfile = zeroCopy;
    this.#reader = reader;
    file.retain();
    this.#begin(socket, reader);
  }

  get zeroCopy(): boolean {
    return this.#part?.zeroCopy ?? false;
  }

  get position(): bigint {
    return this.#start + BigInt(this.sent);
  }

  step(socket: StreamSocket): Step {
    const reader = this.#reader;
    reader.diskSince = 0;
    if (reader.stuck && !this.#direct) this.#drop(socket);
    const begun = this.#part === null ? this.#begin(socket, reader) : null;
    if (begun !== null) return begun;
    return this.#stepOf(this.#part!, reader, socket);
  }

  close(): void {
    this.#part?.close();
    this.#part = null;
    this.#reader.close();
    this.file.release();
  }

  /** Its reader has bytes, or won't have them. */
  awake(): void {
    if (!this.#waiting && this.#part === null) return;
    this.#waiting = false;
    this.#owner.windowReady();
  }

  // --- internal ---

  /** Looks where the next bytes are, and begins to send them: null, or the step that it takes. */
  #begin(socket: StreamSocket, reader: BlockReader): Step | null {
    const unread = reader.next();
    if (unread === "wait") {
      this.#waiting = true;
      return STEP.wait;
    }
    if (unread === "failed") return STEP.failed;
    if (unread === "changed") {
      // Whoever asks again is told of the version that is there now.
      this.file.expire();
      return STEP.changed;
    }
    const { view, available, position } = reader;
    if (unread === "bypass" || view === null) {
      const left = this.length - this.sent;
      this.#direct = true;
      this.#part = new SourceTransfer(this.file, this.#source, this.position, left, this.#owner);
      reader.close();
      return null;
    }
    const at = view.base + BigInt(position % BLOCK_BYTES);
    this.#part = this.#sendfile
      ? new SendfileTransfer(socket, view, at, available, this.#owner)
      : new CopyTransfer(view, at, available, this.#owner);
    return null;
  }

  #stepOf(part: Transfer, reader: BlockReader, socket: StreamSocket): Step {
    const before = part.sent;
    const step = part.step(socket);
    const moved = part.sent - before;
    this.sent += moved;
    if (this.#direct) return step;
    reader.take(moved);
    switch (step) {
      case STEP.done:
        part.close();
        this.#part = null;
        return this.sent === this.length ? STEP.done : STEP.more;
      case STEP.wait:
        reader.diskSince = clock.now;
        return step;
      case STEP.unfit:
        this.#sendfile = false;
        this.#drop(socket);
        return STEP.more;
      case STEP.failed:
      case STEP.changed:
        reader.unreadable();
        this.#drop(socket);
        return STEP.more;
      default:
        return step;
    }
  }

  /** Lets go of what sends now. A cork of its would hold back what follows (tcp(7)). */
  #drop(socket: StreamSocket): void {
    const part = this.#part;
    this.#part = null;
    if (part?.zeroCopy) kernel.setsockopt(socket.fd, SOCKET.tcpLevel, SOCKET.tcpCork, 0);
    part?.close();
  }
}
