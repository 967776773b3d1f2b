/** Keys that no path can be: refused, or left out and counted, and never another object's bytes. */
import { expect, test } from "bun:test";
import { s3AddressOf } from "../../src/store/s3/address.ts";
import { decodedKey, keyOf, nameOf } from "../../src/store/s3/key.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { codeOf, exchange, factOf } from "../rig/exchange.ts";
import { S3Running } from "../rig/s3running.ts";

const ODD = {
  "d//f": "empty part",
  "d/./f": "dot",
  "d/../f": "dots",
  "/d/f": "leading slash",
  "d/c\u0001d": "control",
  "d/back\\slash": "backslash",
  [`d/${"n".repeat(256)}`]: "too long",
  "d/mark/": "a mark with bytes",
};

test("keys that can't be paths are counted in a list, and nobody gets their bytes", async () => {
  await using running = await S3Running.over({ "d/f": "right", f: "right too" });
  for (const [key, bytes] of Object.entries(ODD)) running.fake.odd.set(key, bytes);
  running.fake.odd.set("d/both", "file");
  running.fake.odd.set("d/both/x", "below");
  running.fake.odd.set("d/", "");
  const [list, root] = await exchange(running.port, ["LIST /d", "LIST /"]);
  const names = list!.body.toString().replaceAll(/^file.* /gm, "");
  expect(names).toBe("both\nf\ndir mtime=0 mark\n");
  // An empty part, a dot, two dots, a control character, a backslash, a name too long; and the
  // folder of the name that a file has. The folder's own mark of no bytes is nothing to miss.
  expect(factOf(list!, "left")).toBe("7");
  expect(root!.body.toString().replaceAll(/^file.* /gm, "")).toBe("dir mtime=0 d\nf\n");
  expect(factOf(root!, "left")).toBe("1");
  const asked = ["/d//f", "/d/./f", "//d/f", "/d/../f", "/d/c%01d", "/d/back\\slash", "/d/mark/"];
  const replies = await exchange(
    running.port,
    [...asked, `/d/${"n".repeat(256)}`, "/d/both", "/d/both/x", "/d/%ff"].map(
      (path) => `READ ${path}`,
    ),
  );
  expect(replies.map((reply) => reply.body.toString() || codeOf(reply))).toEqual([
    // Spellings of one path, as of any store.
    ...["right", "right", "right"],
    ...["EACCES", "EACCES", "EACCES", "EISDIR", "ENAMETOOLONG"],
    ...["file", "below", "EINVAL"],
  ]);
  const got = new Set(running.fake.asked.map(({ key }) => key));
  for (const key of Object.keys(ODD)) expect([key, got.has(key)]).toEqual([key, false]);
});

test("with left=1 the folder that a file hides has a line", async () => {
  await using running = await S3Running.over({ a: "file" });
  running.fake.odd.set("a/x", "below");
  const [list] = await exchange(running.port, ["LIST left=1 /"]);
  expect(list!.body.toString()).toMatch(
    /^file size=4 mtime=[0-9]+ etag=[0-9a-f]{16} a\nleft type=unknown error=ENOTDIR a\n$/,
  );
});

test("keys of every script and sign come back byte for byte, by list and by name", async () => {
  const names = ["ü", "😀", "a b", "a+b", "a%41", "?#&;=", "'()*~!", "x:y@z", '<&">', "~", "日本"];
  await using running = await S3Running.over(
    Object.fromEntries(names.map((name) => [`d ü/${name}`, name])),
  );
  const folder = "/d%20%C3%BC";
  const [list] = await exchange(running.port, [`LIST ${folder}`]);
  const lines = list!.body.toString("latin1").trimEnd().split("\n");
  const listed = lines.map((line) => /^\S+ \S+ \S+ \S+ (.*)$/.exec(line)?.[1] ?? "");
  expect(listed.length).toBe(names.length);
  const replies = await exchange(
    running.port,
    listed.map((name) => `READ ${folder}/${name}`),
  );
  const bytes = (name: string): string => Buffer.from(name).toString("latin1");
  const sorted = names.map(bytes).sort();
  expect(replies.map(({ body }) => body.toString("latin1"))).toEqual(sorted);
});

