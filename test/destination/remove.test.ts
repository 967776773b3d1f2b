/** Removing with all below, and nothing beside. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Folder } from "../../src/destination/folder.ts";
import { collect, extraIn, namesIn, remove } from "../../src/destination/remove.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { replaceCall } from "../rig/faults.ts";
import { Tree } from "../rig/tree.ts";
import { failed } from "../rig/destination.ts";
import { openInTrees } from "../rig/open-files.ts";

/** A temporary folder with `files`, and outside of it a file that nobody may touch. */
function setUp(files: Record<string, string | null> = {}) {
  const tree = new Tree({ "outside/keep": "kept", top: null });
  for (const [name, content] of Object.entries(files)) {
    if (content === null) fs.mkdirSync(tree.path(`top/${name}`), { recursive: true });
    else tree.write(`top/${name}`, content);
  }
  const before = openInTrees();
  const folder = Folder.open(tree.path("top"), false);
  return {
    tree,
    folder,
    [Symbol.dispose]() {
      folder.close();
      expect(openInTrees()).toBe(before);
      expect(fs.readFileSync(tree.path("outside/keep"), "latin1")).toBe("kept");
      tree[Symbol.dispose]();
    },
  };
}

test("names are bytes, all of them, without the folder's own", () => {
  using here = setUp({ a: "", d: null, ".hidden": "" });
  fs.writeFileSync(Buffer.from(`${here.tree.path("top")}/\xff\xfe`, "latin1"), "");
  expect(namesIn(here.folder).sort()).toEqual([".hidden", "a", "d", "\xff\xfe"]);
  const gone = failed(() => namesIn(new Folder(-1, "gone")));
  expect([gone.code, gone.message]).toEqual([
    ...["ENOENT", "listing gone: no such file or directory"],
  ]);
});

test("files, empty folders and odd names go; what is gone already is no error", () => {
  using here = setUp({ f: "x", empty: null, "full/came": "x", stays: "x" });
  const odd = Buffer.from(`${here.tree.path("top")}/\xff\n`, "latin1");
  fs.writeFileSync(odd, "");
  expect(Bun.spawnSync(["mkfifo", here.tree.path("top/pipe")]).exitCode).toBe(0);
  const names = ["f", "empty", "\xff\n", "pipe", "pipe", "nope"];
  expect(names.map((name) => remove(here.folder, name))).toEqual(names.map(() => true));
  expect(here.folder.changed).toBe(true);
  expect(remove(here.folder, "full")).toBe(false);
  expect(namesIn(here.folder).sort()).toEqual(["full", "stays"]);
  expect(fs.readdirSync(here.tree.path("top/full"))).toEqual(["came"]);
});

test("a link goes itself; what it points to stays", () => {
  using here = setUp();
  here.tree.link("top/l", here.tree.path("outside"));
  here.tree.link("top/file", here.tree.path("outside/keep"));
  for (const name of ["l", "file"]) expect(remove(here.folder, name)).toBe(true);
  expect(namesIn(here.folder)).toEqual([]);
});

test("a folder that becomes a link under our hands is told", () => {
  using here = setUp({ d: null });
  const path = here.tree.path("top/d");
  using _ = replaceCall("unlinkat", (real) => (fd, name, directory) => {
    fs.rmdirSync(path);
    fs.symlinkSync(here.tree.path("outside"), path);
    return real(fd, name, directory);
  });
  expect(failed(() => remove(here.folder, "d")).code).toBe("ENOTDIR");
});

test("what can't be removed is told with its path, and is still there", () => {
  using here = setUp({ f: "x" });
  using _ = replaceCall("unlinkat", () => () => -ERRNO.EACCES);
  const error = failed(() => remove(here.folder, "f"));
  expect([error.code, error.message]).toEqual([
    "EACCES",
    `removing ${here.tree.path("top/f")}: permission denied`,
  ]);
});

test("what can't be looked at is told as well, and not removed", () => {
  using here = setUp({ f: "x" });
  {
    using _ = replaceCall("statx", () => () => -ERRNO.EACCES);
    expect(failed(() => remove(here.folder, "f")).message).toBe(
      `removing ${here.tree.path("top/f")}: permission denied`,
    );
  }
  expect(namesIn(here.folder)).toEqual(["f"]);
});

