/** What is suggested for a mistyped word. */
import { expect, test } from "bun:test";
import { nearest } from "../../../src/cli/flags/suggestion.ts";

const KNOWN = ["get", "mirror", "ls", "stat", "hash", "ping", "--version", "--force"];

test.each([
  ["gte", "get"],
  ["lss", "ls"],
  ["sl", "ls"],
  ["stta", "stat"],
  ["mirrorr", "mirror"],
  ["miror", "mirror"],
  ["mrirro", "mirror"],
  ["--verson", "--version"],
  ["--forse", "--force"],
])("%s means %s", (typed, meant) => expect(nearest(typed, KNOWN)).toBe(meant));

test.each(["", "l", "readme", "getting", "stats.txt", "mrriro x", "--verify", "g".repeat(1e6)])(
  "%.20s means none of them",
  (typed) => expect(nearest(typed, KNOWN)).toBeNull(),
);

test("of two that are equally near the first is taken, and a word that is right is itself", () => {
  expect([nearest("statt", ["state", "stats"]), nearest("ls", KNOWN)]).toEqual(["state", "ls"]);
});
