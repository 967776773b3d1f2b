/** Which exit status a failure gets: the contract's numbers, written out here once more. */
import { expect, test } from "bun:test";
import { EXIT, exitOf, FirstFailure } from "../../../src/cli/output/exit.ts";
import { refusedError, stalledError } from "../../../src/client/error.ts";
import { LocalError } from "../../../src/destination/error.ts";
import type { FailureKind } from "../../../src/wire/failure.ts";

test("every kind of failure has the contract's status", () => {
  const statuses: Record<FailureKind, number> = {
    unexpected: 1,
    aborted: 1,
    usage: 2,
    "not-found": 3,
    denied: 4,
    incomplete: 5,
    changed: 6,
    "no-connection": 7,
    corrupt: 8,
    local: 9,
    "timed-out": 10,
    protocol: 11,
  };
  for (const [kind, status] of Object.entries(statuses)) {
    expect([kind, Number(exitOf(kind as FailureKind))]).toEqual([kind, status]);
  }
  expect(Object.values(EXIT)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test("the first failure's status stays, whatever fails after it", () => {
  const first = new FirstFailure();
  expect(first.status).toBe(0);
  first.note(refusedError("ESTALE", "it has changed"));
  first.note(stalledError("nothing came"));
  first.note(new LocalError("ENOSPC", "full"));
  expect(Number(first.status)).toBe(6);
});
