/** LIST in pages, and the version that READ, STAT and LIST agree on. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { codeOf, exchange, factOf } from "../rig/exchange.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

/** The name in a line of a LIST, as the wire has it. */
function nameIn(line: string): string {
  return line.replace(/^(?:file(?: [a-z]+=\S*){3}|dir mtime=\S+) /, "");
}

interface Page {
  readonly names: string[];
  readonly more: boolean;
}

async function pageOf(port: number, request: string): Promise<Page> {
  const [reply] = await exchange(port, [request]);
  const names = reply?.body.toString("latin1").split("\n").slice(0, -1).map(nameIn) ?? [];
  expect(reply?.line).toBe(
    `OK ${reply?.body.length} count=${names.length} more=${factOf(reply!, "more")} left=${factOf(reply!, "left")} id=${factOf(reply!, "id")}`,
  );
  return { names, more: factOf(reply!, "more") === "1" };
}

/** All names of `path`, page by page. */
async function pagesOf(port: number, path: string, limit: number): Promise<string[]> {
  const all: string[] = [];
  for (let after = ""; ; after = ` after=${all.at(-1)}`) {
    const { names, more } = await pageOf(port, `LIST limit=${limit}${after} ${path}`);
    all.push(...names);
    if (!more) return all;
    expect([all.length, names.length > 0]).toEqual([all.length, true]);
  }
}

test("a directory of 10,000 names comes in pages of any size, sorted by bytes, each name once", async () => {
  using tree = new Tree();
  const names: string[] = [];
  for (let i = 0; i < 10_000; i++) {
    const name = `${String.fromCharCode(97 + (i % 26))}${"A-_z~.".charAt(i % 6)}${i}`;
    names.push(name);
    if (i % 100 === 0) fs.mkdirSync(tree.path(name));
    else fs.closeSync(fs.openSync(tree.path(name), "w"));
  }
  names.sort();
  await using running = new Running(tree.root);
  for (const limit of [97, 1000, 4096, 10_000]) {
    const all = await pagesOf(running.port, "/", limit);
    expect([limit, all.length, Bun.deepEquals(all, names)]).toEqual([limit, 10_000, true]);
  }
  const first = await pageOf(running.port, "LIST /");
  expect(first).toEqual({ names: names.slice(0, first.names.length), more: true });
  const behind = await pageOf(running.port, `LIST after=${names[9_998]} /`);
  expect(behind).toEqual({ names: [names[9_999]!], more: false });
  // 4 s, and ten times that on one core that other programs share.
}, 90_000);

test("limit=0 tells only whether there is anything", async () => {
  using tree = new Tree({ a: "", b: "", empty: null });
  await using running = new Running(tree.root);
  expect(await pageOf(running.port, "LIST limit=0 /")).toEqual({ names: [], more: true });
  expect(await pageOf(running.port, "LIST limit=0 /empty")).toEqual({ names: [], more: false });
  expect(await pageOf(running.port, "LIST limit=0 after=empty /")).toEqual({
    names: [],
    more: false,
  });
  expect(await pageOf(running.port, "LIST limit=1 after=a /")).toEqual({
    names: ["b"],
    more: true,
  });
  expect(await pageOf(running.port, "LIST limit=3 /")).toEqual({
    names: ["a", "b", "empty"],
    more: false,
  });
});

test("names that can't be had do not stop a client that pages", async () => {
  using tree = new Tree();
  for (let i = 0; i < 300; i++) tree.link(`link${1000 + i}`, "/etc/passwd");
  tree.write("link1100.txt", "");
  tree.write("z", "");
  await using running = new Running(tree.root);
  for (const limit of [1, 2, 50, 1000]) {
    expect(await pagesOf(running.port, "/", limit)).toEqual(["link1100.txt", "z"]);
  }
});

test("READ, STAT and LIST tell one version of a file, and another one after each change", async () => {
  using tree = new Tree({ "d/f": "one" });
  const etags: string[] = [];
  const changes: (() => void)[] = [
    () => undefined,
    () => fs.writeFileSync(tree.path("d/f"), "two"),
    () => fs.appendFileSync(tree.path("d/f"), "more"),
    () => fs.utimesSync(tree.path("d/f"), 1, 1),
    () => (tree.write("new", "one"), fs.renameSync(tree.path("new"), tree.path("d/f"))),
    () => fs.writeFileSync(tree.path("d/f"), Buffer.alloc(100_000, "x")),
  ];
  for (const change of changes) {
    change();
    await using running = new Running(tree.root);
    const lines = ["READ length=1 /d/f", "STAT /d/f", "LIST /d", "READ /d//f"];
    const replies = await exchange(running.port, lines);
    const list = { line: replies[2]!.body.toString("latin1").trimEnd(), body: Buffer.alloc(0) };
    for (const key of ["etag", "mtime", "size"]) {
      const told = [replies[0]!, replies[1]!, list, replies[3]!].map((it) => factOf(it, key));
      expect([key, new Set(told).size]).toEqual([key, 1]);
    }
    const etag = factOf(replies[0]!, "etag");
    expect(etag).toMatch(/^[0-9a-f]{16}$/);
    etags.push(etag);
  }
  expect(new Set(etags).size).toBe(changes.length);
});

test("if= gives the version that was asked for, or ESTALE", async () => {
  using tree = new Tree({ f: "first" });
  await using running = new Running(tree.root);
  const [stat] = await exchange(running.port, ["STAT /f"]);
  const etag = factOf(stat!, "etag");
  const [same] = await exchange(running.port, [`READ offset=1 if=${etag} /f`]);
  expect(same?.body.toString()).toBe("irst");
  tree.write("new", "other");
  fs.renameSync(tree.path("new"), tree.path("f"));
  // By a path that is not in the cache: what is replaced may be served for a second longer.
  const lines = [
    `READ if=${etag} /./f`,
    `READ if=${etag.toUpperCase()}x /./f`,
    "READ /./f",
    "PING",
  ];
  const replies = await exchange(running.port, lines);
  expect(replies.map(codeOf)).toEqual(["ESTALE", "ESTALE", "OK", "OK"]);
  expect(replies[2]?.body.toString()).toBe("other");
});
