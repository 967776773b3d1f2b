/**
 * What was written, read back and digested by a thread while more arrives: on one core it would
 * take a third of the time that bringing the bytes takes. There is one for the whole program, from
 * its first use on; it keeps no process alive.
 *
 * Invariant: each question is answered once, in the order of asking, unless its file was given up;
 * and the thread reads no file that was.
 */
import { type Staged } from "../destination/staged.ts";
import { uninterrupted } from "../sys/shortcount.ts";
import { digestOf } from "../digest/digest.ts";
import { DigestThread, type ThreadOwner } from "../digest/thread.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";

/** Questions at the thread: one that it works on, one so that it need not wait for the next. */
const SENT_MAX = 2;

/** Reads chunks back into this where there is no thread; shared, since that is one piece. */
let buffer = new Uint8Array(0);

/** Bytes of a file, and who is told their digest in hex, or -errno. */
interface Asked {
  readonly file: Staged;
  readonly offset: number;
  readonly length: number;
  readonly told: (answer: string | number) => void;
}

/** The thread and what it is asked. */
export class Readback implements ThreadOwner {
  #thread: DigestThread | null = null;
  /** It has ended by itself: what is asked from now on is done here. */
  #lost = false;
  readonly #sent: Asked[] = [];
  readonly #waiting: Asked[] = [];
  #quiet = Promise.withResolvers<void>();

  /** Asks for the XXH3 of `length` bytes from `offset` on; `told` is never called within this. */
  ask(file: Staged, offset: number, length: number, told: (answer: string | number) => void): void {
    this.#waiting.push({ file, offset, length, told });
    if (this.#lost) queueMicrotask(() => this.#doHere());
    else this.#send();
  }

  /** Gives up what was asked of `file`; resolves when nothing reads it any more. */
  async forget(file: Staged): Promise<void> {
    const others = this.#waiting.filter((asked) => asked.file !== file);
    this.#waiting.splice(0, this.#waiting.length, ...others);
    while (this.#sent.some((asked) => asked.file === file)) await this.#quiet.promise;
  }

  // --- the thread's ---

  answered(answer: string | number): void {
    const asked = this.#sent.shift();
    this.#send();
    this.#answered();
    // A line for the digest.
    asked?.told(typeof answer === "string" ? answer.trimEnd() : answer);
  }

  ended(): void {
    this.#lost = true;
    this.#thread = null;
    this.#waiting.unshift(...this.#sent.splice(0));
    this.#answered();
    this.#doHere();
  }

  // --- internal ---

  #send(): void {
    while (this.#sent.length < SENT_MAX) {
      const asked = this.#waiting.shift();
      if (asked === undefined) return;
      this.#sent.push(asked);
      this.#thread ??= new DigestThread(this);
      const { file, offset, length } = asked;
      const range = { at: BigInt(offset), count: length, chunk: length };
      this.#thread.send({ job: 0, algo: "xxh3", source: file.fd, ...range, piece: "whole" });
    }
  }

  #answered(): void {
    this.#quiet.resolve();
    this.#quiet = Promise.withResolvers<void>();
  }

  #doHere(): void {
    for (const { file, offset, length, told } of this.#waiting.splice(0)) {
      told(readBack(file, offset, length));
    }
  }
}

/** The program's one. */
export const readback = new Readback();

/** The same at once and on this thread: the digest in hex, or -errno. */
export function readBack(file: Staged, offset: number, length: number): string | number {
  if (buffer.length < length) buffer = new Uint8Array(length);
  for (let got = 0; got < length;) {
    const rest = buffer.subarray(got, length);
    const at = BigInt(offset + got);
    const count = uninterrupted(() => kernel.pread(file.fd, rest, rest.length, at));
    if (count <= 0) return count === 0 ? -ERRNO.EIO : count;
    got += count;
  }
  return digestOf("xxh3", buffer.subarray(0, length));
}