test("folders and files stand in the order of their names, however a page is cut", async () => {
  const files = ["a-b", "a-b-c", "a.b", "a/x", "a b/y", "a-/z", "a0", "b/x", "b-1", "b-1/", "b!/q"];
  const keys = files.filter((name) => !name.endsWith("/"));
  await using running = await S3Running.over(Object.fromEntries(keys.map((key) => [key, "x"])));
  running.fake.odd.set("a-b-c-d/x", "x");
  const names = ["a", "a b", "a-", "a-b", "a-b-c", "a-b-c-d", "a.b", "a0", "b", "b!", "b-1"];
  for (let limit = 1; limit <= names.length + 1; limit++) {
    const got: string[] = [];
    for (let more = "1"; more === "1";) {
      const after = (got.at(-1) ?? "").replaceAll(" ", "%20");
      const [page] = await exchange(running.port, [
        `LIST limit=${limit}${after === "" ? "" : ` after=${after}`} /`,
      ]);
      more = factOf(page!, "more");
      const lines = page!.body.toString().trimEnd().split("\n");
      got.push(...lines.map((line) => line.replace(/^(?:file \S+ \S+ \S+|dir \S+) /, "")));
    }
    expect([limit, got]).toEqual([limit, names]);
  }
});

test("a prefix is all there is, and keys beside it are not", async () => {
  await using running = await S3Running.over(
    { "in/f": "inside", "in/d/g": "deeper", inner: "beside", out: "outside" },
    { prefix: "in" },
  );
  const paths = ["/f", "/d/g", "/out", "/inner", "/in/f", "/ner", "/"];
  const replies = await exchange(
    running.port,
    paths.map((path) => `READ ${path}`),
  );
  expect(replies.map((reply) => reply.body.toString() || codeOf(reply))).toEqual([
    ...["inside", "deeper", "ENOENT", "ENOENT", "ENOENT", "ENOENT", "EISDIR"],
  ]);
});

test("what can be no bucket or prefix is refused before anybody is asked", () => {
  expect(s3AddressOf("s3://bucket/a/b/")).toEqual({ bucket: "bucket", prefix: "a/b/" });
  expect(s3AddressOf("s3://bucket")).toEqual({ bucket: "bucket", prefix: "" });
  for (const root of ["s3://", "s3:///a", "s3://b c", "s3://bucket/a//b", "s3://bucket/../x"]) {
    expect(() => s3AddressOf(root)).toThrow(/^cannot serve s3:/);
  }
  expect(() => s3AddressOf("s3://bucket/a\\b")).toThrow(/no backslash/);
});

test("keys and names by themselves", () => {
  const code = (relative: string): string => {
    const key = keyOf("p/", relative);
    return key instanceof Refusal ? key.code : key;
  };
  expect(["a/b", "a/b/", "\xc3\xbc"].map(code)).toEqual(["p/a/b", "p/a/b", "p/ü"]);
  expect([`${"n/".repeat(511)}nn`, "n".repeat(255)].map((name) => code(name).length)).toEqual([
    "ENAMETOOLONG".length,
    257,
  ]);
  expect(code(`${"n/".repeat(510)}nn`)).toHaveLength(1024);
  expect(["a\x7f", "a\xc2\x85", "a\xff", "\\"].map(code)).toEqual([
    ...["EACCES", "EACCES", "EINVAL", "EACCES"],
  ]);
  expect(["", ".", "..", "a\u0000", "a\nb"].map(nameOf)).toEqual([null, null, null, null, null]);
  expect([decodedKey("a%20b+c%2Bd"), decodedKey("%ff"), decodedKey("%")]).toEqual([
    ...["a b c+d", null, null],
  ]);
});
