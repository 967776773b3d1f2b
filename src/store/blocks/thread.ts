/**
 * The thread that does a cache's jobs, and the memory that it shares with the loop. It neither
 * blocks the loop nor keeps the process alive; answers come in the order of the jobs.
 */
import type { CacheFolder } from "./folder.ts";
import type { Job } from "./job.ts";
import type { DiskSetup } from "./diskworker.ts";

/** Takes the events of a disk. */
export interface DiskOwner {
  /** The answer to the oldest job without one. */
  answered(answer: number): void;
  /** It has ended, by an error: no answer follows. */
  ended(disk: JobDisk): void;
}

/** Whoever does jobs. */
export interface JobDisk {
  /** Does `job` behind those before it, and answers it later. */
  send(job: Job): void;
  /** Ends it; nobody is told. */
  end(): void;
}

/** Makes one, for files that are open and `memory` with what is to be written. */
export type MakeDisk = (
  folder: CacheFolder,
  memory: SharedArrayBuffer,
  owner: DiskOwner,
) => JobDisk;

/** By one thread, of 10 MiB. */
export class DiskThread implements JobDisk {
  readonly #worker: Worker;
  #over = false;

  constructor(folder: CacheFolder, memory: SharedArrayBuffer, owner: DiskOwner) {
    this.#worker = new Worker(new URL("./diskworker.ts", import.meta.url), {
      ref: false,
      smol: true,
    });
    this.#worker.onmessage = ({ data }: MessageEvent<number>) => {
      if (!this.#over) owner.answered(data);
    };
    this.#worker.onerror = (event) => event.preventDefault();
    this.#worker.addEventListener("close", () => {
      if (!this.#over) owner.ended(this);
    });
    const { index, data, header } = folder;
    this.#worker.postMessage({ folder: { index, data, header }, memory } satisfies DiskSetup);
  }

  send(job: Job): void {
    this.#worker.postMessage(job);
  }

  end(): void {
    this.#over = true;
    this.#worker.terminate();
  }
}
