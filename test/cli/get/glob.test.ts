/** `get` with patterns and with folders: what is brought, by which names, and what is refused. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { cli6 } from "../../rig/program.ts";
import { Running } from "../../rig/running.ts";
import { replying } from "../../client/fake.ts";
import { Tree } from "../../rig/tree.ts";

/** Names below `folder` that are files, sorted, as bytes. */
function below(folder: string): string[] {
  const found = fs.readdirSync(folder, { recursive: true, encoding: "latin1" });
  return found
    .filter((name) => fs.statSync(Buffer.from(`${folder}/${name}`, "latin1")).isFile())
    .sort();
}

const FILES = {
  "m1.bin": "1",
  "m2.bin": "2",
  "m10.bin": "10",
  "m*.txt": "literal",
  "mx.txt": "x",
  "d/m3.bin": "3",
  "d/e/m4.bin": "4",
  "e.d/m5.bin": "5",
  "m.d/x": "in a folder",
};

test.each([
  ["m*.bin", ["m1.bin", "m10.bin", "m2.bin"]],
  ["m?.bin", ["m1.bin", "m2.bin"]],
  ["[mn][!0-1]*.bin", ["m2.bin", "n\xff.bin"]],
  ["m{1,2}.bin", ["m1.bin", "m2.bin"]],
  // A file of that very name wins.
  ["m*.txt", ["m*.txt"]],
  ["m\\*.t?t", ["m*.txt"]],
  ["*/m3.bin", ["m3.bin"]],
  ["*/*.bin", ["m3.bin", "m5.bin"]],
  ["d/**/*.bin", ["m3.bin", "m4.bin"]],
  ["**/m[45].bin", ["m4.bin", "m5.bin"]],
  ["d/**", ["m3.bin", "m4.bin"]],
  // Folders that match are left out.
  ["m*", ["m*.txt", "m1.bin", "m10.bin", "m2.bin", "mx.txt"]],
  ["n?.bin", ["n\xff.bin"]],
])("get %j brings what matches", async (pattern, names) => {
  using tree = new Tree(FILES);
  fs.writeFileSync(Buffer.from(tree.path("n\xff.bin"), "latin1"), "odd");
  await using running = new Running(tree.root);
  const at = `127.0.0.1:${running.port}`;
  using here = new Tree();
  // A URL and a bare path are patterns alike.
  const given = names.length === 2 ? [`s6://${at}/${pattern}`] : ["-s", at, pattern];
  const run = await cli6(["get", "-P", here.root, ...given]);
  expect(run).toEqual({ status: 0, out: "", err: "" });
  expect(below(here.root)).toEqual(names);
});

test("no match is status 3 and names the pattern; the others are brought", async () => {
  using tree = new Tree({ ...FILES, "q?": "q", ".hidden/x": "x", ".y": "y" });
  await using running = new Running(tree.root, { policy: { hidden: true } });
  const url = `s6://127.0.0.1:${running.port}`;
  using here = new Tree();
  const run = await cli6(["get", "-P", here.root, `${url}/z*`, `${url}/m1.bin`, `${url}/no/*`]);
  expect(run.err.split("\n").sort()).toEqual([
    "",
    `cli6: ENOENT: nothing matches: /no/* (${url})`,
    `cli6: ENOENT: nothing matches: /z* (${url})`,
  ]);
  expect([run.status, below(here.root)]).toEqual([3, ["m1.bin"]]);
  // What a URL escapes is itself.
  const escaped = await cli6(["get", "-P", here.root, `${url}/m%2A.bin`, `${url}/q%3F`]);
  expect([escaped.status, below(here.root)]).toEqual([3, ["m1.bin", "q?"]]);
  const hidden = await cli6(["get", "-P", here.root, `${url}/*y`, `${url}/*/x`, `${url}/m.[d]/x`]);
  expect(hidden.err).toBe(`cli6: ENOENT: nothing matches: /*y (${url})\n`);
  expect(fs.readFileSync(here.path("x"), "latin1")).toBe("in a folder");
  expect((await cli6(["get", "-P", here.root, `${url}/.*`])).status).toBe(0);
  expect(below(here.root)).toEqual([".y", "m1.bin", "q?", "x"]);
  const folders = await cli6(["get", "-P", here.root, `${url}/e.*`]);
  expect([folders.status, folders.err]).toEqual([
    2,
    "cli6: all that matches /e.* is a folder: -r copies it\n",
  ]);
});

