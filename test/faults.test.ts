/** That FAULTS.md is true: each fault has tests that are there, or a reason why it has none. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { FAULTS, faultFindings } from "./tidy/faults.ts";
import { readSources, ROOT } from "./tidy/read.ts";

const titled = (numbers: string, title: string): string => `test("${numbers}: ${title}", f);`;

const TESTS = [
  { path: "test/a.test.ts", text: `${titled("1, 2", "cut")}\n${titled("2", "grown")}` },
  { path: "test/b/c.test.ts", text: 'test("goes on", f);' },
];

/** A list of all numbers: `rows` in place of what is true of the first three. */
function listOf(rows: Record<number, string> = {}): string {
  const all = Array.from({ length: FAULTS }, (_, index) => {
    const named = index < 2 ? "`a`" : index === 2 ? '`b/c` "goes on"' : "none: not built at all";
    return rows[index + 1] ?? `| ${index + 1} | a fault | an outcome | ${named} |`;
  });
  return ["| no. | fault | right outcome | tests |", "| --: | --- | --- | --- |", ...all].join(
    "\n",
  );
}

test("a list that is true has no finding", () => {
  expect(faultFindings(listOf(), TESTS)).toEqual([]);
});

test.each([
  ["a number that is missing", { 3: "" }, "FAULTS.md has 4 where 3 of 119 is due"],
  ["a number twice", { 4: "| 3 | f | o | none: not built yet |" }, "has 3 where 4 of 119 is due"],
  ["a last number that is missing", { 119: "" }, "has no more rows where 119 of 119 is due"],
  [
    "one too many",
    { 119: `${listOf().split("\n").at(-1)}\n| 120 | f | o | \`a\` |` },
    "has 120, and ends at 119",
  ],
  ["no outcome", { 3: "| 3 | a fault |  | none: not built yet |" }, "3: write fault, outcome"],
  ["no test and no reason", { 3: "| 3 | f | o |  |" }, "3: write fault, outcome and tests"],
  ["a reason that is none", { 3: "| 3 | f | o | none: |" }, "3: name a test that is there, or why"],
  [
    "a file that is not there",
    { 3: "| 3 | f | o | `d` |" },
    "3: name a test that is there, or why",
  ],
  ["a file without the number", { 3: "| 3 | f | o | `a` |" }, "3: no title of a has the number"],
  [
    "a title that is not there",
    { 3: '| 3 | f | o | `a` "shrunk" |' },
    'a has no title with "shrunk"',
  ],
  [
    "a title's file left out",
    { 2: '| 2 | f | o | `b/c` "goes on" |' },
    "2: its row does not name a,",
  ],
])("%s is found", (_, rows, finding) => {
  expect(faultFindings(listOf(rows as Record<number, string>), TESTS).join("\n")).toContain(
    finding,
  );
});

test("a number in a title that the list does not have is found", () => {
  const more = [...TESTS, { path: "test/d.test.ts", text: titled("119", "new") }];
  expect(faultFindings(listOf(), more)).toEqual([
    "119: its row does not name d, which has it in a title",
  ]);
});

test("FAULTS.md and the titles of tests say the same", async () => {
  // What this file has in quotes are findings, which start with a number as titles do.
  const tests = readSources().filter(
    ({ path }) => /^test\/.*\.test\.ts$/.test(path) && path !== "test/faults.test.ts",
  );
  expect(tests.length).toBeGreaterThan(100);
  expect(faultFindings(await Bun.file(join(ROOT, "test/FAULTS.md")).text(), tests)).toEqual([]);
});
