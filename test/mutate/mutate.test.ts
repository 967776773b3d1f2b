/**
 * The mutation runner itself: which mutants a text has, one that is caught and one that isn't, the
 * table's sums, and that each entry among the equivalents still speaks of a mutant.
 */
import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EQUIVALENTS, equivalentOf } from "./equivalents.ts";
import { type Mutant, mutantsOf } from "./operators.ts";
import { CAUGHT_PERCENT_MIN, percentOf, statusOf, tableOf } from "./table.ts";
import { ROOMS, testsFor } from "./rooms.ts";
import { Copy, failedIn } from "./trial.ts";

/** Not a number that any operator changes, so that each snippet has its own mutants only. */
const HEAD = "declare const a: any, b: any, f: any;\n";

test.each<[string, string[]]>([
  ["f(a < b);", ["boundary: f(a <= b);"]],
  ["f(a >= b);", ["boundary: f(a > b);"]],
  ["f(a === b);", ["equality: f(a !== b);"]],
  ["f(a - b);", ["arithmetic: f(a + b);"]],
  ["f(a && b);", ["logical: f(a || b);"]],
  ["if (f(a)) b();", ["condition: if (!(f(a))) b();"]],
  ["f(a, 0);", ["number: f(a, 1);"]],
  ["f(a, 1n);", ["number: f(a, 0n);"]],
  ["f(a, 1_000);", ["number: f(a, 1001);"]],
  ["f(await a);", ["await: f(a);"]],
  ["for await (const it of a) f(it);", []],
  ["f();\na.close();", ["call: ;"]],
  ["export const g = () => {\n  return true;\n};", ["return: return false;"]],
  ["export const g = () => {\n  return a;\n};", ["return: return null as never;"]],
  ['f("a < b");', ['string: f("");']],
  ['f("");', []],
  ['import it from "it";\nf(it);', ["call: ;"]],
  ["// a < b\nf(a); // 1 + 1", []],
  ["let c: 1 | 2 = a;\nf(c);", ["call: ;"]],
  ["const c: Map<string, 1> = a;\nf(c);", ["call: ;"]],
])("%j has its mutants and no other", (text, expected) => {
  const made = mutantsOf({ path: "it.ts", text: HEAD + text });
  const own = made.filter(({ line, operator }) => !(operator === "call" && line === 2));
  expect(own.map(({ operator, after }) => `${operator}: ${after}`)).toEqual(expected);
});

