/**
 * Many targets to standard output, in their order, each in full before the next begins. Requests go
 * ahead of their answers on one server's connection; another server is asked when the one before
 * has answered.
 */
import { sameServer, type Target } from "../../client/address.ts";
import type { Fetcher } from "./fetcher.ts";
import type { ContentOutput } from "../output/content.ts";
import type { Report } from "../output/report.ts";

/**
 * Prints `targets`; failures are reported and the others go on. Ends early when `report` is over.
 */
export async function catAll(
  targets: Iterable<Target> | AsyncIterable<Target>,
  fetcher: Fetcher,
  output: ContentOutput,
  report: Report,
): Promise<void> {
  await Promise.race([report.over, printEach(targets, fetcher, output, report)]);
}

/** Prints one target and reports its failure. */
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
  // Answers come in order, so the oldest is the one to wait for.
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
