/**
 * Prints files to stdout, in the order of the targets, each in full before the next one begins.
 * Requests to one server are pipelined; before another server is asked, all answers of the one
 * before have come, so that bytes of two files never mix.
 */
import { sameServer, type Target } from "../../client/address.ts";
import type { Fetcher } from "./fetcher.ts";
import type { ContentOutput } from "../output/content.ts";
import type { Report } from "../output/report.ts";

/**
 * Prints `targets`. Failures go to `report` and do not stop the others; a stdout that takes no more
 * bytes does (`report.over`).
 */
export async function catAll(
  targets: Iterable<Target> | AsyncIterable<Target>,
  fetcher: Fetcher,
  output: ContentOutput,
  report: Report,
): Promise<void> {
  await Promise.race([report.over, printEach(targets, fetcher, output, report)]);
}

/** Prints one target; a failure goes to `report`. */
export async function catOne(
  target: Target,
  fetcher: Fetcher,
  output: ContentOutput,
  report: Report,
): Promise<void> {
  try {
    await fetcher.fetch(target, output.sink());
  } catch (error) {
    report.fail(error);
  }
}

// --- internal ---

async function printEach(
  targets: Iterable<Target> | AsyncIterable<Target>,
  fetcher: Fetcher,
  output: ContentOutput,
  report: Report,
): Promise<void> {
  // Answers come in the order of asking, so that the oldest request ends first.
  const underWay: Promise<void>[] = [];
  let before: Target | null = null;
  try {
    for await (const target of targets) {
      const moved = before !== null && !sameServer(before.server, target.server);
      while (underWay.length >= fetcher.ahead || (moved && underWay.length > 0)) {
        await underWay.shift();
      }
      underWay.push(catOne(target, fetcher, output, report));
      before = target;
    }
  } finally {
    await Promise.all(underWay);
  }
}