test("a file that somebody else removes between looking and removing is no error", () => {
  using here = setUp({ f: "x", stays: "x" });
  const answers: number[] = [];
  using _ = replaceCall("unlinkat", (real) => (fd, name, directory) => {
    fs.rmSync(here.tree.path("top/f"), { force: true });
    const answer = real(fd, name, directory);
    answers.push(answer);
    return answer;
  });
  remove(here.folder, "f");
  expect(answers).toContain(-ERRNO.ENOENT);
  expect(namesIn(here.folder)).toEqual(["stays"]);
});

test("what has a known name by another spelling is not extra where the file system says so", () => {
  using here = setUp({ readme: "x", docs: null, other: "x" });
  const known = new Set(["README", "Docs", "missing"]);
  expect(extraIn(here.folder, known).sort()).toEqual(["docs", "other", "readme"]);
  using _ = replaceCall("statx", (real) => (fd, name, into) => real(fd, name.toLowerCase(), into));
  expect(extraIn(here.folder, known)).toEqual(["other"]);
  // Also where it is the only one, or the only name that is extra.
  expect(extraIn(here.folder, new Set(["README"])).sort()).toEqual(["docs", "other"]);
  expect(extraIn(here.folder, new Set(["README", "docs", "other"]))).toEqual([]);
  expect(extraIn(here.folder, new Set(["readme", "docs", "other", "README"]))).toEqual([]);
});

/** What is collected of `name`, with `kept` to stay, and whether all of it was. */
function collected(folder: Folder, name: string, kept: readonly string[], most = 99) {
  const into: string[] = [];
  const asked: string[] = [];
  const wants = (path: string, type: string): boolean => {
    asked.push(`${type} ${path}`);
    return !kept.includes(path);
  };
  const all = collect(folder, name, { path: name, wants, most, into });
  return { all, into, asked: asked.sort() };
}

test("what is collected comes in front of its folder; a folder in which something stays, stays", () => {
  using here = setUp({ "d/e/f": "x", "d/g": "x", "d/empty": null, file: "x" });
  here.tree.link("top/d/l", here.tree.path("outside"));
  const whole = collected(here.folder, "d", []);
  expect([whole.all, whole.into.at(-1), whole.into.toSorted()]).toEqual([
    ...[true, "d", ["d", "d/e", "d/e/f", "d/empty", "d/g", "d/l"]],
  ]);
  expect(whole.into.indexOf("d/e/f")).toBeLessThan(whole.into.indexOf("d/e"));
  expect(whole.asked).toEqual([
    ...["dir d", "dir d/e", "dir d/empty", "file d/e/f", "file d/g", "file d/l"],
  ]);
  const inner = collected(here.folder, "d", ["d/e/f"]);
  expect([inner.all, inner.into.toSorted()]).toEqual([false, ["d/empty", "d/g", "d/l"]]);
  // What is in a folder that is to stay is not even looked at.
  const none = collected(here.folder, "d", ["d"]);
  expect(none).toEqual({ all: false, into: [], asked: ["dir d"] });
  expect(collected(here.folder, "file", []).into).toEqual(["file"]);
  expect(collected(here.folder, "nope", []).asked).toEqual(["file nope"]);
});

test("collecting stops one behind its bound, and goes on at the bound", () => {
  using here = setUp({ "d/a": "", "d/b": "", "d/c": "" });
  expect(collected(here.folder, "d", [], 4)).toMatchObject({ all: true });
  expect(collected(here.folder, "d", [], 3)).toMatchObject({ all: true });
  const cut = collected(here.folder, "d", [], 1);
  expect([cut.all, cut.into.length]).toEqual([false, 2]);
});

test("a folder that can't be looked at or opened is told with its path, and left closed", () => {
  using here = setUp({ "d/e/f": "x" });
  {
    using _ = replaceCall(
      "openat",
      (real) => (fd, name, flags, mode) =>
        name === "e" ? -ERRNO.EACCES : real(fd, name, flags, mode),
    );
    expect(failed(() => collected(here.folder, "d", [])).message).toBe(
      `opening the folder ${here.tree.path("top/d/e")}: permission denied`,
    );
  }
  using _ = replaceCall("statx", () => () => -ERRNO.EACCES);
  expect(failed(() => collected(here.folder, "d", [])).code).toBe("EACCES");
});
