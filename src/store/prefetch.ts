/**
 * Contents of small files on their way into memory. One that is not there is read off the loop
 * first (fs.read on Bun's thread pool) and its asker answered later: else who asks for many of them
 * stops all others for as long as the disk takes. All reads go into one window, because nobody
 * looks at it: what counts is that the kernel has the pages.
 *
 * It owns the descriptors that are being read. Who waits for a place holds none, and is looked up
 * again when its turn comes: what it wants may be in memory by then.
 */
import fs from "node:fs";
import { tick } from "../sys/clock.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { refusalOf } from "./refusal.ts";
import { type OpenFile, SMALL_BYTES_MAX, type Waiter } from "./store.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Reads at once: the pool has few threads, and large files need them too. */
export const PREFETCHES_MAX = 4;

/** Answers in one event, so that a thousand who wanted the same file are no stall themselves. */
const ANSWERS_PER_ROUND = 64;

/** So many waiting are never looked through for those that have left. */
const WAITING_MIN = 256;

/** What all reads go into; made by the first. */
let scratch: Buffer | null = null;

/** An open small file whose content is not in memory. */
export class ColdFile {
  readonly fd: number;
  /** At most SMALL_BYTES_MAX. */
  readonly size: number;
  /** Takes the descriptor over: the file, now that it is in memory, or -errno. */
  readonly settle: () => OpenFile | number;

  constructor(fd: number, size: number, settle: () => OpenFile | number) {
    this.fd = fd;
    this.size = size;
    this.settle = settle;
  }
}

/**
 * True when reading `fd`, of `size` bytes, whole would wait for the disk. False where that can't be
 * told; a file that is not small is never read whole. All of it is asked about: the kernel then
 * fetches all of it at once, where asking about a byte makes two accesses of one.
 */
export function isCold(fd: number, size: bigint): boolean {
  if (size === 0n || size > BigInt(SMALL_BYTES_MAX)) return false;
  return kernel.resident(fd, 0n, Number(size)) === 0;
}

/** A file that somebody waits for. */
export interface Wanted {
  readonly path: ByteString;
  readonly waiter: Waiter;
  /** Opens it again: the file, -errno, or what it takes to get it. */
  readonly open: () => OpenFile | ColdFile | number;
}

/** The reads of a store. Its queue is bounded by the number of connections: each opens one file. */
export class Prefetcher {
  #waiting: Wanted[] = [];
  /** So long the queue may get before those who have left are taken out of it. */
  #waitingMax = WAITING_MIN;
  #reading = 0;
  #armed = false;
  #closed = false;
  readonly #round = (): void => this.#admit();

  /** Those who wait for a place, and those of them who have left without being noticed. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** `wanted.waiter` is answered later, unless it is gone by then. Takes over `file`. */
  add(wanted: Wanted, file: ColdFile): void {
    // Who was answered just now and asks for more comes behind those who wait.
    if (this.#reading < PREFETCHES_MAX && this.#waiting.length === 0) {
      this.#read(wanted, file, 0);
      return;
    }
    kernel.close(file.fd);
    if (this.#waiting.length >= this.#waitingMax) this.#forgetGone();
    this.#waiting.push(wanted);
  }

  /** Answers nobody any more; descriptors are closed as their reads end. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  // --- internal ---

  #read(wanted: Wanted, file: ColdFile, at: number): void {
    if (at === 0) this.#reading += 1;
    scratch ??= Buffer.allocUnsafeSlow(SMALL_BYTES_MAX);
    fs.read(file.fd, scratch, 0, file.size - at, at, (error, got) => {
      const failed = error !== null;
      if (!failed && got > 0 && at + got < file.size) this.#read(wanted, file, at + got);
      else this.#done(wanted, file, failed);
    });
  }

  #done({ path, waiter }: Wanted, file: ColdFile, failed: boolean): void {
    tick();
    this.#reading -= 1;
    this.#arm();
    if (this.#closed || failed) kernel.close(file.fd);
    if (this.#closed) return;
    try {
      const answer = failed ? -ERRNO.EIO : file.settle();
      if (waiter.gone) return;
      waiter.opened(typeof answer === "number" ? refusalOf(answer, path) : answer);
    } catch (error) {
      // Nobody above would catch it: it costs this client, not the server.
      waiter.crash(error);
    }
  }

  #admit(): void {
    this.#armed = false;
    for (let answers = 0; this.#reading < PREFETCHES_MAX;) {
      if (answers === ANSWERS_PER_ROUND) {
        this.#arm();
        return;
      }
      const wanted = this.#waiting.shift();
      if (wanted === undefined) return;
      if (wanted.waiter.gone) continue;
      answers += 1;
      this.#open(wanted);
    }
  }

  #open(wanted: Wanted): void {
    const { path, waiter } = wanted;
    try {
      const opened = wanted.open();
      if (opened instanceof ColdFile) this.#read(wanted, opened, 0);
      else waiter.opened(typeof opened === "number" ? refusalOf(opened, path) : opened);
    } catch (error) {
      // As in #done().
      waiter.crash(error);
    }
  }

  #arm(): void {
    if (this.#armed || this.#waiting.length === 0) return;
    this.#armed = true;
    setImmediate(this.#round);
  }

  /** A disk that hangs must not gather those who came, asked and left. */
  #forgetGone(): void {
    this.#waiting = this.#waiting.filter(({ waiter }) => !waiter.gone);
    this.#waitingMax = Math.max(WAITING_MIN, 2 * this.#waiting.length);
  }
}
