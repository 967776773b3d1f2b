/**
 * Small files that are not in memory are read off the loop (diskread.ts) before they are opened,
 * and who asked is answered later: else who asks for many of them stops all others for as long as
 * the disk takes.
 *
 * It owns the descriptors that are being read. Who waits for a place holds none, and is looked up
 * again when its turn comes: what it wants may be in memory by then.
 */
import { FairQueue } from "../guard/fairqueue.ts";
import { tick } from "../sys/clock.ts";
import { ERRNO } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { isResident, READS_MAX, ReadShare } from "./diskread.ts";
import { refusalOf } from "./refusal.ts";
import { type OpenFile, SMALL_BYTES_MAX, type Waiter } from "./store.ts";
import type { ByteString } from "../wire/bytes.ts";

/** Answers in one event, so that a thousand who wanted the same file are no stall themselves. */
const ANSWERS_PER_ROUND = 64;

/** So many waiting are never looked through for those that have left. */
const WAITING_MIN = 256;

/** An open small file whose content is not in memory. */
export class ColdFile {
  readonly fd: number;
  /** At most SMALL_BYTES_MAX. */
  readonly size: number;
  /** Takes the descriptor over: the file, now that it is in memory, or -errno. */
  readonly finish: () => OpenFile | number;

  constructor(fd: number, size: number, finish: () => OpenFile | number) {
    this.fd = fd;
    this.size = size;
    this.finish = finish;
  }
}

/**
 * True when reading `fd`, of `size` bytes, whole would wait for the disk. False where that can't be
 * told; a file that is not small is never read whole. All of it is asked about: the kernel then
 * fetches all of it at once, where asking about a byte makes two accesses of one.
 */
export function needsPrefetch(fd: number, size: bigint): boolean {
  if (size === 0n || size > BigInt(SMALL_BYTES_MAX)) return false;
  return !isResident(fd, 0n, Number(size));
}

/** A file that somebody waits for. */
export interface Wanted {
  readonly path: ByteString;
  readonly waiter: Waiter;
  /** Opens it again: the file, -errno, or what it takes to get it; null: another one answers. */
  readonly open: () => OpenFile | ColdFile | number | null;
}

/**
 * The reads of a store. Its queue is bounded by the number of connections: each opens one file. The
 * peers take turns in it.
 */
export class Prefetcher {
  readonly #waiting = new FairQueue<Wanted>();
  /** So long the queue may get before those who have left are taken out of it. */
  #waitingMax = WAITING_MIN;
  readonly #reads = new ReadShare(READS_MAX.prefetch);
  #armed = false;
  #closed = false;
  readonly #round = (): void => this.#admit();

  /** Those who wait for a place, and those of them who have left without being noticed. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** `wanted.waiter` is answered later, unless it is gone by then. Takes over `file`. */
  add(wanted: Wanted, file: ColdFile): void {
    // Who was answered just now and asks for more comes behind those who wait.
    if (!this.#reads.full && this.#waiting.size === 0) {
      this.#read(wanted, file);
      return;
    }
    kernel.close(file.fd);
    if (this.#waiting.size >= this.#waitingMax) this.#forgetGone();
    this.#waiting.add(wanted.waiter.peer, wanted);
  }

  /** Answers nobody any more; descriptors are closed as their reads end. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  // --- internal ---

  #read(wanted: Wanted, file: ColdFile): void {
    this.#reads.read(wanted.waiter.peer, file, null, file.size, 0n, (_count, failed) => {
      this.#done(wanted, file, failed);
    });
  }

  #done({ path, waiter }: Wanted, file: ColdFile, failed: boolean): void {
    tick();
    this.#arm();
    if (this.#closed || failed) kernel.close(file.fd);
    if (this.#closed) return;
    try {
      const answer = failed ? -ERRNO.EIO : file.finish();
      if (waiter.gone) return;
      waiter.opened(typeof answer === "number" ? refusalOf(answer, path) : answer);
    } catch (error) {
      // Nobody above would catch it: it costs this client, not the server.
      waiter.crash(error);
    }
  }

  #admit(): void {
    this.#armed = false;
    for (let answers = 0; !this.#reads.full;) {
      if (answers === ANSWERS_PER_ROUND) {
        this.#arm();
        return;
      }
      const wanted = this.#waiting.take()?.item;
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
      if (opened === null) return;
      if (opened instanceof ColdFile) this.#read(wanted, opened);
      else waiter.opened(typeof opened === "number" ? refusalOf(opened, path) : opened);
    } catch (error) {
      // As in #done().
      waiter.crash(error);
    }
  }

  #arm(): void {
    if (this.#armed || this.#waiting.size === 0) return;
    this.#armed = true;
    setImmediate(this.#round);
  }

  /** A disk that hangs must not gather those who came, asked and left. */
  #forgetGone(): void {
    this.#waiting.sift(({ waiter }) => !waiter.gone);
    this.#waitingMax = Math.max(WAITING_MIN, 2 * this.#waiting.size);
  }
}
