/** `mirror --checksum`, which believes no size and time, and what -v says of each file. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content } from "../../rig/oracle.ts";
import { cli6 } from "../../rig/program.ts";
import { Running } from "../../rig/running.ts";
import { Scripted } from "../../rig/scripted.ts";
import { Tree } from "../../rig/tree.ts";

const MIB = 1024 * 1024;

/** Changes one byte of `path`, which keeps its size, time and attributes. */
function spoil(path: string, at: number): void {
  const { atime, mtime } = fs.statSync(path);
  const fd = fs.openSync(path, "r+");
  fs.writeSync(fd, "\x01", at);
  fs.closeSync(fd);
  fs.utimesSync(path, atime, mtime);
}

/** The lines of `text`, sorted. */
function linesOf(text: string): string[] {
  return text.trimEnd().split("\n").sort();
}

/** What a dry run says has changed, sorted. */
function changedIn(text: string): string[] {
  return Array.from(text.matchAll(/^changed .* (\S+)$/gm), ([, name = ""]) => name).sort();
}

test("files that only look the same are found by their digests, and fetched", async () => {
  using server = new Scripted({
    "/top/small": content(1, 1, 1000),
    "/top/d/large": content(2, 1, 5 * MIB),
    "/top/same": content(3, 1, 4 * MIB),
    "/top/empty": "",
  });
  using tree = new Tree({ to: null });
  const mirror = (...flags: string[]): ReturnType<typeof cli6> =>
    cli6(["mirror", ...flags, server.url("/top"), tree.path("to")]);
  expect((await mirror()).status).toBe(0);
  spoil(tree.path("to/small"), 999);
  spoil(tree.path("to/d/large"), 4 * MIB + 1);
  // Size, time and version are the same: nothing is done.
  expect(await mirror("-v")).toMatchObject({ status: 0, err: expect.stringContaining("nothing") });
  expect(await mirror("-n", "--checksum")).toMatchObject({ status: 0 });
  expect(changedIn((await mirror("-n", "--checksum")).err)).toEqual(["d/large", "small"]);
  const read = server.requests("READ").length;
  const found = await mirror("-v", "--checksum");
  expect(linesOf(found.err).slice(-2)).toEqual([
    `changed  d/large (content)`,
    `changed  small (content)`,
  ]);
  expect(found.status).toBe(0);
  expect(fs.readFileSync(tree.path("to/small")).equals(content(1, 1, 1000))).toBe(true);
  expect(fs.readFileSync(tree.path("to/d/large")).equals(content(2, 1, 5 * MIB))).toBe(true);
  expect(
    server
      .requests("READ")
      .slice(read)
      .map(({ path }) => path),
  ).not.toContain("/top/same");
  // Nothing is left to do, and no content was asked for to know it.
  const before = server.requests("READ").length;
  expect(await mirror("-v", "--checksum")).toMatchObject({
    status: 0,
    err: expect.stringContaining("4 files unchanged"),
  });
  expect(server.requests("READ").length).toBe(before);
});

test("a file beyond one request's bytes is compared to its end", async () => {
  using tree = new Tree({ "there/f": "", to: null });
  fs.truncateSync(tree.path("there/f"), 66 * MIB);
  await using running = new Running(tree.path("there"));
  const args = [`s6://127.0.0.1:${running.port}`, tree.path("to")];
  fs.copyFileSync(tree.path("there/f"), tree.path("to/f"));
  const { atime, mtime } = fs.statSync(tree.path("there/f"));
  fs.utimesSync(tree.path("there/f"), atime, mtime);
  fs.utimesSync(tree.path("to/f"), atime, mtime);
  expect(changedIn((await cli6(["mirror", "-n", "--checksum", ...args])).err)).toEqual([]);
  spoil(tree.path("to/f"), 65 * MIB);
  expect(changedIn((await cli6(["mirror", "-n", "--checksum", ...args])).err)).toEqual(["f"]);
});

test("a server without digests is said once, one whose digest fails for its file; the rest goes on", async () => {
  const files = { "/top/a": "a", "/top/b": "b", "/top/new": "new" };
  for (const [error, told, status] of [
    ["ERR ENOSYS no such verb\n", 1, 11],
    ["ERR EIO broken disk\n", 2, 1],
  ] as const) {
    using server = new Scripted(files, ({ verb, path }) =>
      verb === "HASH" && path !== "/top/new" ? { bytes: error } : undefined,
    );
    using tree = new Tree({ to: null });
    const args = [server.url("/top"), tree.path("to")];
    await cli6(["mirror", "--no-verify", ...args]);
    fs.rmSync(tree.path("to/new"));
    const run = await cli6(["mirror", "--checksum", "--retry", "0", ...args]);
    expect([linesOf(run.err).length, run.status]).toEqual([told, status]);
    expect(fs.readdirSync(tree.path("to")).sort()).toEqual(["a", "b", "new"]);
  }
});

test("-v says what is new, by what it has changed, and what was removed", async () => {
  using server = new Scripted({
    "/top/new": "1",
    "/top/size": "22",
    "/top/time": "3",
    "/top/link": "4",
  });
  server.put("/top/version", "5");
  using tree = new Tree({ "to/size": "2", "to/time": "3", "to/old": "6" });
  tree.link("to/link", "size");
  const url = server.url("/top");
  expect((await cli6(["mirror", "--include", "version", url, tree.path("to")])).status).toBe(0);
  server.put("/top/version", "5", 2);
  const run = await cli6(["mirror", "-v", "--delete", url, tree.path("to")]);
  expect(run.status).toBe(0);
  expect(linesOf(run.err).slice(1)).toEqual([
    "changed  link (type)",
    "changed  size (size)",
    "changed  time (time)",
    "changed  version (version)",
    "new      new",
    "removed  old",
  ]);
});
