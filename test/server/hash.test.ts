/** HASH on the wire: digests of exactly what READ gives, their order, and every refusal. */
import { expect, test } from "bun:test";
import crypto from "node:crypto";
import fs from "node:fs";
import { codesOf, exchange, factOf } from "../rig/exchange.ts";
import { eventually } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const MIB = 1024 * 1024;

/** XXH3 with 64 bits, seed 0, as the reference implementation gives it. */
const XXH3_OF_NOTHING = "2d06800538d394c2";
const XXH3_OF_ABC = "78af5f94892f3950";

/** What the reply must be: `text` cut into chunks, a line each. */
function linesOf(algo: "xxh3" | "sha256", bytes: Buffer, chunk: number): string {
  const lines: string[] = [];
  for (let from = 0; from === 0 || from < bytes.length; from += chunk) {
    const part = bytes.subarray(from, from + chunk);
    const digest =
      algo === "sha256"
        ? crypto.createHash("sha256").update(part).digest("hex")
        : Bun.hash.xxHash3(part).toString(16).padStart(16, "0");
    lines.push(`${digest}\n`);
  }
  return lines.join("");
}

test("without keys it is one xxh3 digest for each 4 MiB, and tells the version that READ tells", async () => {
  const big = content(1, 0, 9 * MIB + 1);
  using tree = new Tree({ abc: "abc", empty: "", "%a": "abc", big });
  await using running = new Running(tree.root);
  const lines = ["HASH /abc", "READ /abc", "HASH /abc", "HASH /empty", "HASH /%25a", "HASH /big"];
  const [abc, read, again, empty, escaped, large] = await exchange(running.port, lines);
  expect(abc?.line).toBe(`OK 17 size=3 etag=${factOf(read!, "etag")} algo=xxh3 chunk=${4 * MIB}`);
  expect(abc?.body.toString()).toBe(`${XXH3_OF_ABC}\n`);
  expect(again).toEqual(abc!);
  expect(escaped?.body).toEqual(abc!.body);
  expect(empty?.line).toStartWith("OK 17 size=0 ");
  expect(empty?.body.toString()).toBe(`${XXH3_OF_NOTHING}\n`);
  expect(large?.line).toMatch(/^OK 51 size=9437185 etag=[0-9a-f]{16} algo=xxh3 chunk=4194304$/);
  expect(large?.body.toString()).toBe(linesOf("xxh3", big, 4 * MIB));
});

test("sha256 without chunk= covers the whole range", async () => {
  const big = content(1, 0, 9 * MIB + 1);
  using tree = new Tree({ abc: "abc", empty: "", big });
  await using running = new Running(tree.root);
  const lines = ["/abc", "/empty", "/big", "offset=1 length=5000000 /big"];
  const replies = await exchange(
    running.port,
    lines.map((line) => `HASH algo=sha256 ${line}`),
  );
  expect(replies.map((reply) => factOf(reply, "chunk"))).toEqual(["3", "1", "9437185", "5000000"]);
  expect(replies.map(({ body }) => body.toString())).toEqual([
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
    linesOf("sha256", big, big.length),
    linesOf("sha256", big.subarray(1, 5_000_001), 5_000_000),
  ]);
});

/** Ranges of a file of `size` bytes: at, before and behind each edge of chunks and portions. */
function* ranges(size: number): Generator<[offset: number, length: number, chunk: number]> {
  for (const chunk of [1, 1000, 65_536, MIB, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 16 * MIB]) {
    for (const offset of [0, 1, size - 1, size]) {
      for (const length of [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, size, 2 * size]) {
        if (Math.min(length, size - offset) <= 4096 * chunk) yield [offset, length, chunk];
      }
    }
  }
}

test.each([
  ["held in memory", 60_000],
  ["read from its descriptor", 9 * MIB + 1],
])("chunks are counted from the offset, and the last is short: a file %s", async (_, size) => {
  const bytes = content(1, 0, size);
  using tree = new Tree({ f: bytes });
  await using running = new Running(tree.root);
  for (const algo of ["xxh3", "sha256"] as const) {
    const asked = [...ranges(size)];
    const lines = asked.map(
      ([offset, length, chunk]) =>
        `HASH offset=${offset} algo=${algo} length=${length} chunk=${chunk} /f`,
    );
    const replies = await exchange(running.port, lines);
    for (const [index, [offset, length, chunk]] of asked.entries()) {
      const { line, body } = replies[index]!;
      const want = linesOf(algo, bytes.subarray(offset, offset + length), chunk);
      expect(line).toStartWith(`OK ${want.length} size=${size} etag=`);
      expect(line).toEndWith(` algo=${algo} chunk=${chunk}`);
      expect([lines[index], body.toString() === want]).toEqual([lines[index], true]);
    }
  }
});

