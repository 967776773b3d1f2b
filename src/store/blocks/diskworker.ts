/** The thread of a cache's disk: does the jobs it is sent, in order, and answers each. */
import { type Job, JobDoer } from "./job.ts";
import type { CacheFolder } from "./folder.ts";

/** The first message: what the jobs are about. Descriptors are the process's. */
export interface DiskSetup {
  readonly folder: Pick<CacheFolder, "index" | "data" | "header">;
  readonly memory: SharedArrayBuffer;
}

declare const self: Worker;

let doer: JobDoer | null = null;

self.onmessage = ({ data }: MessageEvent<DiskSetup | Job>) => {
  if ("folder" in data) doer = new JobDoer(data.folder, new Uint8Array(data.memory));
  else self.postMessage(doer?.do(data) ?? -1);
};
