/** `get -i`: paths and URLs from a list, and lists that are none. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { cli6 } from "../../rig/program.ts";
import { Scripted } from "../../rig/scripted.ts";
import { Tree } from "../../rig/tree.ts";

test("a list's paths and URLs are brought beside the operands, byte for byte", async () => {
  const files = ["a", "b c", "#d", "e\xff", "f", "g"].map((name) => [`/${name}`, `of ${name}`]);
  using server = new Scripted(Object.fromEntries(files));
  using here = new Tree({ out: null });
  const at = ["get", "-s", server.fake.address, "-P", here.path("out")];
  const list = here.path("list");
  fs.writeFileSync(list, `a\r\n\n/b c\n#d\n${server.url("/e%FF")}\nf`, "latin1");
  expect(await cli6([...at, "-i", list, "g"])).toEqual({ status: 0, out: "", err: "" });
  const names = fs.readdirSync(here.path("out"), { encoding: "buffer" });
  expect(names.map((name) => name.toString("latin1")).sort()).toEqual([
    "#d",
    "a",
    "b c",
    "e\xff",
    "f",
    "g",
  ]);
  const piped = await cli6(["get", "-s", server.fake.address, "-o", "-", "-i", "-"], {
    input: "f\na\n",
  });
  expect(piped).toEqual({ status: 0, out: "of fof a", err: "" });
});

test("-0 takes what find -print0 writes, line breaks within names and all", async () => {
  using server = new Scripted({ "/a\nb": "two lines", "/e\xff": "odd" });
  using here = new Tree();
  const at = ["get", "-s", server.fake.address, "-P", here.root];
  const run = await cli6([...at, "-0i", "-"], { input: "a\nb\0\0e\xff\0" });
  expect(run.err).toBe("");
  expect(fs.readFileSync(here.path("a\nb"), "latin1")).toBe("two lines");
  expect(fs.readFileSync(Buffer.from(here.path("e\xff"), "latin1"), "latin1")).toBe("odd");
});

test("a list of nothing is done; one that can't be read, or is none, is said in a line", async () => {
  using server = new Scripted({ "/a": "a" });
  using here = new Tree();
  const get = (list: string, input = ""): ReturnType<typeof cli6> =>
    cli6(["get", "-s", server.fake.address, "-P", here.root, "-i", list], { input });
  expect(await get("-", "\n\n")).toEqual({ status: 0, out: "", err: "" });
  expect(await get(here.path("no"))).toEqual({
    status: 9,
    out: "",
    err: `cli6: ENOENT: the list ${here.path("no")} can't be read\n`,
  });
  const long = await get("-", "x".repeat(40_000));
  expect([long.status, long.err]).toEqual([
    2,
    expect.stringContaining("a path is over 32768 bytes"),
  ]);
  const paths = (count: number): string =>
    Array.from({ length: count }, (_, nth) => `${nth}\n`).join("");
  const many = await get("-", paths(100_001));
  expect([many.status, many.err]).toEqual([2, "cli6: standard input: more than 100000 paths\n"]);
  // Nothing of a list with a mistake in it is brought.
  const twice = await get("-", "a\na\n");
  expect([twice.status, twice.err]).toEqual([2, expect.stringContaining("would be called a")]);
  expect(fs.readdirSync(here.root)).toEqual([]);
  expect((await get("-", "a\nno\n")).status).toBe(3);
  expect(fs.readdirSync(here.root)).toEqual(["a"]);
});
