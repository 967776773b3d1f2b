/** `mirror --delete` removes what the server does not have, and nothing else, or nothing at all. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Tree } from "../../rig/tree.ts";
import { cli6 } from "../../rig/program.ts";
import { type Misbehave, Scripted } from "../../rig/scripted.ts";

const ONCE = ["--retry", "0", "--timeout", "5"];

/** Two files of the server's; here one more of everything. */
const SERVED = { "/top/a": "theirs", "/top/d/b": "theirs" };
const HERE = { "to/old": "mine", "to/d/old": "mine", "to/olds/x/y": "mine", "outside/f": "mine" };

function files(tree: Tree): string[] {
  return fs
    .readdirSync(tree.root, { recursive: true })
    .map(String)
    .filter((name) => !name.startsWith("to/link/"))
    .filter((name) => !fs.lstatSync(tree.path(name)).isDirectory())
    .toSorted();
}

async function mirrored(flags: readonly string[], misbehave?: Misbehave) {
  const tree = new Tree(HERE);
  tree.link("to/link", "../outside");
  using server = new Scripted(SERVED, misbehave);
  const run = await cli6(["mirror", ...ONCE, ...flags, server.url("/top"), tree.path("to")]);
  return { run, tree };
}

const KEPT = ["outside/f", "to/d/old", "to/link", "to/old", "to/olds/x/y"];

test("all that is not there goes, links without what they lead to; folders with what is in them", async () => {
  const { run, tree } = await mirrored(["--delete"]);
  using _tree = tree;
  expect(run).toEqual({ status: 0, out: "", err: "" });
  expect(files(tree)).toEqual(["outside/f", "to/a", "to/d/b"]);
  expect(fs.readdirSync(tree.path("to"))).toEqual(["a", "d"]);
});

test("without --delete, and with -n, all stays; -n says what would go", async () => {
  const plain = await mirrored([]);
  using _plain = plain.tree;
  expect(files(plain.tree)).toEqual([...KEPT, "to/a", "to/d/b"].toSorted());
  const dry = await mirrored(["-n", "--delete"]);
  using _dry = dry.tree;
  expect(files(dry.tree)).toEqual(KEPT);
  const removed = dry.run.err.split("\n").filter((line) => line.startsWith("removed"));
  expect(removed.map((line) => line.slice(19)).toSorted()).toEqual([
    "d/old",
    "link",
    "old",
    "olds",
    "olds/x",
    "olds/x/y",
  ]);
});

test("-n tells the size of each file and the sum, and writes neither", async () => {
  using server = new Scripted({ "/top/a": "x".repeat(2048), "/top/d/b": "y".repeat(1024) });
  using tree = new Tree({ "to/d/b": "other", "to/old": "old" });
  const dry = ["mirror", "-n", "--delete", server.url("/top"), tree.path("to")];
  const run = await cli6(dry);
  const lines = run.err.split("\n");
  expect(lines.slice(0, 3).toSorted()).toEqual([
    "changed   1.0 KiB  d/b",
    "new       2.0 KiB  a",
    "removed            old",
  ]);
  expect(lines.slice(3)).toEqual(["2 files to fetch, 3.0 KiB; 1 to remove", ""]);
  expect([run.status, run.out]).toEqual([0, ""]);
  expect(files(tree)).toEqual(["to/d/b", "to/old"]);
  expect((await cli6([...dry, "-q"])).err).toBe("");
  expect((await cli6(dry.toSpliced(1, 1))).status).toBe(0);
  expect((await cli6(dry)).err).toBe("nothing to do; 2 files unchanged\n");
});

test.each<[string, number, Misbehave]>([
  [
    "a list that fails",
    4,
    ({ verb, path }) =>
      verb === "LIST" && path === "/top/d"
        ? { bytes: "ERR EACCES permission denied\n" }
        : undefined,
  ],
  [
    "a list that breaks off",
    5,
    ({ verb, path }, honest) =>
      verb === "LIST" && path === "/top/d"
        ? { bytes: honest().subarray(0, 30), ending: "fin" }
        : undefined,
  ],
  [
    "a folder that has gone",
    3,
    ({ verb, path }) =>
      verb === "LIST" && path === "/top/d" ? { bytes: "ERR ENOENT no such file\n" } : undefined,
  ],
  [
    "a top that can't be listed",
    4,
    ({ verb, path }) =>
      verb === "LIST" && path === "/top/" ? { bytes: "ERR EACCES permission denied\n" } : undefined,
  ],
  [
    "a transfer that fails",
    4,
    ({ verb, path }) =>
      verb === "READ" && path === "/top/a"
        ? { bytes: "ERR EACCES permission denied\n" }
        : undefined,
  ],
  [
    "a transfer that breaks off",
    5,
    ({ verb, path }, honest) =>
      verb === "READ" && path === "/top/d/b"
        ? { bytes: honest().subarray(0, 3), ending: "fin" }
        : undefined,
  ],
])("after %s nothing is removed", async (_what, status, misbehave) => {
  const { run, tree } = await mirrored(["--delete"], misbehave);
  using _tree = tree;
  expect(run.status).toBe(status);
  expect(files(tree)).toEqual(expect.arrayContaining(KEPT));
});

test("over --max-delete nothing is removed: what lies in folders counts", async () => {
  // link, old, d/old, and olds with x and y: six.
  const over = await mirrored(["--delete", "--max-delete", "5"]);
  using _over = over.tree;
  expect(over.run.err).toContain("more than 5 files would be removed, so none is (--max-delete)");
  expect(over.run.status).toBe(9);
  expect(files(over.tree)).toEqual(expect.arrayContaining(KEPT));
  const none = await mirrored(["--delete", "--max-delete", "0"]);
  using _none = none.tree;
  expect(none.run.err).toContain("E2BIG: files would be removed, so none is (--max-delete)");
  expect(none.run.status).toBe(9);
  expect(files(none.tree)).toEqual(expect.arrayContaining(KEPT));
  const just = await mirrored(["--delete", "--max-delete", "6"]);
  using _just = just.tree;
  expect(just.run.status).toBe(0);
  expect(files(just.tree)).toEqual(["outside/f", "to/a", "to/d/b"]);
});

test("what is left out of the mirror stays, and so do the folders above it", async () => {
  const excluded = await mirrored(["--delete", "--exclude", "y"]);
  using _excluded = excluded.tree;
  expect(excluded.run.status).toBe(0);
  expect(files(excluded.tree)).toEqual(["outside/f", "to/a", "to/d/b", "to/olds/x/y"]);

  const folder = await mirrored(["--delete", "--exclude", "d/"]);
  using _folder = folder.tree;
  expect(files(folder.tree)).toEqual(["outside/f", "to/a", "to/d/old"]);

  const included = await mirrored(["--delete", "--include", "old"]);
  using _included = included.tree;
  expect(files(included.tree)).toEqual(["outside/f", "to/link", "to/olds/x/y"]);

  const dry = await mirrored(["-n", "--delete", "--exclude", "y"]);
  using _dry = dry.tree;
  expect(dry.run.err).not.toContain("olds");
});
