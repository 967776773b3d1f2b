/** Names at the limits of length and with every byte in them: faults 22 and 23. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { codeOf, codesOf, exchange } from "../../rig/exchange.ts";
import { Running } from "../../rig/running.ts";
import { Tree } from "../../rig/tree.ts";

/** Every byte of `text` as an escape: the test's own encoder, which leaves nothing to chance. */
const every = (text: string): string =>
  [...text].map((it) => `%${it.charCodeAt(0).toString(16).padStart(2, "0")}`).join("");

/** Writes a file whose name is bytes. */
function write(tree: Tree, name: string, content: string): void {
  fs.writeFileSync(
    Buffer.concat([Buffer.from(`${tree.root}/`), Buffer.from(name, "latin1")]),
    content,
  );
}

test("22: names of 255 bytes are served, 256 are ENAMETOOLONG", async () => {
  const longest = "n".repeat(255);
  using tree = new Tree({ [longest]: "longest", [`d/${longest}`]: "below" });
  await using running = new Running(tree.root);
  expect((await running.ask(`${longest}\n`)).text).toBe("longest");
  const [read] = await exchange(running.port, [`READ /d/${every(longest)}`]);
  expect(read?.body.toString()).toBe("below");
  const lines = [`READ /${longest}n`, `STAT /d/${longest}n`, `LIST /${longest}n`];
  const want = lines.map((line): [string, string] => [line, "ENAMETOOLONG"]);
  expect(await codesOf(running.port, lines)).toEqual(want);
});

test("22: paths of 4,095 bytes are looked up, longer ones are ENAMETOOLONG", async () => {
  using tree = new Tree();
  await using running = new Running(tree.root);
  const of = (count: number): string => "x/".repeat(count / 2) + "x".repeat(count % 2);
  const codes = await codesOf(running.port, [
    `READ /${of(4095)}`,
    `READ /${of(4096)}`,
    `STAT /${of(8000)}`,
    `LIST /${"x".repeat(4096)}`,
  ]);
  expect(codes.map(([, code]) => code)).toEqual([
    "ENOENT",
    "ENAMETOOLONG",
    "ENAMETOOLONG",
    "ENAMETOOLONG",
  ]);
  expect((await running.ask(`${of(5000)}\n`)).text).toStartWith("ERROR ENAMETOOLONG: ");
});

test("22: a file 2,000 directories deep is served", async () => {
  using tree = new Tree();
  const half = "a/".repeat(1000);
  tree.write(`${half}f`, "half way");
  // Its whole path is too long for one call: the second half starts from a descriptor.
  const fd = fs.openSync(tree.path(half), "r");
  const below = `/proc/self/fd/${fd}/${half}`;
  fs.mkdirSync(below, { recursive: true });
  fs.writeFileSync(`${below}f`, "deep");
  await using running = new Running(tree.root);
  const lines = [`READ /${half}f`, `READ /${half}${half}f`, `LIST /${half}${half}`];
  const [first, second, list] = await exchange(running.port, lines);
  expect([first?.body.toString(), second?.body.toString()]).toEqual(["half way", "deep"]);
  expect(list?.body.toString()).toMatch(/^file size=4 mtime=[0-9]+ etag=[0-9a-f]{16} f\n$/);
  fs.closeSync(fd);
  // Takes 20 ms; the removal of the whole tree, which would do it too, takes 8 s.
  Bun.spawnSync(["rm", "-rf", tree.path("a")]);
});

const TEXT_NAMES = [
  " leading",
  "trailing ",
  " ",
  "-rf",
  "--",
  "~",
  "*",
  "$HOME",
  "a b  c",
  "READ x",
];
const BYTE_NAMES = ["a\nb", "\r", "a\r", "\t", "\x1b[31m", "\x9b", "\xff\xfe", "%", "%41", "100%"];
const MORE_NAMES = ["\xc3\xa9", "\xe2\x80\xae", "\x01", "\x7f", "\\", '"', "offset=1", "PING", "#"];

test("22: names with spaces and other meanings are served as they are", async () => {
  using tree = new Tree();
  for (const name of TEXT_NAMES) write(tree, name, `content of ${name}`);
  await using running = new Running(tree.root);
  for (const name of TEXT_NAMES) {
    expect((await running.ask(`./${name}\n`)).text).toBe(`content of ${name}`);
    const [read] = await exchange(running.port, [`READ /${name}`]);
    expect(read?.body.toString()).toBe(`content of ${name}`);
  }
});

test("23: LIST prints any name by the escapes with which READ and STAT find it", async () => {
  const names = [...TEXT_NAMES, ...BYTE_NAMES, ...MORE_NAMES];
  for (let code = 1; code < 256; code++) {
    const byte = String.fromCharCode(code);
    if (byte !== "/") names.push(`b${byte}`);
  }
  using tree = new Tree();
  for (const name of names) write(tree, name, every(name));
  await using running = new Running(tree.root);
  const [list] = await exchange(running.port, ["LIST /"]);
  const lines = list?.body.toString("latin1").split("\n").slice(0, -1) ?? [];
  const shown = lines.map((line) => line.replace(/^file(?: [a-z]+=\S*){3} /, ""));
  expect(shown.length).toBe(names.length);
  const reads = await exchange(
    running.port,
    shown.map((name) => `READ /${name}`),
  );
  expect(reads.map(({ body }) => body.toString())).toEqual([...names].sort().map(every));
  const stats = await exchange(
    running.port,
    shown.map((name) => `STAT /${name}`),
  );
  expect(stats.filter((reply) => codeOf(reply) !== "OK")).toEqual([]);
  for (const name of shown) expect(name).toMatch(/^[^\0-\x1f\x7f]+$/);
  expect(shown).toContain("a%0Ab");
  expect(shown).toContain("%FF%FE");
  expect(shown).toContain("\xc3\xa9");
});

test("23: after= goes on behind a name with any byte in it", async () => {
  const names = ["a", "a ", "a\n", "a%", "a\xff", "b"].sort();
  using tree = new Tree();
  for (const name of names) write(tree, name, "");
  await using running = new Running(tree.root);
  const seen: string[] = [];
  for (let after = ""; ;) {
    const [page] = await exchange(running.port, [`LIST limit=1 after=${after} /`]);
    const shown = / ([^\n]*)\n$/.exec(
      page?.body.toString("latin1").replace(/^.*?etag=\S+/, "") ?? "",
    );
    if (shown === null) break;
    seen.push(decodeURIComponent((shown[1] ?? "").replace("%FF", "%C3%BF")));
    after = (shown[1] ?? "").replaceAll(" ", "%20");
  }
  expect(seen).toEqual(names);
});

test("23: a refusal tells a name by escapes, on one line", async () => {
  using tree = new Tree();
  await using running = new Running(tree.root);
  const [reply] = await exchange(running.port, ["READ /%0aOK 0%0d%1b[2J%9b%e2%80%ae"]);
  expect(reply?.line).toBe("ERR ENOENT no such file: /\\x0aOK 0\\x0d\\x1b[2J\\x9b\\u{202e}");
  expect((await running.ask("a\rb\x1b\n")).text).toBe("ERROR ENOENT: no such file: a\\x0db\\x1b\n");
});
