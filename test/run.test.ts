/** That the gate's last line can be trusted: what the closing counts say, and what they hide. */
import { expect, test } from "bun:test";
import { Tree } from "./rig/tree.ts";
import { judge, phasesOf, readCounts, Recap, workersFor } from "./run.ts";

const CLOSING = `
(pass) a

 3 pass
 1 skip
 2 todo
 1 fail
 1 error
snapshots: +1 added
 9 expect() calls
Ran 7 tests across 2 files. [5.00ms]
`;

test("the closing counts are read, skipped and postponed ones together", () => {
  expect(readCounts(CLOSING)).toEqual({ passed: 3, failed: 1, skipped: 3 });
  expect(readCounts(CLOSING.replace("Ran", "\x1b[2mRan"))?.passed).toBe(3);
});

test("counts that a test printed itself are not taken for the runner's", () => {
  const printed = `${CLOSING.replaceAll("3 pass", "99 pass")}\n 4 pass\n 0 fail\nRan 4 tests across 1 file.`;
  expect(readCounts(printed)).toEqual({ passed: 4, failed: 0, skipped: 0 });
  expect(readCounts(`${CLOSING}\nerror: out of memory\n`)).toBeNull();
});

test("a run that ends without counts, without tests, or with a bad status has failed", () => {
  const good = { passed: 2, failed: 0, skipped: 0 };
  expect(judge(good, 0)).toEqual(good);
  expect(judge(good, 1).failed).toBe(1);
  expect(judge(null, 0).failed).toBe(1);
  expect(judge({ passed: 0, failed: 0, skipped: 5 }, 0).failed).toBe(1);
  expect(judge({ passed: 2, failed: 3, skipped: 0 }, 1).failed).toBe(3);
});

test("what judges how soon clients are served runs behind the others, and only what was named", () => {
  const files = ["test/a.test.ts", "test/abuse/b.test.ts", "test/bench/abuse.test.ts"];
  const [a, b, c] = files as [string, string, string];
  expect(phasesOf(files, [])).toEqual([[a, c], [b]]);
  expect(phasesOf(files, ["abuse"])).toEqual([[c], [b]]);
  expect(phasesOf(files, ["test/abuse"])).toEqual([[b]]);
  expect(phasesOf(files, ["a.test", "none"])).toEqual([[a]]);
  expect(phasesOf(files, ["none"])).toEqual([]);
});

test("two workers for each core, and a bound", () => {
  expect([1, 2, 8, 64].map(workersFor)).toEqual([2, 4, 16, 16]);
});

/** The last line that the runner prints in `tree`, and its exit status. */
function ran(tree: Tree, ...args: string[]): [string | undefined, number] {
  const command = [process.execPath, `${import.meta.dir}/run.ts`, ...args];
  const { stdout, exitCode } = Bun.spawnSync(command, { cwd: tree.root });
  return [stdout.toString().trimEnd().split("\n").at(-1), exitCode];
}

test("the counts of what runs apart are added, and a name that fits nothing is a failure", () => {
  const file = (fails: boolean): string =>
    `import { test } from "bun:test";\ntest("it", () => { if (${fails}) throw new Error(); });\n`;
  using tree = new Tree({ "test/a.test.ts": file(false), "test/abuse/b.test.ts": file(true) });
  expect(ran(tree)).toEqual(["1 passed, 1 failed", 1]);
  expect(ran(tree, "a.test")).toEqual(["1 passed, 0 failed", 0]);
  expect(ran(tree, "abuse", "-t", "it")).toEqual(["0 passed, 1 failed", 1]);
  expect(ran(tree, "none")).toEqual(["0 passed, 1 failed", 1]);
});

test("what tests packages runs where its folder is asked for, and never with the others", () => {
  const file = (name: string): string =>
    `import { test } from "bun:test";\ntest("${name}", () => {});\n`;
  using tree = new Tree({
    "test/a.test.ts": file("a"),
    "test/packages/b.package.ts": file("b") + file("c").replace(/.*\n/, ""),
  });
  expect(ran(tree)).toEqual(["1 passed, 0 failed", 0]);
  expect(ran(tree, "test/packages/")).toEqual(["2 passed, 0 failed", 0]);
  expect(ran(tree, "packages")).toEqual(["0 passed, 1 failed", 1]);
});

test("a worker that dies is a failure, and what the others ran still counts", () => {
  const file = (body: string): string =>
    `import { test } from "bun:test";\ntest("it", async () => { ${body} });\n`;
  for (const death of ["process.kill(process.pid, 9)", "process.exit(0)"]) {
    using tree = new Tree({
      "dies.test.ts": file(`${death}; await Bun.sleep(100);`),
      // Two more, so that there are workers: one file alone runs in the runner itself.
      "a.test.ts": file("await Bun.sleep(1);"),
      "b.test.ts": file("await Bun.sleep(1);"),
    });
    expect([death, ...ran(tree)]).toEqual([death, "2 passed, 1 failed", 1]);
  }
});

test("what failed is told once more, with its file and its reason, however the output was cut", () => {
  const output =
    "test/a.test.ts:\n(pass) fine\nerror: expected 1\n\n      at a.test.ts:2\n\x1b[31m(fail) one [1ms]\n" +
    "test/b.test.ts:\n(pass) well\n" +
    "(fail) two\n\n2 tests failed:\n(fail) one [1ms]\n(fail) two\n";
  for (let at = 0; at <= output.length; at++) {
    const recap = new Recap();
    recap.take(output.slice(0, at));
    recap.take(output.slice(at));
    expect(recap.count).toBe(2);
    expect(recap.text()).toBe(
      "\nwhat failed:\n\n" +
        "test/a.test.ts:\nerror: expected 1\n      at a.test.ts:2\n(fail) one [1ms]\n\n" +
        "test/b.test.ts:\n(fail) two",
    );
  }
});

test("failures told once more are bounded, and so are the lines of each", () => {
  const recap = new Recap();
  for (let i = 0; i < 100; i++) recap.take(`${"line\n".repeat(1000)}(fail) ${i}\n`);
  expect(recap.text().split("\n").length).toBeLessThan(300);
  expect(recap.text()).toEndWith("and 92 more, above");
  expect(new Recap().text()).toBe("");
});
