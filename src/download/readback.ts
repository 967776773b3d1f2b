/**
 * The reading back of what was written: a thread digests it while more arrives. On one core that
 * would take a third of the time that bringing the bytes takes. There is one thread for the whole
 * program, from its first use on; it keeps no process alive.
 *
 * Invariant: each request is answered once, in the order of asking, unless its file was given up;
 * and the thread reads no file that was.
 */
import { uninterrupted } from "../sys/shortcount.ts";
import { digestLines } from "../digest/digest.ts";
import { DigestThread, type ThreadOwner } from "../digest/thread.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";

/** Requests at the thread: one that it works on, and one so that it need not wait for it. */
const SENT_MAX = 2;

/** Chunks are read into this where there is no thread. It is shared: nothing awaits in between. */
let buffer = new Uint8Array(0);

/** A file that is read: the same object for all that is asked of it. */
export interface ReadableFile {
  readonly fd: number;
}

/** Bytes of a file, and who gets their digests in hex, a line each, or -errno. */
interface DigestRequest {
  readonly file: ReadableFile;
  readonly offset: number;
  readonly length: number;
  /** Bytes under one digest. */
  readonly chunk: number;
  readonly answered: (answer: string | number) => void;
}

/** The thread and the requests to it. */
export class Readback implements ThreadOwner {
  #thread: DigestThread | null = null;
  /** The thread has ended by itself: requests are met on the event loop from now on. */
  #lost = false;
  readonly #sent: DigestRequest[] = [];
  readonly #waiting: DigestRequest[] = [];
  /** Resolves when a request has left the thread. */
  #left = Promise.withResolvers<void>();

  /**
   * Asks for the XXH3 of `length` bytes from `offset` on, or of each `chunk` of them. It never
   * calls `answered` itself.
   */
  ask(
    file: ReadableFile,
    offset: number,
    length: number,
    answered: (answer: string | number) => void,
    chunk: number = length,
  ): void {
    this.#waiting.push({ file, offset, length, chunk, answered });
    if (this.#lost) queueMicrotask(() => this.#answerHere());
    else this.#send();
  }

  /**
   * The same as a promise, of each `chunk` bytes; or -errno. It does not settle once the file was
   * given up.
   */
  digests(
    file: ReadableFile,
    offset: number,
    length: number,
    chunk: number = length,
  ): Promise<readonly string[] | number> {
    const { promise, resolve } = Promise.withResolvers<readonly string[] | number>();
    const answered = (answer: string | number): void => {
      resolve(typeof answer === "number" ? answer : answer.split("\n"));
    };
    this.ask(file, offset, length, answered, chunk);
    return promise;
  }

  /** Gives up what was asked of `file`; resolves when nothing reads it any more. */
  async forget(file: ReadableFile): Promise<void> {
    const others = this.#waiting.filter((request) => request.file !== file);
    this.#waiting.splice(0, this.#waiting.length, ...others);
    while (this.#sent.some((request) => request.file === file)) await this.#left.promise;
  }

  // --- the thread's ---

  answered(answer: string | number): void {
    const request = this.#sent.shift();
    this.#send();
    this.#requestLeft();
    // The thread ends each digest with a line break.
    request?.answered(typeof answer === "string" ? answer.trimEnd() : answer);
  }

  ended(): void {
    this.#lost = true;
    this.#thread = null;
    this.#waiting.unshift(...this.#sent.splice(0));
    this.#requestLeft();
    this.#answerHere();
  }

  // --- internal ---

  #send(): void {
    while (this.#sent.length < SENT_MAX) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      this.#sent.push(request);
      this.#thread ??= new DigestThread(this);
      const { file, offset, length, chunk } = request;
      const range = { at: BigInt(offset), count: length, chunk };
      this.#thread.send({ job: 0, algo: "xxh3", source: file.fd, ...range, piece: "whole" });
    }
  }

  #requestLeft(): void {
    this.#left.resolve();
    this.#left = Promise.withResolvers<void>();
  }

  #answerHere(): void {
    for (const { file, offset, length, chunk, answered } of this.#waiting.splice(0)) {
      answered(readBack(file, offset, length, chunk));
    }
  }
}

/** The program's one. */
export const readback = new Readback();

/** The same at once and on this thread: the digests in hex, a line each, or -errno. */
export function readBack(
  file: ReadableFile,
  offset: number,
  length: number,
  chunk: number = length,
): string | number {
  if (buffer.length < length) buffer = new Uint8Array(length);
  for (let got = 0; got < length;) {
    const rest = buffer.subarray(got, length);
    const at = BigInt(offset + got);
    const count = uninterrupted(() => kernel.pread(file.fd, rest, rest.length, at));
    if (count <= 0) return count === 0 ? -ERRNO.EIO : count;
    got += count;
  }
  return digestLines("xxh3", buffer.subarray(0, length), chunk).trimEnd();
}