test("two that would get one name, -o and --checksum for several: refused, nothing is brought", async () => {
  using tree = new Tree({ "a/x": "1", "b/x": "2", "c/one": "3" });
  await using running = new Running(tree.root);
  const at = ["get", "-s", `127.0.0.1:${running.port}`];
  using here = new Tree();
  const digest = `sha256:${"0".repeat(64)}`;
  for (const [args, text] of [
    [["*/x"], "two of them would be called x"],
    [["-o", "y", "*/*"], "name is one file's"],
    [["--checksum", digest, "*/*"], "checksum is one file's"],
  ] as const) {
    const run = await cli6([...at, "-P", here.root, ...args]);
    expect([run.status, run.err]).toEqual([2, expect.stringContaining(text)]);
  }
  expect(fs.readdirSync(here.root)).toEqual([]);
  expect((await cli6([...at, "-P", here.root, "-o", "y", "c/*"])).status).toBe(0);
  expect(below(here.root)).toEqual(["y"]);
  expect((await cli6([...at, "-o", "-", "[ab]/x"])).out).toBe("12");
});

test("a server without a floor, and one with too much, are left with status 1", async () => {
  using deep = replying((line) =>
    line.startsWith("LIST") ? "OK 14 count=1 more=0\ndir mtime=1 d\n" : "ERR ENOENT no such file\n",
  );
  const run = await cli6(["get", `s6://${deep.address}/**/x`]);
  expect([run.status, run.err]).toEqual([1, expect.stringContaining("more than 255 levels")]);
  let next = 0;
  using wide = replying((line) => {
    if (!line.startsWith("LIST")) return "ERR ENOENT no such file\n";
    let page = "";
    for (let nth = 0; nth < 2000; nth++) {
      page += `file size=1 mtime=1 etag=0123456789abcdef ${String(next++).padStart(8, "0")}\n`;
    }
    return `OK ${page.length} count=2000 more=1\n${page}`;
  });
  const many = await cli6(["get", `s6://${wide.address}/*`]);
  expect([many.status, many.err]).toEqual([1, expect.stringContaining("more than 10,000 paths")]);
});

test("-r brings folders under their own names, what is missing first, the rest with --force", async () => {
  using tree = new Tree({ "d/a": "a", "d/sub/b": "b", "d/empty": null, "x.d/c": "c", f: "f" });
  await using running = new Running(tree.root);
  const url = `s6://127.0.0.1:${running.port}`;
  using here = new Tree();
  const get = (...args: string[]): ReturnType<typeof cli6> =>
    cli6(["get", "-r", "-P", here.root, ...args]);
  expect(await get(`${url}/d/`, `${url}/f`)).toEqual({ status: 0, out: "", err: "" });
  expect(below(here.root)).toEqual(["d/a", "d/sub/b", "f"]);
  expect(fs.existsSync(here.path("d/empty"))).toBe(true);
  // Ours stays, what only we have too; what is missing comes.
  here.write("d/a", "mine");
  here.write("d/own", "own");
  fs.rmSync(here.path("d/sub/b"));
  const again = await get(`${url}/d`);
  expect(again.err).toBe(
    `cli6: EEXIST: ${here.path("d/a")} exists already (--force replaces it)\n`,
  );
  expect(again.status).toBe(9);
  expect(fs.readFileSync(here.path("d/a"), "latin1")).toBe("mine");
  expect(below(here.root)).toEqual(["d/a", "d/own", "d/sub/b", "f"]);
  expect((await get("--force", `${url}/d`)).status).toBe(0);
  expect(fs.readFileSync(here.path("d/a"), "latin1")).toBe("a");
  // Patterns, another name, the root.
  expect((await get(`${url}/x*`)).status).toBe(0);
  expect((await get("-o", "copy", `${url}/d`)).status).toBe(0);
  expect(below(here.root)).toEqual([
    "copy/a",
    "copy/sub/b",
    "d/a",
    "d/own",
    "d/sub/b",
    "f",
    "x.d/c",
  ]);
  // As with cp(1), into a folder that is there.
  expect((await get("-o", "copy", `${url}/x.d`)).status).toBe(0);
  expect(below(here.path("copy"))).toEqual(["a", "sub/b", "x.d/c"]);
  const root = await get(url);
  expect([root.status, root.err]).toEqual([2, expect.stringContaining("names a folder")]);
  expect((await get("-o", "all", url)).status).toBe(0);
  expect(below(here.path("all"))).toEqual(["d/a", "d/sub/b", "f", "x.d/c"]);
  expect((await cli6(["get", "-r", "-o", "-", `${url}/d`])).status).toBe(2);
});

test("-r follows no link that stands where its folder goes", async () => {
  using tree = new Tree({ "d/a": "theirs" });
  await using running = new Running(tree.root);
  using here = new Tree({ outside: null, in: null });
  here.link("in/d", "../outside");
  const run = await cli6(["get", "-r", "-P", here.path("in"), `s6://127.0.0.1:${running.port}/d`]);
  expect([run.status, run.err]).toEqual([9, expect.stringContaining("links are not followed")]);
  expect(fs.readdirSync(here.path("outside"))).toEqual([]);
});
