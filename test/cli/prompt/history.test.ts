/** The file of the prompt's history: where it is, what is read of it, that it stays bounded. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { stateFile } from "../../../src/cli/flags/statefile.ts";
import { History, HISTORY_LINES_MAX } from "../../../src/cli/prompt/history.ts";
import { Tree } from "../../rig/tree.ts";

test("it is below XDG_STATE_HOME, else below the home, else nowhere", () => {
  const cases: [Record<string, string>, string | null][] = [
    [{ XDG_STATE_HOME: "/state", HOME: "/people/u" }, "/state/cli6/history"],
    [{ HOME: "/people/u" }, "/people/u/.local/state/cli6/history"],
    [{ XDG_STATE_HOME: "relative", HOME: "/people/u" }, "/people/u/.local/state/cli6/history"],
    [{ XDG_STATE_HOME: "relative", HOME: "" }, null],
    [{}, null],
  ];
  for (const [environment, file] of cases)
    expect(stateFile("cli6", "history", environment)).toBe(file);
});

test("lines come back the newest first; what could move a cursor is left out", () => {
  using tree = new Tree({});
  const file = `${tree.root}/cli6/history`;
  const history = new History(file);
  for (const line of ["one", "  ", "two words", ""]) history.add(line);
  fs.appendFileSync(file, "\x1b]0;owned\x07\nthree\n");
  expect(history.read()).toEqual(["three", "two words", "one"]);
  fs.chmodSync(file, 0o644);
  history.add("four");
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

test("a file that has grown keeps its last lines, and its mode", () => {
  using tree = new Tree({});
  const file = `${tree.root}/history`;
  const lines = Array.from({ length: 20_000 }, (_, nth) => `get some/file/number/${nth}`);
  fs.writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o644 });
  const read = new History(file).read();
  expect([read.length, read[0], read.at(-1)]).toEqual([
    HISTORY_LINES_MAX,
    lines.at(-1) ?? "",
    lines.at(-HISTORY_LINES_MAX) ?? "",
  ]);
  expect(fs.readFileSync(file, "utf8")).toBe(`${lines.slice(-HISTORY_LINES_MAX).join("\n")}\n`);
  expect([fs.statSync(file).mode & 0o777, fs.readdirSync(tree.root)]).toEqual([0o600, ["history"]]);
});

test("a file that can't be had is no error, and nothing is written through a link", () => {
  using tree = new Tree({ elsewhere: "mine\n", file: "" });
  fs.symlinkSync("elsewhere", `${tree.root}/history`);
  for (const file of [`${tree.root}/history`, `${tree.root}/file/cli6/history`]) {
    const history = new History(file);
    history.add("line");
    expect(history.read().includes("line")).toBe(false);
  }
  expect(fs.readFileSync(`${tree.root}/elsewhere`, "utf8")).toBe("mine\n");
  expect(new History(null).read()).toEqual([]);
});
