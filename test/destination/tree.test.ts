/** Folders in use: opened once, held, closed when nobody needs them. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Folder } from "../../src/destination/folder.ts";
import { FolderTree } from "../../src/destination/tree.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { replaceCall } from "../rig/faults.ts";
import { Tree } from "../rig/tree.ts";
import { failed } from "../rig/destination.ts";
import { openInTrees } from "../rig/open-files.ts";

/** A tree of folders in a temporary destination, and the descriptors that it has open. */
function setUp() {
  const tree = new Tree();
  const top = Folder.open(tree.root, false);
  const folders = new FolderTree(top);
  const before = openInTrees();
  return {
    tree,
    top,
    folders,
    open: (): number => openInTrees() - before,
    [Symbol.dispose]() {
      folders.close();
      expect(openInTrees()).toBe(before);
      top.close();
      tree[Symbol.dispose]();
    },
  };
}

test("a folder is made with those above it, and opened once for all who hold it", () => {
  using here = setUp();
  const { folders } = here;
  const held = folders.hold("a/b/c");
  expect(fs.readlinkSync(`/proc/self/fd/${held.fd}`)).toBe(here.tree.path("a/b/c"));
  expect(held.path).toBe(here.tree.path("a/b/c"));
  expect([folders.hold("a/b/c"), folders.hold("")]).toEqual([held, here.top]);
  expect(here.open()).toBe(3);
  folders.hold("a/b/d");
  expect(here.open()).toBe(4);
  folders.release("");
  folders.release("nobody's");
});

test("what is held stays open, the rest is closed when many are", () => {
  using here = setUp();
  const { folders } = here;
  const held = folders.hold("held/deep");
  for (let nth = 0; nth < 1000; nth++) {
    folders.hold(`d${nth}`);
    folders.release(`d${nth}`);
    expect(here.open()).toBeLessThanOrEqual(256);
  }
  expect(fs.readlinkSync(`/proc/self/fd/${held.fd}`)).toBe(here.tree.path("held/deep"));
  expect(folders.hold("held/deep")).toBe(held);
  expect(folders.crowded).toBe(false);
  // One release of two: it is held still.
  folders.release("held/deep");
  for (let nth = 0; nth < 300; nth++) {
    folders.hold(`e${nth}`);
    folders.release(`e${nth}`);
  }
  expect(folders.hold("held/deep")).toBe(held);
  expect(fs.readdirSync(here.tree.root).length).toBe(1301);
});

test("it is crowded when so many are held that none can be closed", () => {
  using here = setUp();
  const { folders } = here;
  for (let nth = 0; nth < 255; nth++) folders.hold(`d${nth}`);
  expect(folders.crowded).toBe(false);
  folders.hold("d255");
  expect([folders.crowded, here.open()]).toEqual([true, 256]);
  // Beyond, whoever must hold still gets it.
  folders.hold("d256/deep");
  folders.release("d0");
  expect(folders.crowded).toBe(true);
  for (let nth = 0; nth < 257; nth++) folders.release(`d${nth}`);
  expect([folders.crowded, here.open() < 256]).toEqual([false, true]);
});

test("a folder stays open while one below it is held, and is synced before it is closed", () => {
  using here = setUp();
  const { folders } = here;
  const deep = folders.hold("a/b/c");
  for (let nth = 0; nth < 600; nth++) {
    folders.hold(`d${nth}/x`);
    folders.release(`d${nth}/x`);
  }
  expect([deep.above?.path, deep.above?.above?.above]).toEqual([here.tree.path("a/b"), here.top]);
  for (let at: Folder | null = deep; at !== null; at = at.above) {
    expect(fs.readlinkSync(`/proc/self/fd/${at.fd}`)).toBe(at.path);
  }
  const open = [folders.hold("late/x"), deep];
  expect(open[0]?.above?.changed).toBe(true);
  folders.sync();
  for (const folder of open)
    expect([folder.above?.changed, here.top.changed]).toEqual([false, false]);
  using _ = replaceCall("fsync", () => () => -ERRNO.EIO);
  using __ = replaceCall("syncfs", () => () => -ERRNO.EIO);
  folders.hold("last/x");
  expect(failed(() => folders.sync()).code).toBe("EIO");
});

test("what can't be synced is not closed for room, and that is told", () => {
  using here = setUp();
  const { folders } = here;
  for (let nth = 0; nth < 128; nth++) {
    folders.hold(`d${nth}/x`);
    folders.release(`d${nth}/x`);
  }
  // Those are closed in which nothing was made.
  expect([here.open(), folders.crowded, here.open()]).toEqual([256, false, 128]);
  for (let nth = 0; nth < 128; nth++) {
    folders.hold(`e${nth}`);
    folders.release(`e${nth}`);
  }
  {
    using _ = replaceCall("fsync", () => () => -ERRNO.EIO);
    using __ = replaceCall("syncfs", () => () => -ERRNO.EIO);
    expect([failed(() => folders.crowded).code, here.open()]).toEqual(["EIO", 256]);
  }
  expect([folders.crowded, here.open()]).toEqual([false, 128]);
});

test("what was closed is opened anew by who holds it afterwards", () => {
  using here = setUp();
  const { folders } = here;
  folders.hold("a");
  folders.close();
  expect(here.open()).toBe(0);
  expect(fs.readlinkSync(`/proc/self/fd/${folders.hold("a").fd}`)).toBe(here.tree.path("a"));
});

test("a path of more folders than may be open is held, and all of it is closed again", () => {
  using here = setUp();
  const { folders } = here;
  const path = Array.from({ length: 300 }, () => "d").join("/");
  expect(folders.hold(path).path.endsWith("/d")).toBe(true);
  expect([here.open(), folders.crowded]).toEqual([300, true]);
  folders.release(path);
  expect([folders.crowded, here.open()]).toEqual([false, 128]);
});

test("no link is followed on the way, and nothing is made behind one", () => {
  using here = setUp();
  using outside = new Tree({ f: "" });
  here.tree.link("l", outside.root);
  here.tree.link("a/l", outside.root);
  here.tree.write("a/f", "");
  for (const path of ["l", "l/x", "a/l/x", "a/f/x", "a/f"]) {
    expect([path, failed(() => here.folders.hold(path)).code]).toEqual([path, "ENOTDIR"]);
  }
  expect(fs.readdirSync(outside.root)).toEqual(["f"]);
});

test("a folder above what could not be had is not held for it", () => {
  using here = setUp();
  const { folders } = here;
  for (let nth = 0; nth < 256; nth++) {
    here.tree.write(`d${nth}/f`, "");
    failed(() => folders.hold(`d${nth}/f`));
  }
  expect([folders.crowded, here.open() < 256]).toEqual([false, true]);
});