const REFUSED: [line: string, answer: string][] = [
  ["HASH chunk=0 /f", "ERR EINVAL invalid request: chunk= takes at least 1 byte"],
  ["HASH chunk=16777216 /f", "OK"],
  ["HASH chunk=16777217 /f", "ERR EINVAL [^\n]*: xxh3 takes chunk= up to 16777216 bytes,"],
  ["HASH chunk=16777217 algo=sha256 /f", "OK"],
  ["HASH chunk=9999999999999999 algo=sha256 /f", "OK"],
  ["HASH algo=md5 /f", "ERR EINVAL [^\n]*: algo= takes xxh3 or sha256, got 'md5'"],
  ["HASH algo= /f", "ERR EINVAL "],
  ["HASH if=0 /f", "ERR EINVAL "],
  ["HASH offset=100001 /f", "ERR ERANGE "],
  ["HASH offset=100000 /f", "OK 17 "],
  ["HASH length=4096 chunk=1 /f", "OK 69632 "],
  ["HASH length=4097 chunk=1 /f", "ERR EINVAL [^\n]*: 4097 digests, at most 4096 [^\n]* ranges$"],
  ["HASH length=4097 chunk=1 algo=sha256 /held", "ERR EINVAL "],
  ["HASH length=4096 chunk=1 algo=sha256 /held", "OK 266240 "],
  ["HASH /d", "ERR EISDIR "],
  ["HASH /no", "ERR ENOENT "],
  ["HASH /f/x", "ERR ENOTDIR "],
  ["HASH /../f", "ERR EACCES "],
  ["HASH", "ERR EINVAL "],
];

test("each refusal is in its place, and the connection goes on", async () => {
  using tree = new Tree({ f: content(1, 0, 100_000), held: content(2, 0, 50_000), d: null });
  await using running = new Running(tree.root);
  const replies = await exchange(
    running.port,
    REFUSED.flatMap(([line]) => [line, "READ length=3 /f"]),
  );
  for (const [index, [line, answer]] of REFUSED.entries()) {
    expect([line, replies[2 * index]?.line]).toEqual([
      line,
      expect.stringMatching(new RegExp(`^${answer}`)),
    ]);
    expect(replies[2 * index + 1]?.body.toString()).toBe("001");
  }
  const { requests, refused } = running.server.counters;
  const no = REFUSED.filter(([, answer]) => answer.startsWith("ERR")).length;
  expect([requests, refused]).toEqual([2 * REFUSED.length, no]);
});

test("pipelined with READs it is answered in order, and each digest is of what READ gave", async () => {
  const sizes = [0, 1, 100, 65_536, 65_537, 300_000, 5 * MIB];
  using tree = new Tree();
  for (const [file, size] of sizes.entries()) tree.write(`f${file}`, content(file, 0, size));
  await using running = new Running(tree.root);
  const asked = Array.from({ length: 300 }, (_, index) => (index * 5) % sizes.length);
  const replies = await exchange(
    running.port,
    asked.flatMap((file) => [`READ /f${file}`, `HASH /f${file}`]),
  );
  for (const [index, file] of asked.entries()) {
    const [read, hash] = [replies[2 * index]!, replies[2 * index + 1]!];
    expect(verify(read.body, file, 0)).toBeNull();
    expect(factOf(hash, "etag")).toBe(factOf(read, "etag"));
    expect(hash.body.toString()).toBe(linesOf("xxh3", read.body, 4 * MIB));
  }
});

test("a small file that was replaced is not told by its old digest for longer than a second", async () => {
  using tree = new Tree({ f: "abd" });
  await using running = new Running(tree.root);
  const digest = async (): Promise<string> =>
    (await exchange(running.port, ["HASH /f"]))[0]!.body.toString();
  expect(await digest()).not.toBe(`${XXH3_OF_ABC}\n`);
  tree.write("new", "abc");
  fs.renameSync(tree.path("new"), tree.path("f"));
  const { store } = running;
  store.cache.get("/f")?.expire();
  expect(await digest()).toBe(`${XXH3_OF_ABC}\n`);
});

test("it is a line of the log like the others, with the bytes of its digests", async () => {
  using tree = new Tree({ held: "abc", big: content(1, 0, 100_000) });
  using logs = new Tree({ log: "" });
  const fd = fs.openSync(logs.path("log"), "a");
  using _closing = { [Symbol.dispose]: () => fs.closeSync(fd) };
  await using running = new Running(tree.root, { log: "json", logFd: fd });
  const lines = ["HASH /held", "HASH /held", "HASH algo=sha256 /big", "HASH /no"];
  expect((await codesOf(running.port, lines)).map(([, code]) => code)).toEqual(
    "OK OK OK ENOENT".split(" "),
  );
  const read = (): string[] => fs.readFileSync(logs.path("log"), "utf8").split("\n").slice(0, -1);
  await eventually("the lines", () => read().length === lines.length);
  const told = read().map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(told.map(({ verb, path, status, bytes }) => [verb, path, status, bytes])).toEqual([
    ["HASH", "/held", "OK", 17],
    ["HASH", "/held", "OK", 17],
    ["HASH", "/big", "OK", 65],
    ["HASH", "/no", "ENOENT", 0],
  ]);
});
