/** The jobs that a cache has sent to its disk, each with who is told what came of it. */
import { clock, tick } from "../../sys/clock.ts";
import { ERRNO } from "../../sys/errno.ts";
import type { CacheFolder } from "./folder.ts";
import type { Job } from "./job.ts";
import type { DiskOwner, JobDisk, MakeDisk } from "./thread.ts";

/** So long the thread may take to start, in milliseconds: 20, or seconds on a busy machine. */
const THREAD_START_MS = 10_000;

/** A job whose answer is awaited. */
interface Sent {
  readonly since: number;
  readonly done: (answer: number) => void;
}

/** Jobs in their order. Bounded by its cache: fills, checks and blocks that give way. */
export class JobQueue implements DiskOwner {
  readonly #folder: CacheFolder;
  readonly #memory: SharedArrayBuffer;
  readonly #makeDisk: MakeDisk;
  readonly #lost: () => void;
  #disk: JobDisk | null = null;
  #sent: Sent[] = [];
  #answeredAt = 0;
  #over = false;

  /** `lost` is told when the disk's thread has ended by itself: nothing is done any more. */
  constructor(
    folder: CacheFolder,
    memory: SharedArrayBuffer,
    makeDisk: MakeDisk,
    lost: () => void,
  ) {
    this.#folder = folder;
    this.#memory = memory;
    this.#makeDisk = makeDisk;
    this.#lost = lost;
  }

  /** True when nothing is under way. */
  get idle(): boolean {
    return this.#sent.length === 0;
  }

  /** Has `job` done behind those before it, and tells `done`; nobody after the end. */
  do(job: Job, done: (answer: number) => void): void {
    if (this.#over) return;
    this.#disk ??= this.#makeDisk(this.#folder, this.#memory, this);
    this.#sent.push({ since: clock.now, done });
    this.#disk.send(job);
  }

  /** For how long the job under way has been, in milliseconds; 0: there is none. */
  waited(now: number): number {
    const [oldest] = this.#sent;
    if (oldest === undefined) return 0;
    // A thread that starts is no slow disk.
    const starting = this.#answeredAt === 0 ? THREAD_START_MS : 0;
    return Math.max(0, now - Math.max(oldest.since, this.#answeredAt) - starting);
  }

  /** Ends the disk; nobody is told. */
  end(): void {
    this.#over = true;
    this.#disk?.end();
    this.#disk = null;
  }

  answered(answer: number): void {
    this.#answeredAt = tick();
    this.#sent.shift()?.done(answer);
  }

  ended(disk: JobDisk): void {
    if (disk !== this.#disk) return;
    this.#over = true;
    this.#disk = null;
    const lost = this.#sent;
    this.#sent = [];
    this.#lost();
    for (const { done } of lost) done(-ERRNO.EIO);
  }
}
