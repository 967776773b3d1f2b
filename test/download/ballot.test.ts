/** What counts of what several sources say of the same chunks. */
import { expect, test } from "bun:test";
import { verdictOf } from "../../src/download/ballot.ts";

test.each<[ballots: string[], digests: string, dissents: number[]]>([
  [["abc"], "abc", [-1]],
  [["abc", "abc"], "abc", [-1, -1]],
  [["abc", "abx"], "abc", [-1, 2]],
  [["xbc", "abc", "abc"], "abc", [0, -1, -1]],
  [["abx", "abc", "abc"], "abc", [2, -1, -1]],
  // Each of two is outvoted somewhere: what the third says counts.
  [["xbc", "ayc", "abc"], "abc", [0, 1, -1]],
  // No majority: who was named first, unless it has been outvoted.
  [["a", "b", "c"], "a", [-1, 0, 0]],
  [["xa", "bb", "bc"], "bb", [0, -1, 1]],
  [["a", "a", "b", "b"], "a", [-1, -1, 0, 0]],
  [["", ""], "", [-1, -1]],
])("%p: %p", (ballots, digests, dissents) => {
  const verdict = verdictOf(ballots.map((ballot) => [...ballot]));
  expect([verdict.digests.join(""), verdict.dissents]).toEqual([digests, dissents]);
});
