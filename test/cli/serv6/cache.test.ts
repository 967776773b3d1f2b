/** A server of a bucket with a cache, and the commands about it, as they are started. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { content } from "../../rig/oracle.ts";
import { cli6 } from "../../rig/program.ts";
import { S3Fake } from "../../rig/s3fake.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" };

/** A server of the bucket over `fake`, its cache in `folder`. */
function serverOf(fake: S3Fake, folder: string): Started {
  const endpoint = `http://127.0.0.1:${fake.port}`;
  const cached = ["--cache", folder, "--cache-size", "64M"];
  return new Started(
    ["s3://bucket", "-p", "0", "--log", "human", "--s3-endpoint", endpoint, ...cached],
    KEYS,
  );
}

/** What `serv6 cache` prints and ends with. */
async function cacheCommand(...args: string[]): Promise<[out: string, status: number]> {
  await using command = new Started(["cache", ...args]);
  const out = (await command.child.stdout.text()).trim();
  return [out, await command.status()];
}

test("behind its wall it keeps what was read, also over a restart", async () => {
  const large = content(1, 0, 9_000_000);
  using tree = new Tree({ "bucket/large": large });
  using here = new Tree();
  await using fake = await S3Fake.over(tree.path("bucket"));
  const folder = here.path("cache");
  for (const runs of [1, 2]) {
    await using server = serverOf(fake, folder);
    const url = `s6://127.0.0.1:${await server.port()}/large`;
    const to = here.path(`large${runs}`);
    const got = await cli6(["get", url, "-o", to, "-x", "1", "-q"]);
    expect([got.status, got.err]).toEqual([0, ""]);
    expect(fs.readFileSync(to).equals(large)).toBe(true);
  }
  // Digests are asked for beside the bytes, and no byte of theirs is brought twice.
  const brought = fake.reads.map(({ range }) => /([0-9]+)-([0-9]+)/.exec(range ?? "") ?? []);
  const sum = brought.reduce((all, [, first, last]) => all + Number(last) + 1 - Number(first), 0);
  expect(sum).toBe(large.length);
});

test("stat, clear and warm", async () => {
  using tree = new Tree({ "bucket/d/a": content(1, 0, 5_000_000), "bucket/d/e/b": "x" });
  using here = new Tree();
  await using fake = await S3Fake.over(tree.path("bucket"));
  const folder = here.path("cache");
  await using server = serverOf(fake, folder);
  const at = `127.0.0.1:${await server.port()}`;
  expect(await cacheCommand("warm", "d", "-s", at)).toEqual(["2 files read, 4.8 MiB", 0]);
  const [said] = await cacheCommand("stat", "--cache", folder);
  expect(said).toMatch(/objects {2}2\nblocks {3}3\nbytes {4}4\.8 MiB, 4\.8 MiB .*\nused {5}yes$/);
  expect(await cacheCommand("clear", "--cache", folder)).toEqual(["forgotten", 0]);
  expect((await cacheCommand("stat", "--cache", folder))[0]).toContain("blocks   0\n");
  expect((await cacheCommand("warm", "none", "-s", at))[1]).toBe(3);
  expect(await cacheCommand("stat", "--cache", here.path("none"))).toEqual(["", 3]);
  expect(await cacheCommand("sweep")).toEqual(["", 2]);
});

test("links that lead back are no reason to warm for ever", async () => {
  using tree = new Tree({ "d/f": "x", "d/e/g": "yz" });
  for (const name of ["d/up", "d/e/up", "d/e/top"]) fs.symlinkSync("..", tree.path(name));
  for (const name of ["d/here", "d/here too"]) fs.symlinkSync(".", tree.path(name));
  await using server = new Started([tree.root, "-p", "0"]);
  const at = `127.0.0.1:${await server.port()}`;
  expect(await cacheCommand("warm", "/", "-s", at)).toEqual(["2 files read, 3 B", 0]);
});

test("a folder that is not its own, and flags that mean nothing, end the start", async () => {
  using tree = new Tree({ "taken/blocks.data": "mine", "bucket/x": "x" });
  await using fake = await S3Fake.over(tree.path("bucket"));
  await using server = serverOf(fake, tree.path("taken"));
  expect(await server.status()).toBe(2);
  expect(server.said).toContain("its files are none of a cache: name another folder");
  await using disk = new Started([tree.root, "-p", "0", "--cache", tree.path("c")]);
  expect(await disk.status()).toBe(2);
  expect(disk.said).toContain("--cache needs s3://bucket as ROOT");
});

test("a disk that can't be written means serving without it", async () => {
  using tree = new Tree({ "bucket/x": content(1, 0, 100_000), file: "x" });
  await using fake = await S3Fake.over(tree.path("bucket"));
  await using server = serverOf(fake, tree.path("file/cache"));
  const got = await cli6([`s6://127.0.0.1:${await server.port()}/x`]);
  expect([got.status, got.out.length]).toEqual([0, 100_000]);
  await server.says(/serving without it/);
});
