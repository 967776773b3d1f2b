/** `get` of one file from several servers: which words mean that, and what a person is told. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content } from "../../rig/oracle.ts";
import { cli6 } from "../../rig/program.ts";
import { Scripted } from "../../rig/scripted.ts";
import { TAMPERING } from "../../rig/tampering.ts";
import { Tree } from "../../rig/tree.ts";

const MIB = 1024 * 1024;
const large = content(4, 1, 17 * MIB);
const FILES = { "/f": large, "/g": "small" };

test("several URLs, -s A,B and CLI6_SERVER: both bring it, and -v tells how much", async () => {
  using one = new Scripted(FILES);
  using other = new Scripted(FILES);
  const both = `${one.fake.address},${other.fake.address}`;
  const ways: readonly (readonly [args: readonly string[], server: string])[] = [
    [[one.url("/f"), other.url("/f")], ""],
    [["-s", both, "f"], ""],
    [["f"], both],
  ];
  for (const [args, server] of ways) {
    using here = new Tree();
    const env: Record<string, string> = server === "" ? {} : { CLI6_SERVER: server };
    const { status, err } = await cli6(["get", "-v", "-P", here.root, ...args], { env });
    expect(status).toBe(0);
    expect(fs.readFileSync(here.path("f")).equals(large)).toBe(true);
    const [name = "", ...lines] = err.trimEnd().split("\n");
    expect(name).toBe(here.path("f"));
    for (const [nth, { fake }] of [one, other].entries()) {
      expect(lines[nth]).toMatch(/^ {2}[0-9.]+ \S+ from s6:\/\/[0-9.:]+ \([0-9.]+ \S+\/s\)$/);
      expect(lines[nth]).toContain(` s6://${fake.address} `);
      expect(lines[2]).toContain(` from s6://${fake.address}`);
    }
    expect(lines[2]).toContain("all verified, ");
  }
});

test("who sends wrong bytes is named on stderr and in JSON lines, and the status is 0", async () => {
  using good = new Scripted(FILES);
  using bad = new Scripted(FILES, TAMPERING);
  using here = new Tree();
  const args = ["-P", here.root, bad.url("/f"), good.url("/f")];
  const { status, err } = await cli6(["get", ...args]);
  expect([status, err]).toEqual([
    0,
    expect.stringMatching(/^s6:\S+\/f is left out: it sent wrong bytes \d+ on\n$/),
  ]);
  expect(err).toStartWith(bad.url("/f"));
  expect(fs.readFileSync(here.path("f")).equals(large)).toBe(true);
  const json = await cli6(["get", "-f", "--whole-file", "--progress", "json", ...args]);
  const file = json.err
    .split("\n")
    .filter((line) => line.includes('"event":"file"'))
    .map((line) => JSON.parse(line) as { sources: { server: string; left: boolean }[] });
  expect(file[0]?.sources.map(({ server, left }) => [server, left])).toEqual([
    [`s6://${bad.fake.address}`, true],
    [`s6://${good.fake.address}`, false],
  ]);
});

test("under one name URLs of any path on different servers are one file", async () => {
  using one = new Scripted({ "/v1": large });
  using other = new Scripted({ "/mirror/v1": large, "/x": "x" });
  using here = new Tree();
  const out = here.path("out");
  const run = await cli6(["get", "-o", out, one.url("/v1"), other.url("/mirror/v1")]);
  expect([run.status, run.err]).toEqual([0, ""]);
  expect(other.requests("READ").length).toBeGreaterThan(0);
  const two = ["get", "-o", out, one.url("/v1"), other.url("/x"), other.url("/mirror/v1")];
  const refused = await cli6(two);
  expect([refused.status, refused.err]).toEqual([2, expect.stringContaining("names one file")]);
});

test("a stream has both one behind the other, and takes no list of servers", async () => {
  using one = new Scripted(FILES);
  using other = new Scripted(FILES);
  const both = await cli6(["get", "-o", "-", one.url("/g"), other.url("/g")]);
  expect([both.status, both.out]).toEqual([0, "smallsmall"]);
  const list = `${one.fake.address},${other.fake.address}`;
  const refused: readonly (readonly [args: readonly string[], why: string])[] = [
    [["get", "-o", "-", "-s", list, "g"], "from one server"],
    [["get", "-r", "-s", list, "g"], "from one server"],
    [["get", "--no-verify", "-s", list, "g"], "compared by digests"],
    [["get", "-s", `${list},`, "g"], "-s takes"],
    [["ls", "-s", list], "-s takes"],
    [["mirror", "-s", list, "/", "m"], "-s takes"],
  ];
  for (const [args, why] of refused) {
    const { status, err } = await cli6(args);
    expect([args, status, err]).toEqual([args, 2, expect.stringContaining(why)]);
  }
});

test("what is replaced gives what is the same in it, whoever brings the rest", async () => {
  using one = new Scripted(FILES);
  using other = new Scripted(FILES);
  using here = new Tree();
  const old = Buffer.from(large);
  old.fill(0, 3 * MIB, 5 * MIB);
  here.write("f", old);
  const run = await cli6(["get", "-fv", "-P", here.root, one.url("/f"), other.url("/f")]);
  expect([run.status, run.err]).toEqual([0, expect.stringContaining("from the old file")]);
  expect(fs.readFileSync(here.path("f")).equals(large)).toBe(true);
});
