/** A log in a file: appended to, opened anew under its name, and no reason to stop serving. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Log } from "../../src/observe/log.ts";
import { openIn } from "../rig/open-files.ts";
import { Tree } from "../rig/tree.ts";
import { LINE } from "./line.ts";

/** The paths of the requests in a file's lines. */
function paths(file: string): string[] {
  return [...fs.readFileSync(file, "utf8").matchAll(/ s6 READ (\S+) /g)].map(([, path]) => path!);
}

test("lines are appended, and those behind reopen() go to a new file of that name", () => {
  using tree = new Tree({ log: "before\n" });
  const file = tree.path("log");
  const log = new Log("human", file);
  log.request({ ...LINE, path: "/1" });
  fs.renameSync(file, tree.path("log.1"));
  log.request({ ...LINE, path: "/2" });
  log.reopen();
  log.request({ ...LINE, path: "/3" });
  log.close();
  expect(fs.readFileSync(tree.path("log.1"), "utf8")).toStartWith("before\n");
  expect([paths(tree.path("log.1")), paths(file)]).toEqual([["/1", "/2"], ["/3"]]);
  expect(fs.statSync(file).mode & 0o777).toBe(0o640);
});

test("a file that can't be opened anew leaves the log in the one it has, which says so", () => {
  using tree = new Tree({ "folder/log": "" });
  const log = new Log("human", tree.path("folder/log"));
  fs.renameSync(tree.path("folder"), tree.path("elsewhere"));
  log.reopen();
  log.request(LINE);
  log.close();
  const text = fs.readFileSync(tree.path("elsewhere/log"), "utf8");
  expect(text).toMatch(/^\S+ the log goes on in the file it has: .*: ENOENT\n\S+ 127\.0\.0\.1 s6 /);
});

test("a file that can't be written is refused at once, and no descriptor stays open", () => {
  using tree = new Tree({ folder: null });
  Bun.spawnSync(["mkfifo", tree.path("fifo")]);
  for (const [name, code] of [
    ["none/log", "ENOENT"],
    ["folder", "EISDIR"],
    ["fifo", "ENXIO"],
  ] as const) {
    expect(() => new Log("human", tree.path(name))).toThrow(`${name}: ${code}`);
  }
  new Log("human", tree.path("log")).close();
  expect(openIn(tree.root)).toBe(0);
});

test("67: /dev/full takes no line, and each is counted", () => {
  const log = new Log("json", "/dev/full");
  for (let i = 0; i < 5; i++) log.request(LINE);
  log.flush();
  expect(log.dropped).toBe(5);
  // More than is gathered: lines that tell of lost ones are lost meanwhile, and count for those.
  for (let i = 0; i < 20_000; i++) log.request(LINE);
  log.flush();
  expect(log.dropped).toBe(20_005);
  log.close();
});
