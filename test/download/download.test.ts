/** download() as a program calls it: what it brings, tells and rejects with. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { BytesSink } from "../../src/receive/sink.ts";
import { download } from "../../src/download/download.ts";
import type { TransferEvent } from "../../src/download/events.ts";
import { mirror } from "../../src/download/mirror.ts";
import { connect } from "../../src/client/connect.ts";
import { serve } from "../../src/server/start.ts";
import { Failure } from "../../src/wire/failure.ts";
import { openIn } from "../rig/open-files.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Scripted } from "../rig/scripted.ts";
import { Tree } from "../rig/tree.ts";
import { rejection } from "./rejection.ts";

const MIB = 1024 * 1024;
const large = content(3, 1, 9 * MIB + 5);

test("files of two servers into a folder: names, contents, numbers, one event each", async () => {
  using tree = new Tree({ "a/small": "forty-two", "b/large": large });
  await using one = new Running(tree.path("a"));
  await using other = new Running(tree.path("b"));
  const events: TransferEvent[] = [];
  const from = [`s6://127.0.0.1:${one.port}/small`, `s6://127.0.0.1:${other.port}/large`];
  const folder = tree.path("to/deep");
  const running = download({ from, folder, onEvent: (event) => events.push(event) });
  expect(events).toEqual([]);
  const result = await running;
  const size = large.length + 9;
  expect(result).toMatchObject({ files: 2, done: 2, failed: 0, unchanged: 0, totalKnown: true });
  expect(result).toMatchObject({ bytes: size, received: size, verified: size, arrived: size });
  expect(result.elapsedMs).toBeGreaterThan(0);
  expect(running.progress).toMatchObject({ done: 2, arrived: size });
  expect(fs.readdirSync(folder).toSorted()).toEqual(["large", "small"]);
  expect(Buffer.compare(fs.readFileSync(`${folder}/large`), large)).toBe(0);
  const names = events.map((event) => (event.type === "done" ? event.file.name : event.type));
  expect(names.toSorted()).toEqual([`${folder}/large`, `${folder}/small`]);
  expect(openIn(folder)).toBe(0);

  events.length = 0;
  const again = await download({ from, folder, onEvent: (event) => events.push(event) });
  expect(again).toMatchObject({ files: 0, done: 0, unchanged: 2, received: 0 });
  expect(events.map(({ type }) => type)).toEqual(["unchanged", "unchanged"]);
});

test("one that is missing fails, by its kind, after all the rest was brought", async () => {
  using tree = new Tree({ "there/a": "a", "there/b": "b", "there/dir/x": "x", "to/b": "mine" });
  await using running = new Running(tree.path("there"));
  const server = `127.0.0.1:${running.port}`;
  const failures: string[] = [];
  const operation = download({
    server,
    from: ["nope", "/a", "b", "dir"],
    folder: tree.path("to"),
    onEvent: (event) => event.type === "failed" && failures.push(event.error.message),
  });
  expect((await rejection(operation)).kind).toBeOneOf(["not-found", "local", "usage"]);
  expect(operation.progress).toMatchObject({ done: 1, failed: 3, files: 4 });
  expect(failures.toSorted()).toEqual([
    expect.stringMatching(/^\/dir is a folder$/),
    expect.stringMatching(/\/to\/b exists already$/),
    expect.stringMatching(/^ENOENT: no such file: \/nope \(s6:/),
  ]);
  expect(fs.readFileSync(tree.path("to/a"), "latin1")).toBe("a");
  expect(fs.readFileSync(tree.path("to/b"), "latin1")).toBe("mine");
  await download({ server, from: "b", folder: tree.path("to"), force: true });
  expect(fs.readFileSync(tree.path("to/b"), "latin1")).toBe("b");
});

test("into a sink, one behind the other, with a name of its own, with a checksum", async () => {
  using tree = new Tree({ "there/a": "first", "there/b": "second" });
  await using running = new Running(tree.path("there"));
  const server = { host: "127.0.0.1", port: running.port };
  const sink = new BytesSink(100);
  expect(await download({ server, from: ["a", "b"], sink })).toMatchObject({
    done: 2,
    received: 11,
  });
  expect(Buffer.from(sink.bytes).toString()).toBe("firstsecond");
  const checksum = `sha256:${new Bun.CryptoHasher("sha256").update("first").digest("hex")}`;
  const to = { server, folder: tree.path("to"), checksum };
  await download({ ...to, from: Buffer.from("/a"), name: "mine" });
  expect(fs.readFileSync(tree.path("to/mine"), "latin1")).toBe("first");
  const wrong = await rejection(download({ ...to, from: "b" }));
  expect([wrong.kind, fs.readdirSync(tree.path("to"))]).toEqual(["corrupt", ["mine"]]);
});

test("what nobody reads, or can't be, is refused by name in all four functions", async () => {
  const thrown = (action: () => unknown): Failure => {
    try {
      action();
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
      return error as Failure;
    }
    throw new Error("nothing was thrown");
  };
  const odd = { resume: true } as object;
  const from = "s6://127.0.0.1:1/x";
  const wrong: [() => unknown, string][] = [
    [() => download({ from, ...odd }), 'download() has no option "resume"'],
    [() => mirror({ from, folder: "x", ...odd }), 'mirror() has no option "resume"'],
    [() => serve({ root: ".", ...odd }), 'serve() has no option "resume"'],
    [() => serve({ root: ".", limits: odd }), 'limits has no option "resume"'],
    [() => download({ from, connections: 0 }), "connections is a whole number from 1 to 1024"],
    [() => download({ from, retries: 1.5 }), "retries is a whole number from 0"],
    [() => download({ from, limitRate: NaN }), "limitRate is a whole number from 1"],
    [() => download({ from, stallTimeoutMs: Infinity }), "stallTimeoutMs is a whole number"],
    [() => download({ from: [] }), "from names nothing"],
    [() => download({ from: "ftp://x/y" }), "only s6://, s6s://, http:// and https:// URLs"],
    [() => download({ from, server: "a:b:c" }), "IPv6 address is written in brackets"],
    [() => download({ from: `${from}/` }), "names a folder"],
    [() => download({ from: [from, `${from}/x`] }), "two of them would be called x"],
    [() => download({ from: [from, from], name: "y" }), "name is one file's"],
    [() => download({ from, name: "a/b" }), "no file here can have that name"],
    [() => download({ from, folder: "" }), "folder is a path of this machine"],
    [() => download({ from, folder: "a\0b" }), "folder is a path of this machine"],
    [() => download({ from, folder: "a", sink: new BytesSink(1) }), "a sink takes the contents"],
    [() => download({ from, checksum: "md5:x" }), 'a checksum is "sha256:"'],
    [() => mirror({ from, folder: "x", maxDelete: -1 }), "maxDelete is a whole number from 0"],
  ];
  for (const [action, text] of wrong) {
    const error = thrown(action);
    expect([text, error.message]).toEqual([text, expect.stringContaining(text)]);
    expect([text, error.kind]).toEqual([text, "usage"]);
  }
  expect((await rejection(connect(odd))).message).toContain('connect() has no option "resume"');
});

test("snapshots come while it runs and once more at its end, and throw what it rejects with", async () => {
  using tree = new Tree();
  using slow = new Scripted({ "/f": "x".repeat(10) }, ({ verb, connection }, honest) => {
    if (verb !== "READ") return undefined;
    setTimeout(() => connection.say(honest()), 50);
    return null;
  });
  // Not compared, or a digest would come before the bytes that are held back.
  const options = { folder: tree.root, verify: false };
  const operation = download({ ...options, from: slow.url("/f") });
  const seen: number[] = [];
  for await (const { arrived, elapsedMs } of operation.snapshots(5)) {
    expect(elapsedMs).toBeGreaterThanOrEqual(0);
    seen.push(arrived);
  }
  expect(seen.length).toBeGreaterThan(2);
  expect([seen[0], seen.at(-1)]).toEqual([0, 10]);
  expect(await operation).toMatchObject({ done: 1 });

  const failing = download({ ...options, from: slow.url("/nope") });
  const watching = (async () => {
    for await (const _ of failing.snapshots(5));
  })();
  expect((await rejection(watching)).kind).toBe("not-found");
  expect((await rejection(failing)).kind).toBe("not-found");
  const left = download({ ...options, from: slow.url("/f"), name: "g" });
  for await (const _ of left.snapshots(5)) break;
  expect(await left).toMatchObject({ done: 1 });
});
