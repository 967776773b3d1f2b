/** The last line of a command that transfers files, for a person. A pure function, no I/O. */
import type { Progress } from "../../download/progress.ts";
import {
  averageOf,
  countText,
  durationText,
  percentOf,
  rateText,
  sizeText,
} from "../output/amount.ts";

/**
 * `progress` after `elapsedMs`, as "10,000 files, 39 MiB in 0.4 s (98 MiB/s), all verified". It
 * names files that are missing or failed, and the bytes that an earlier run or a file that is
 * replaced had.
 */
export function summary(progress: Readonly<Progress>, elapsedMs: number): string {
  const { files, done, failed, unchanged, received, kept, reused, verified, arrived } = progress;
  const { bySource } = progress;
  if (files === 0 && unchanged > 0 && received === 0) return `nothing to do, ${same(unchanged)}`;
  const parts = [done + failed < files ? `${countText(done)} of ${named(files)}` : named(done)];
  const spent = `${sizeText(received)} in ${durationText(elapsedMs)}`;
  const rate = rateText(averageOf(received, elapsedMs));
  parts.push(received > 0 && elapsedMs > 0 ? `${spent} (${rate})` : spent);
  if (kept > 0) parts.push(`kept ${sizeText(kept)} of an earlier run`);
  if (reused > 0)
    parts.push(`took ${sizeText(reused)} from ${done > 1 ? "old files" : "the old file"}`);
  if (arrived > 0) parts.push(trust(verified, arrived));
  if (bySource.size > 0) parts.push(shares(bySource));
  if (unchanged > 0) parts.push(same(unchanged));
  if (failed > 0) parts.push(`${countText(failed)} failed`);
  return parts.join(", ");
}

/**
 * What a dry run has found, as "4 files to fetch, 193 MiB; 1 to remove; 2 files unchanged".
 */
export function plan(progress: Readonly<Progress>, removed: number): string {
  const { files, bytes, unchanged } = progress;
  const parts: string[] = [];
  if (files > 0) parts.push(`${named(files)} to fetch, ${sizeText(bytes)}`);
  if (removed > 0) parts.push(`${countText(removed)} to remove`);
  if (parts.length === 0) parts.push("nothing to do");
  if (unchanged > 0) parts.push(same(unchanged));
  return parts.join("; ");
}

// --- internal ---

function named(files: number): string {
  return `${countText(files)} ${files === 1 ? "file" : "files"}`;
}

/** Who has brought how much, wrong bytes included. */
function shares(bySource: ReadonlyMap<string, number>): string {
  const each = [...bySource].map(([server, bytes]) => `${sizeText(bytes)} from ${server}`);
  return each.join(" and ");
}

function same(files: number): string {
  return `${named(files)} unchanged`;
}

function trust(verified: number, arrived: number): string {
  if (verified >= arrived) return "all verified";
  return verified > 0 ? `${percentOf(verified, arrived)}% verified` : "not verified";
}
