/** The last line that a person reads. */
import { expect, test } from "bun:test";
import { summary } from "../../../src/cli/progress/summary.ts";
import type { Progress } from "../../../src/download/progress.ts";
import { MIB, progressOf } from "./numbers.ts";

const ALL = 39 * MIB;

test.each<[string, Partial<Progress>, number, string]>([
  [
    "all of many",
    { files: 10_000, done: 10_000, received: ALL, arrived: ALL, verified: ALL },
    398,
    "10,000 files, 39.0 MiB in 0.4 s (98.0 MiB/s), all verified",
  ],
  [
    "one, resumed",
    { files: 1, done: 1, received: ALL, arrived: ALL + 400 * MIB, kept: 400 * MIB, verified: ALL },
    60_000,
    "1 file, 39.0 MiB in 1:00 (666 KiB/s), kept 400 MiB of an earlier run, 8% verified",
  ],
  [
    "interrupted",
    { files: 345, done: 12, failed: 2, unchanged: 1, received: ALL, arrived: ALL },
    12_000,
    "12 of 345 files, 39.0 MiB in 12 s (3.3 MiB/s), not verified, 1 file unchanged, 2 failed",
  ],
  ["nothing to do", { unchanged: 1200 }, 80, "nothing to do, 1,200 files unchanged"],
  ["empty files", { files: 2, done: 2 }, 80, "2 files, 0 B in 0.1 s"],
  ["nothing at all", {}, 0, "0 files, 0 B in 0.0 s"],
])("%s", (_name, given, elapsedMs, text) => {
  expect(summary(progressOf([], given), elapsedMs)).toBe(text);
});
