/** Numbers of a command's progress, as transfers would leave them. */
import { type FileProgress, Progress } from "../../../src/download/progress.ts";

/** 1024 * 1024 bytes. */
export const MIB = 1024 * 1024;

/** A file's numbers that a test can change. */
export type Changing = { -readonly [Key in keyof FileProgress]: FileProgress[Key] };

/** A file under way: nothing of it is there unless `given` says so. */
export function fileOf(name: string, size: number, given: Partial<FileProgress> = {}): Changing {
  return {
    ...{ name, state: "running", size, connections: 1 },
    ...{ received: 0, kept: 0, reused: 0, verified: 0, arrived: 0 },
    sources: [],
    ...given,
  };
}

/** The progress of `running`, with what `given` says over their sums. */
export function progressOf(
  running: readonly FileProgress[],
  given: Partial<Progress> = {},
): Progress {
  const progress = new Progress();
  for (const file of running) {
    progress.running.add(file);
    progress.files += 1;
    progress.bytes += file.size;
    for (const key of ["received", "kept", "reused", "verified", "arrived"] as const)
      progress[key] += file[key];
  }
  return Object.assign(progress, { totalKnown: true }, given);
}
