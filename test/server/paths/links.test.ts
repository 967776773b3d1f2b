/** Links, hidden names and the root itself: faults 8 to 10, 16, 17, 20 and 21. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { codeOf, codesOf, exchange } from "../../rig/exchange.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

// Fault 17, a deny rule asked for in other letters, needs a file system that folds case: none here.

/** The names that LIST shows. */
async function namesOf(port: number, path: string): Promise<string[]> {
  const [reply] = await exchange(port, [`LIST ${path}`]);
  const lines = reply?.body.toString("latin1").split("\n").slice(0, -1) ?? [];
  return lines.map((line) => line.replace(/^(?:file(?: [a-z]+=\S*){3}|dir mtime=\S+) /, ""));
}

test("9: a link that leaves the root is EACCES for each verb, and not listed", async () => {
  using outside = new Tree({ secret: "SECRET" });
  using tree = new Tree({ f: "inside", d: null });
  tree.link("absolute", outside.path("secret"));
  tree.link("relative", "../../../../../../../../etc/passwd");
  tree.link("process", "/proc/self/root/etc/passwd");
  tree.link("descriptor", "/proc/self/fd/0");
  tree.link("directory", outside.root);
  tree.link("above", "..");
  tree.link("d/chain", "../absolute");
  tree.link("loop", "loop");
  // Absolute links start at the root of the system, which is outside wherever they lead.
  tree.link("home", tree.path("f"));
  await using running = new Running(tree.root);
  const paths = ["/absolute", "/relative", "/process", "/descriptor", "/directory", "/above"];
  paths.push("/directory/secret", "/above/etc/passwd", "/d/chain", "/loop", "/loop/x", "/home");
  const lines = paths.flatMap((path) => ["READ", "STAT", "LIST"].map((verb) => `${verb} ${path}`));
  const want = lines.map((line): [string, string] => [line, "EACCES"]);
  expect(await codesOf(running.port, lines)).toEqual(want);
  for (const path of paths) {
    const { text } = await running.ask(`${path}\n`);
    expect(text).toBe(`ERROR EACCES: permission denied: ${path}\n`);
  }
  expect(await namesOf(running.port, "/")).toEqual(["d", "f"]);
  expect(await namesOf(running.port, "/d")).toEqual([]);
});

/** Links that stay inside, all to the same content. */
function insideLinks(): Tree {
  const tree = new Tree({ "a/f": "inside", "b/c/deep": "deep" });
  tree.link("file", "a/f");
  tree.link("b/up", "../a/f");
  tree.link("b/c/twice", "../up");
  tree.link("directory", "./a");
  return tree;
}

const INSIDE = ["/file", "/b/up", "/b/c/twice", "/directory/f"];

test("10: links that stay inside are served", async () => {
  using tree = insideLinks();
  await using running = new Running(tree.root);
  const replies = await exchange(
    running.port,
    INSIDE.map((path) => `READ ${path}`),
  );
  expect(replies.map(({ body }) => body.toString())).toEqual(INSIDE.map(() => "inside"));
  expect((await running.ask("b/c/twice\n")).text).toBe("inside");
  expect(await namesOf(running.port, "/")).toEqual(["a", "b", "directory", "file"]);
  expect(await namesOf(running.port, "/directory")).toEqual(["f"]);
  const [stat] = await exchange(running.port, ["STAT /file"]);
  expect(stat?.line).toStartWith("OK 0 type=file size=6 ");
});

test("10: where links are off, no link is followed, and none is listed", async () => {
  using tree = insideLinks();
  await using running = new Running(tree.root, { policy: { symlinks: false } });
  const lines = INSIDE.flatMap((path) => [`READ ${path}`, `STAT ${path}`]).concat(
    "LIST /directory",
  );
  const want = lines.map((line): [string, string] => [line, "EACCES"]);
  expect(await codesOf(running.port, lines)).toEqual(want);
  expect(await namesOf(running.port, "/")).toEqual(["a", "b"]);
  expect((await running.ask("a/f\n")).text).toBe("inside");
});

