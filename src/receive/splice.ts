/**
 * The ways from a socket into a file, past Bun's own reading: by splice(2) through a pipe, without
 * a copy in user space, or by recv(2) into one buffer. Both move what is there and never wait.
 *
 * Invariant: between two calls nothing is under way: the pipe is empty, and every byte taken from
 * the socket is in the file, or an error was thrown for it.
 */
import fs from "node:fs";
import { localError } from "../destination/error.ts";
import { type Staged } from "../destination/staged.ts";
import { uninterrupted } from "../sys/shortcount.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";

/** Answers of move() that are no bytes. */
export const MOVED = {
  /** Nothing is there now. */
  nothing: 0,
  /** FIN or reset: the socket's own events will tell. */
  ended: -1,
} as const;

/** A way from a socket into a file. */
export interface SocketToFile {
  /**
   * Moves up to `most` bytes that are in `socket` to `offset` of `file`: bytes moved, or one of
   * MOVED. Throws LocalError when the file does not take them.
   */
  move(socket: number, file: Staged, offset: number, most: number): number;
}

/** Bytes of the pipe: what an ordinary user may have (pipe(7)), and one move's most. */
const PIPE_BYTES = 1024 * 1024;

/** Bytes of the buffer: it fits into the processor's level 2 cache. */
const BUFFER_BYTES = 256 * 1024;

/** Empty answers in a row, of sockets that poll(2) called readable, after which it copies. */
const EMPTY_MAX = 64;

/**
 * The best way of this system; null where bytes must come through Bun's events. It is one for the
 * whole process, and so is its pipe, which nobody closes: between two moves it is empty.
 */
export function socketToFile(): SocketToFile | null {
  if (!kernel.native) return null;
  best ??= new SpliceToFile();
  return best;
}

/** Through user space, with one copy in and one out. */
export class CopyToFile implements SocketToFile {
  readonly #buffer = new Uint8Array(BUFFER_BYTES);

  move(socket: number, file: Staged, offset: number, most: number): number {
    const got = kernel.recv(socket, this.#buffer, Math.min(most, BUFFER_BYTES));
    if (got <= 0) return noBytes(got);
    file.write(this.#buffer.subarray(0, got), BigInt(offset));
    return got;
  }
}

/** Through a pipe in the kernel. Falls back on copying for good when this socket or file can't. */
export class SpliceToFile implements SocketToFile {
  readonly #ends = new Int32Array(2).fill(-1);
  #pipeBytes = 0;
  #copy: SocketToFile | null = null;
  /** Moves in a row that found nothing. */
  #empty = 0;

  move(socket: number, file: Staged, offset: number, most: number): number {
    if (this.#copy !== null || !this.#opened()) return this.#copied(socket, file, offset, most);
    const taken = kernel.spliceIn(socket, this.#writing, Math.min(most, this.#pipeBytes));
    if (taken === -ERRNO.EINVAL || taken === -ERRNO.ENOSYS) {
      return this.#copied(socket, file, offset, most);
    }
    if (taken <= 0) {
      const answer = noBytes(taken);
      if (answer === MOVED.nothing && ++this.#empty >= EMPTY_MAX) {
        return this.#copied(socket, file, offset, most);
      }
      return answer;
    }
    this.#empty = 0;
    for (let done = 0; done < taken;) {
      const at = BigInt(offset + done);
      const moved = uninterrupted(() => kernel.spliceOut(this.#reading, file.fd, at, taken - done));
      if (moved > 0) done += moved;
      else if (moved === -ERRNO.EINVAL) done += this.#drain(file, offset + done, taken - done);
      else this.#failed(moved);
    }
    return taken;
  }

  // --- internal ---

  get #reading(): number {
    return this.#ends[0] ?? -1;
  }

  get #writing(): number {
    return this.#ends[1] ?? -1;
  }

  #opened(): boolean {
    if (this.#reading >= 0) return true;
    this.#pipeBytes = kernel.pipe(this.#ends, PIPE_BYTES);
    if (this.#pipeBytes > 0) return true;
    this.#ends.fill(-1);
    return false;
  }

  #copied(socket: number, file: Staged, offset: number, most: number): number {
    this.#copy ??= new CopyToFile();
    return this.#copy.move(socket, file, offset, most);
  }

  /** The file system takes nothing from a pipe: copies what is in the pipe. */
  #drain(file: Staged, offset: number, count: number): number {
    const bytes = new Uint8Array(count);
    for (let got = 0; got < count;)
      got += fs.readSync(this.#reading, bytes, got, count - got, null);
    file.write(bytes, BigInt(offset));
    this.#copy ??= new CopyToFile();
    return count;
  }

  /** Closes the pipe with what is left in it, which can't be written. */
  #failed(moved: number): never {
    for (const end of this.#ends) kernel.close(end);
    this.#ends.fill(-1);
    throw localError(moved === 0 ? -ERRNO.EIO : moved, "writing what arrived");
  }
}

// --- internal ---

let best: SocketToFile | null = null;

function noBytes(answer: number): number {
  return answer === -ERRNO.EAGAIN || answer === -ERRNO.EINTR ? MOVED.nothing : MOVED.ended;
}