test("one mutant is caught, one survives, and one that hangs is told apart", async () => {
  const root = mkdtempSync(join(tmpdir(), "mutated-"));
  try {
    for (const folder of ["src", "test", "node_modules"]) mkdirSync(join(root, folder));
    const path = "src/least.ts";
    const text = "export const least = (a: number, b: number) => (a < b ? a : b + 0);\n";
    writeFileSync(join(root, path), text);
    writeFileSync(
      join(root, "test/least.test.ts"),
      `import { expect, test } from "bun:test";
      import { least } from "../src/least.ts";
      test("least", () => expect([least(1, 2), least(2, 1)]).toEqual([1, 1]));`,
    );
    const mutants = mutantsOf({ path, text });
    using copy = new Copy(root);
    const tried = async (operator: string): Promise<string> => {
      const mutant = mutants.find((it) => it.operator === operator)!;
      return await copy.try(mutant, ["test/least.test.ts"], 60_000);
    };
    expect([await tried("number"), copy.caughtBy]).toEqual(["caught", "test/least.test.ts"]);
    expect([await tried("boundary"), copy.caughtBy]).toEqual(["survived", ""]);
    const hanging = { ...mutants[0]!, text: "for (;;);\nexport const least = 1;\n" };
    expect(await copy.try(hanging, ["test/least.test.ts"], 500)).toBe("timed out");
    expect(await Bun.file(join(copy.folder, path)).text()).toBe(text);
    expect(await Bun.file(join(root, path)).text()).toBe(text);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("who has caught a file's mutants lately runs before who imports it, and behind its namesake", () => {
  const room = ROOMS.find(({ name }) => name === "store")!;
  const lately = ["test/store/disk.test.ts", "test/store/body.test.ts"];
  const tests = testsFor(room, "src/store/pages.ts", ".", lately);
  expect(tests.slice(0, 3)).toEqual(["test/store/pages.test.ts", ...lately]);
  expect(testsFor(room, "src/store/snapshotpage.ts", ".")[0]).toBe("test/store/snapshots.test.ts");
  expect(tests.toSorted()).toEqual(testsFor(room, "", ".").toSorted());
});

test("the file of the first failure is read from what the runner tells", () => {
  const told = "\ntest/a.test.ts:\n(pass) one\n\ntest/b.test.ts:\nerror: no\n(fail) two\n";
  expect([failedIn(told), failedIn(`${told}\ntest/c.test.ts:\n(fail) x`)]).toEqual([
    "test/b.test.ts",
    "test/b.test.ts",
  ]);
  expect([failedIn("test/a.test.ts:\n(pass) (fail) \n"), failedIn("")]).toEqual(["", ""]);
});

test.each(["SIGINT", "SIGTERM"] as const)("a run that gets %s leaves no copy", async (signal) => {
  const temporary = mkdtempSync(join(tmpdir(), "mutated-"));
  try {
    await using run = Bun.spawn([process.execPath, "test/mutate/run.ts", "guard"], {
      env: { ...process.env, TMPDIR: temporary },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    let said = "";
    for await (const part of run.stderr) {
      said += Buffer.from(part).toString();
      if (said.includes("\n")) break;
    }
    expect(said).toStartWith(`mutating a copy in ${join(temporary, "mutate-")}`);
    run.kill(signal);
    expect([await run.exited, readdirSync(temporary)]).toEqual([
      { SIGINT: 130, SIGTERM: 143 }[signal],
      [],
    ]);
  } finally {
    rmSync(temporary, { recursive: true });
  }
});

test("a sample of which too few are caught ends in 1, one that is caught in 0", () => {
  expect([statusOf(CAUGHT_PERCENT_MIN - 0.1), statusOf(CAUGHT_PERCENT_MIN)]).toEqual([1, 0]);
});

test("an entry that speaks of no mutant any more is found out", async () => {
  const entry = EQUIVALENTS[0]!;
  const mutants = mutantsOf({ path: entry.path, text: await Bun.file(entry.path).text() });
  const stale = { ...entry, before: `${entry.before} // changed` };
  const found = [entry, stale].map((it) => mutants.some((mutant) => equivalentOf(mutant, [it])));
  expect(found).toEqual([true, false]);
});

test("equivalents do not count, and what timed out counts as caught", () => {
  expect(percentOf(["caught", "timed out", "survived", "survived", "equivalent"])).toBe(50);
  expect(percentOf([])).toBe(100);
  const table = tableOf(new Map([["wire", ["caught", "equivalent"]]]));
  expect(
    table
      .split("\n")
      .at(-1)!
      .split(/ *\| */),
  ).toEqual(["", "all", "2", "1", "0", "1", "0", "100.0", ""]);
});

test("each equivalent is still a mutant of its file, and has a reason", async () => {
  const byPath = new Map<string, Mutant[]>();
  for (const path of new Set(EQUIVALENTS.map((entry) => entry.path))) {
    byPath.set(path, mutantsOf({ path, text: await Bun.file(path).text() }));
  }
  for (const entry of EQUIVALENTS) {
    const { path, before, after, reason } = entry;
    const mutants = byPath.get(path)!;
    const found = mutants.some((mutant: Mutant) => equivalentOf(mutant, [entry]) === entry);
    expect([path, before, after, found]).toEqual([path, before, after, true]);
    expect(reason).not.toBe("");
  }
});
