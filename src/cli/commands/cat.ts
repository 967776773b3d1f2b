/**
 * Prints files to stdout, in the order of the targets, each in full before the next one begins.
 * Requests to one server are pipelined; before another server is asked, all answers of the one
 * before have come, so that bytes of two files never mix.
 */
import { sameServer, type Target } from "../../client/address.ts";
import type { Fetcher } from "../../client/fetcher.ts";
import type { ContentOutput } from "../output/content.ts";
import type { Report } from "../output/report.ts";

/**
 * Prints `targets`. Failures go to `report` and do not stop the others; a stdout that takes no more
 * bytes does (`report.over`). `failed` is told of each failure after `report`.
 */
export async function catAll(
  targets: Iterable<Target> | AsyncIterable<Target>,
  fetcher: Fetcher,
  output: ContentOutput,
  report: Report,
  failed?: FailedTarget,
): Promise<void> {
  const print = async (target: Target): Promise<void> => {
    try {
      await fetcher.fetch(target, output.sink());
    } catch (error) {
      report.fail(error);
      failed?.(target, error);
    }
  };
  await Promise.race([report.over, printEach(targets, print, fetcher.ahead)]);
}

/** Takes a target that was not printed, and why. */
export type FailedTarget = (target: Target, error: unknown) => void;

// --- internal ---

async function printEach(
  targets: Iterable<Target> | AsyncIterable<Target>,
  print: (target: Target) => Promise<void>,
  ahead: number,
): Promise<void> {
  // Answers come in the order of asking, so that the oldest request ends first.
  const underWay: Promise<void>[] = [];
  let before: Target | null = null;
  try {
    for await (const target of targets) {
      const moved = before !== null && !sameServer(before.server, target.server);
      while (underWay.length >= ahead || (moved && underWay.length > 0)) {
        await underWay.shift();
      }
      underWay.push(print(target));
      before = target;
    }
  } finally {
    await Promise.all(underWay);
  }
}