/** Hidden names, and open ones that lead to them. */
function hiddenTree(): Tree {
  const tree = new Tree({
    ".git/config": "hidden",
    "a/.env": "hidden",
    ".hidden": "hidden",
    "a/open": "open",
    "...": "hidden",
  });
  tree.link("config", ".git/config");
  tree.link("repository", ".git");
  tree.link("a/env", ".env");
  tree.link("again", "config");
  tree.link("open", "a/open");
  tree.link(".link", "a/open");
  return tree;
}

const HIDDEN = ["/.git/config", "/a/.env", "/.hidden", "/...", "/.link", "/.git", "/.git/"];
const LEADING = ["/config", "/repository/config", "/a/env", "/again", "/repository"];

test("16: hidden names do not exist, nor do names that lead to them", async () => {
  using tree = hiddenTree();
  await using running = new Running(tree.root);
  const paths = [...HIDDEN, ...LEADING, "/.none", "/./.hidden", "//.hidden", "/%2ehidden"];
  const lines = paths.flatMap((path) => ["READ", "STAT", "LIST"].map((verb) => `${verb} ${path}`));
  const want = lines.map((line): [string, string] => [line, "ENOENT"]);
  expect(await codesOf(running.port, lines)).toEqual(want);
  for (const path of [".git/config", ".hidden", "config", tree.path(".hidden")]) {
    expect((await running.ask(`${path}\n`)).text).toStartWith("ERROR ENOENT: ");
  }
  expect(await namesOf(running.port, "/")).toEqual(["a", "open"]);
  expect(await namesOf(running.port, "/a")).toEqual(["open"]);
  expect((await running.ask("open\n")).text).toBe("open");
});

test("16: where they are asked for, hidden names are served and listed", async () => {
  using tree = hiddenTree();
  await using running = new Running(tree.root, { policy: { hidden: true } });
  const files = ["/.git/config", "/a/.env", "/.hidden", "/...", ...LEADING.slice(0, 4)];
  const replies = await exchange(
    running.port,
    files.map((path) => `READ ${path}`),
  );
  expect(replies.map(({ body }) => body.toString())).toEqual(files.map(() => "hidden"));
  const top = ["...", ".git", ".hidden", ".link", "a", "again", "config", "open", "repository"];
  expect(await namesOf(running.port, "/")).toEqual(top);
});

test("16: a root below a hidden directory hides nothing of its own", async () => {
  using tree = new Tree({ ".config/root/f": "open" });
  tree.link(".config/root/link", "f");
  await using running = new Running(tree.path(".config/root"));
  expect((await running.ask("link\n")).text).toBe("open");
});

test("20: a hard link to a file outside is served: nothing tells it from a file inside", async () => {
  using outside = new Tree({ shared: "shared" });
  using tree = new Tree();
  fs.linkSync(outside.path("shared"), tree.path("hard"));
  await using running = new Running(tree.root);
  expect((await running.ask("hard\n")).text).toBe("shared");
});

test("21: a root that is renamed and replaced stays the one that was opened", async () => {
  using tree = new Tree({ "root/f": "first" });
  tree.link("root/link", "f");
  await using running = new Running(tree.path("root"));
  fs.renameSync(tree.path("root"), tree.path("moved"));
  tree.write("root/f", "second");
  tree.write("moved/new", "came later");
  for (const [path, text] of [
    ["f", "first"],
    ["link", "first"],
    ["new", "came later"],
  ] as const) {
    expect((await running.ask(`${path}\n`)).text).toBe(text);
  }
  expect(await namesOf(running.port, "/")).toEqual(["f", "link", "new"]);
  fs.rmSync(tree.path("moved"), { recursive: true });
  const lines = ["READ /other", "STAT /f", "READ /./f"];
  const replies = await exchange(running.port, lines);
  expect(replies.map(codeOf)).toEqual(["ENOENT", "ENOENT", "ENOENT"]);
});
