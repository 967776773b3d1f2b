/** Names that LIST leaves out: counted for everyone, told to whoever asks with left=1. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { exchange, factOf } from "../rig/exchange.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

interface Page {
  readonly lines: string[];
  readonly count: number;
  readonly left: number;
  readonly more: boolean;
}

async function pageOf(port: number, request: string): Promise<Page> {
  const [reply] = await exchange(port, [request]);
  const lines = reply!.body.toString("latin1").split("\n").slice(0, -1);
  const fact = (key: string): number => Number(factOf(reply!, key));
  return { lines, count: fact("count"), left: fact("left"), more: fact("more") === 1 };
}

/** The last name of a page, as the wire has it. */
function lastOf({ lines }: Page): string {
  return (lines.at(-1) ?? "").replace(
    /^(?:file(?: [a-z]+=\S*){3}|dir mtime=\S+|left \S+ \S+) /,
    "",
  );
}

function oddTree(): Tree {
  const tree = new Tree({ "s/b": "", "s/d/x": "", "s/z": "", outside: "" });
  tree.link("s/a-out", "../outside");
  tree.link("s/c-inside", "b");
  tree.link("s/e-nowhere", "gone");
  tree.link("s/f-circle", "f-circle");
  tree.link("s/g-hidden", ".h");
  tree.write("s/.h", "");
  spawnSync("mkfifo", [tree.path("s/p %")]);
  return tree;
}

const LEFT = [
  "left type=link error=EACCES a-out",
  "left type=link error=ENOENT e-nowhere",
  "left type=link error=EACCES f-circle",
  "left type=link error=ENOENT g-hidden",
  "left type=special error=EACCES p %25",
];

test("links out of the root or to nowhere and pipes are counted; left=1 names them in place", async () => {
  using tree = oddTree();
  await using running = new Running(tree.path("s"));
  const { port } = running;
  const plain = await pageOf(port, "LIST /");
  expect([plain.count, plain.left, plain.more]).toEqual([4, 5, false]);
  expect(plain.lines.filter((line) => line.startsWith("left"))).toEqual([]);
  const told = await pageOf(port, "LIST left=1 /");
  expect([told.count, told.left]).toEqual([4, 5]);
  expect(told.lines.filter((line) => line.startsWith("left"))).toEqual(LEFT);
  expect(told.lines.map((line) => line.replace(/^.* (\S+)$/, "$1"))).toEqual(
    "a-out b c-inside d e-nowhere f-circle g-hidden %25 z".split(" "),
  );
  expect(await pageOf(port, "LIST left=0 /")).toEqual(plain);
  // What is asked for by name says the same.
  for (const line of LEFT) {
    const [, code, name] = /error=(\S+) (.*)$/.exec(line) ?? [];
    const [reply] = await exchange(port, [`STAT /${name}`]);
    expect(reply?.line).toStartWith(`ERR ${code} `);
  }
});

test("pages of any size count and name each of them once, in short folders and in wide ones", async () => {
  for (const plain of [0, 2500]) {
    using tree = oddTree();
    for (let i = 0; i < plain; i++) {
      fs.closeSync(fs.openSync(tree.path(`s/n${i}-${"x".repeat(20)}`), "w"));
    }
    for (let i = 0; i < 200; i++) tree.link(`s/l${1000 + i}`, "/etc/passwd");
    await using running = new Running(tree.path("s"));
    for (const limit of plain === 0 ? [1, 2, 7, 4096] : [500]) {
      for (const key of ["", " left=1"]) {
        let [counted, entries, lines, pages] = [0, 0, 0, 0];
        for (let after = "", more = true; more; pages += 1) {
          const page = await pageOf(running.port, `LIST limit=${limit}${key}${after} /`);
          counted += page.left;
          entries += page.count;
          lines += page.lines.length;
          more = page.more;
          after = ` after=${lastOf(page).replaceAll(" ", "%20")}`;
          expect(page.count).toBeLessThanOrEqual(limit);
        }
        const due = key === "" ? 0 : 205;
        expect([limit, key, counted, entries, lines - entries]).toEqual([
          limit,
          key,
          205,
          4 + plain,
          due,
        ]);
        expect(pages).toBeLessThanOrEqual(4 + plain + 1);
      }
    }
  }
}, 60_000);

test("hidden names do not exist and are not left out; links that are switched off are", async () => {
  using tree = new Tree({ a: "", ".b": "" });
  tree.link(".c", "/etc/passwd");
  tree.link("d", "a");
  {
    await using running = new Running(tree.root);
    expect(await pageOf(running.port, "LIST left=1 /")).toMatchObject({ count: 2, left: 0 });
  }
  await using running = new Running(tree.root, { policy: { symlinks: false } });
  const page = await pageOf(running.port, "LIST left=1 /");
  expect(page).toMatchObject({ count: 1, left: 1 });
  expect(page.lines[1]).toBe("left type=link error=EACCES d");
});

test("a folder's id is its own by whatever path, and stays when something is put into it", async () => {
  using tree = new Tree({ "a/b/f": "", "c/f": "" });
  tree.link("c/up", "..");
  tree.link("to-b", "a/b");
  await using running = new Running(tree.root);
  const idOf = async (path: string): Promise<string> => {
    const [reply] = await exchange(running.port, [`LIST ${path}`]);
    return factOf(reply!, "id") ?? "";
  };
  const [root, b, c] = [await idOf("/"), await idOf("/a/b"), await idOf("/c")];
  for (const id of [root, b, c]) expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(new Set([root, b, c]).size).toBe(3);
  expect([await idOf("/c/up"), await idOf("/c/up/to-b/")]).toEqual([root, b]);
  tree.write("a/b/new", "");
  expect(await idOf("/a/b")).toBe(b);
});
