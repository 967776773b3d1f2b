/** What is told of a server that goes away, and how often. */
import { expect, test } from "bun:test";
import { refusedError, unconnectedError } from "../../../src/client/error.ts";
import { LocalError } from "../../../src/destination/error.ts";
import { type Counts, Outage } from "../../../src/cli/commands/outage.ts";

const refused = unconnectedError("ECONNREFUSED", "nobody");
const wait = (nth: number, most = 5) => ({ error: refused, waitMs: 1, nth, most });

test("each cause is a line once; after progress again, but not within ten seconds", () => {
  const counts = { received: 0, done: 0, failed: 0 };
  const outage = new Outage(counts as Counts);
  const line = "ECONNREFUSED: nobody; trying again, up to 5 times in a row";
  expect(outage.waited(wait(1), 0)).toBe(line);
  expect(outage.waited(wait(2), 60_000)).toBeNull();
  const reset = { ...wait(3), error: unconnectedError("ECONNRESET", "lost") };
  expect(outage.waited(reset, 60_000)).toStartWith("ECONNRESET: lost; trying again");
  counts.received = 7;
  expect(outage.waited(wait(1), 9999)).toBeNull();
  counts.received = 8;
  expect(outage.waited(wait(1), 10_000)).toBe(line);
  expect(outage.isNews(refused)).toBe(false);
  expect(outage.last(true)).toBe(
    "gave up after another try; the same command goes on where it stopped",
  );
  expect(outage.last(false)).toBe("gave up after another try");
});

test("what is no outage is told once in the same words, and the end counts the files", () => {
  const outage = new Outage({ received: 5, done: 1, failed: 3 });
  const missing = refusedError("ENOENT", "no such file: /x");
  expect(outage.isNews(missing)).toBe(true);
  expect(outage.last(true)).toBeNull();
  const full = new LocalError("ENOSPC", "reserving 5 bytes for f: no space left on device");
  expect([full, full].map((error) => outage.isNews(error))).toEqual([true, false]);
  expect(outage.last(true)).toBe("3 files are missing");
  expect([outage.isNews(refused), outage.isNews(refused)]).toEqual([true, false]);
  expect(outage.last(true)).toBe("3 files are missing; the same command goes on where it stopped");
});
