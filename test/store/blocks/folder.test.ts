/** The folder of a cache: what is ours is opened, what is not is neither used nor changed. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import {
  closeFolder,
  forgetBlocks,
  lookIntoFolder,
  openFolder,
} from "../../../src/store/blocks/folder.ts";
import { ERRNO } from "../../../src/sys/errno.ts";
import { CacheRig, FakeObject } from "../../rig/blocks.ts";
import { eventually, replaceCall } from "../../rig/faults.ts";
import { Tree } from "../../rig/tree.ts";

const MIB = 1024 * 1024;

test("it is made where it is not there, for its owner alone, and is one program's at a time", () => {
  using tree = new Tree();
  const folder = openFolder(tree.path("c"), 64 * MIB);
  expect(fs.readdirSync(tree.path("c")).sort()).toEqual(["blocks.data", "blocks.index"]);
  expect(fs.statSync(tree.path("c")).mode & 0o777).toBe(0o700);
  expect(fs.statSync(tree.path("c/blocks.data")).mode & 0o777).toBe(0o600);
  expect(() => openFolder(tree.path("c"), 64 * MIB)).toThrow("another program has it");
  expect(lookIntoFolder(tree.path("c"))?.header).toEqual(folder.header);
  closeFolder(folder);
  const again = openFolder(tree.path("c"), 64 * MIB);
  expect(again.header).toEqual(folder.header);
  closeFolder(again);
});

test("a link, a folder or a pipe in place of a file is refused, and stays what it is", () => {
  using tree = new Tree({ secret: "mine", "b/blocks.data": null });
  tree.link("a/blocks.index", "../secret");
  Bun.spawnSync(["mkfifo", tree.path("blocks.index")]);
  expect(() => openFolder(tree.path("a"), MIB)).toThrow("blocks.index: ELOOP");
  expect(() => openFolder(tree.path("b"), MIB)).toThrow("blocks.data");
  expect(() => openFolder(tree.root, MIB)).toThrow("blocks.index is no file");
  expect(fs.readFileSync(tree.path("secret"), "utf8")).toBe("mine");
});

test("files of somebody else are refused and not changed", () => {
  using tree = new Tree({ "a/blocks.data": "mine", "b/blocks.index": Buffer.alloc(9000, 1) });
  for (const name of ["a", "b"]) {
    expect(() => openFolder(tree.path(name), MIB)).toThrow("none of a cache");
  }
  expect(fs.readFileSync(tree.path("a/blocks.data"), "utf8")).toBe("mine");
  expect(fs.statSync(tree.path("b/blocks.index")).size).toBe(9000);
});

test("a folder or a file that others may write to is refused", () => {
  using tree = new Tree({ a: null });
  fs.chmodSync(tree.path("a"), 0o777);
  expect(() => openFolder(tree.path("a"), MIB)).toThrow("chmod go-w");
  fs.chmodSync(tree.path("a"), 0o700);
  closeFolder(openFolder(tree.path("a"), MIB));
  fs.chmodSync(tree.path("a/blocks.index"), 0o622);
  expect(() => openFolder(tree.path("a"), MIB)).toThrow("others may write to blocks.index");
});

test("a file system without holes is refused", () => {
  using tree = new Tree();
  using _none = replaceCall("punchHole", () => () => -ERRNO.EOPNOTSUPP);
  expect(() => openFolder(tree.root, MIB)).toThrow("no holes in files: EOPNOTSUPP");
});

test("other files in the folder stay as they are", async () => {
  using tree = new Tree({ "a/notes": "mine" });
  {
    using rig = new CacheRig(tree.path("a"), 64 * MIB);
    await rig.read(new FakeObject("o", 100));
  }
  expect(forgetBlocks(tree.path("a"))).toBe(0);
  expect(fs.readFileSync(tree.path("a/notes"), "utf8")).toBe("mine");
});

test("forgetting is noticed by the program that has it, and gives the room back", async () => {
  using tree = new Tree();
  using rig = new CacheRig(tree.root, 64 * MIB);
  const object = new FakeObject("o", 100_000);
  await rig.read(object);
  expect(forgetBlocks(tree.root)).toBe(0);
  rig.cache.sweep();
  await eventually("it is empty", () => rig.cache.facts.blocks === 0);
  await eventually("the room is back", () => fs.statSync(`${tree.root}/blocks.data`).blocks === 0);
  await rig.read(object);
  expect(object.asked).toHaveLength(2);
  expect(rig.cache.facts.blocks).toBe(1);
});

test("forgetting what nobody uses empties it at once", async () => {
  using tree = new Tree();
  {
    using rig = new CacheRig(tree.root, 64 * MIB);
    await rig.read(new FakeObject("o", 100_000));
  }
  expect(forgetBlocks(tree.root)).toBe(0);
  expect(fs.statSync(`${tree.root}/blocks.data`).size).toBe(0);
  using rig = new CacheRig(tree.root, 64 * MIB);
  expect(rig.cache.facts.blocks).toBe(0);
});
