/** Directories that files are put into: the user's own path, and names that come from a peer. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Folder, syncFolders } from "../../src/destination/folder.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { replaceCall } from "../rig/faults.ts";
import { Tree } from "../rig/tree.ts";
import { failed, recording } from "../rig/destination.ts";
import { openInTrees } from "../rig/open-files.ts";

function throwing(error: unknown): never {
  throw error;
}

test("the path a person names is opened over links, and made with all above it on request", () => {
  using tree = new Tree({ real: null });
  tree.link("link", "real");
  const before = openInTrees();
  const over = Folder.open(tree.path("link"), false);
  expect(fs.readlinkSync(`/proc/self/fd/${over.fd}`)).toBe(tree.path("real"));
  const made = Folder.open(tree.path("link/a/b/c"), true);
  expect(fs.statSync(tree.path("real/a/b/c")).isDirectory()).toBe(true);
  const again = Folder.open(tree.path("link/a/b/c"), true);
  for (const folder of [over, made, again]) folder.close();
  expect(openInTrees()).toBe(before);
});

test("what is no folder, or missing and not to be made, is refused by its name", () => {
  using tree = new Tree({ f: "" });
  const before = openInTrees();
  const missing = failed(() => Folder.open(tree.path("a/b"), false));
  expect([missing.code, missing.message]).toEqual([
    "ENOENT",
    `opening the folder ${tree.path("a/b")}: no such file or directory`,
  ]);
  expect(failed(() => Folder.open(tree.path("f"), true)).code).toBe("ENOTDIR");
  expect(failed(() => Folder.open(tree.path("f/b"), true)).code).toBe("ENOTDIR");
  expect(fs.readdirSync(tree.root)).toEqual(["f"]);
  expect(openInTrees()).toBe(before);
});

test("a name below is made when it is missing, and says whether it is new", () => {
  using tree = new Tree({ old: null });
  const top = Folder.open(tree.root, false);
  const made = ["old", "new", "new", "\xff"].map((name) => {
    const folder = top.below(name);
    folder.close();
    return folder.fresh;
  });
  expect(made).toEqual([false, true, false, true]);
  const names = fs.readdirSync(tree.root, { encoding: "buffer" });
  expect(names.map((name) => name.toString("latin1")).sort()).toEqual(["new", "old", "\xff"]);
  top.close();
});

test("a folder that is only looked for is opened where it is, and never made", () => {
  using tree = new Tree({ "old/in": "", f: "" });
  const top = Folder.open(tree.root, false);
  const old = top.find("old");
  expect([old?.path, old?.fresh, old?.above]).toEqual([tree.path("old"), false, top]);
  expect(fs.readlinkSync(`/proc/self/fd/${old?.fd}`)).toBe(tree.path("old"));
  expect([top.find("new"), top.changed]).toEqual([null, false]);
  expect(failed(() => top.find("f")).code).toBe("ENOTDIR");
  expect(fs.readdirSync(tree.root).sort()).toEqual(["f", "old"]);
  using _ = replaceCall("openat", () => () => -ERRNO.EACCES);
  for (const open of [() => void top.find("old"), () => void top.below("old")]) {
    expect(failed(open).message).toBe(`opening the folder ${tree.path("old")}: permission denied`);
  }
  old?.close();
  top.close();
});

test("a link or a file in the way is refused and stays, wherever it points", () => {
  using tree = new Tree({ "outside/x": "", top: null });
  tree.link("top/folder", "../outside");
  tree.link("top/nowhere", "../missing");
  tree.link("top/loop", "loop");
  tree.write("top/file", "");
  const top = Folder.open(tree.path("top"), false);
  const before = openInTrees();
  for (const name of ["folder", "nowhere", "loop", "file"]) {
    const error = failed(() => top.below(name));
    expect([error.code, error.message]).toEqual([
      "ENOTDIR",
      `${tree.path(`top/${name}`)} is in the way: a folder is needed there, and links are not followed`,
    ]);
  }
  expect([fs.readdirSync(tree.root).sort(), openInTrees()]).toEqual([["outside", "top"], before]);
  top.close();
});

test("somebody else may make or swap the folder between our calls", () => {
  using tree = new Tree();
  const top = Folder.open(tree.root, false);
  {
    using _ = replaceCall("mkdirat", (real) => (fd, name, mode) => {
      fs.mkdirSync(tree.path("d"));
      return real(fd, name, mode);
    });
    const folder = top.below("d");
    // It is not ours alone: something may be in it.
    expect(folder.fresh).toBe(false);
    folder.close();
  }
  using _ = replaceCall("mkdirat", () => () => {
    tree.link("l", "d");
    return -ERRNO.EEXIST;
  });
  expect(failed(() => top.below("l")).code).toBe("ENOTDIR");
  top.close();
});

test("files land in the folder that was opened, whatever becomes of its name", () => {
  using tree = new Tree({ a: null, other: null });
  const top = Folder.open(tree.path("a"), false);
  fs.renameSync(tree.path("a"), tree.path("b"));
  tree.link("a", "other");
  top.below("d").close();
  expect([fs.readdirSync(tree.path("b")), fs.readdirSync(tree.path("other"))]).toEqual([["d"], []]);
  top.close();
});

test("looking says what a name is without following it, and null of nothing", () => {
  using tree = new Tree({ f: "four" });
  tree.link("l", "f");
  const top = Folder.open(tree.root, false);
  expect([top.stat("f")?.isFile, top.stat("l")?.isLink, top.stat("nope")]).toEqual([
    true,
    true,
    null,
  ]);
  expect(failed(() => top.stat("f/g")).code).toBe("ENOTDIR");
  top.close();
});

test("errors of the disk are told at the call, with the path", () => {
  using tree = new Tree();
  const top = Folder.open(tree.root, false);
  {
    using _ = replaceCall("mkdirat", () => () => -ERRNO.ENOSPC);
    const error = failed(() => top.below("d\n"));
    expect([error.code, error.message.split(":")[0]]).toEqual([
      "ENOSPC",
      `making the folder ${tree.root}/d\\x0a`,
    ]);
    expect(failed(() => Folder.open(tree.path("x/y"), true)).code).toBe("ENOSPC");
  }
  using _ = replaceCall("fsync", () => () => -ERRNO.EIO);
  expect(failed(() => top.sync()).message).toBe(`syncing the folder ${tree.root}: i/o error`);
  top.close();
});

test("names that were made are synced with those above them, each folder once", () => {
  using tree = new Tree({ old: null });
  const top = Folder.open(tree.root, false);
  const old = top.below("old");
  expect([top.changed, syncFolders([top, old])]).toEqual([false, new Map()]);
  const a = top.below("a");
  const b = a.below("b");
  expect([top, a, b].map(({ changed }) => changed)).toEqual([true, true, false]);
  b.changed = true;
  const synced: number[] = [];
  using _ = replaceCall("fsync", (real) => (fd) => (synced.push(fd), real(fd)));
  expect(syncFolders([b, a, b]).size).toBe(0);
  expect(synced.toSorted()).toEqual([top.fd, a.fd, b.fd].toSorted());
  expect(syncFolders([b, a, top]).size).toBe(0);
  expect(synced.length).toBe(3);
  for (const folder of [b, a, old, top]) folder.close();
});

test("a folder above that can't be synced is an error of all below it, and of no other", () => {
  using tree = new Tree();
  const top = Folder.open(tree.root, false);
  const a = top.below("a");
  const b = a.below("b");
  const other = top.below("other");
  top.changed = false;
  other.changed = b.changed = true;
  using _ = replaceCall("fsync", (real) => (fd) => (fd === a.fd ? -ERRNO.EIO : real(fd)));
  const errors = syncFolders([b, other]);
  expect([...errors.keys()].includes(other)).toBe(false);
  expect(failed(() => void throwing(errors.get(b))).code).toBe("EIO");
  for (const folder of [other, b, a, top]) folder.close();
});

test("more than eight folders are synced by one call, or one by one where that fails", () => {
  using tree = new Tree();
  const top = Folder.open(tree.root, false);
  const folders = Array.from({ length: 9 }, (_, nth) => top.below(`d${nth}`));
  top.changed = false;
  const changed = (count: number): Folder[] => {
    for (const folder of folders.slice(0, count)) folder.changed = true;
    return folders.slice(0, count);
  };
  using rows = recording("fsync", "syncfs");
  syncFolders(changed(8));
  expect(rows.calls).toEqual(Array.from({ length: 8 }, () => "fsync"));
  syncFolders(changed(9));
  expect(rows.calls.slice(8)).toEqual(["syncfs"]);
  using _ = replaceCall("syncfs", () => () => -ERRNO.ENOSYS);
  expect(syncFolders(changed(9)).size).toBe(0);
  expect(rows.calls.length).toBe(9 + 9);
  for (const folder of [...folders, top]) folder.close();
});

test("the folder that a person names is on the disk, with those made above it, when it is open", () => {
  using tree = new Tree();
  const synced: string[] = [];
  using _ = replaceCall("fsync", (real) => (fd) => {
    synced.push(fs.readlinkSync(`/proc/self/fd/${fd}`));
    return real(fd);
  });
  Folder.open(tree.path("a/b"), true).close();
  expect(synced).toEqual([tree.root, tree.path("a")]);
  Folder.open(tree.path("a/b"), true).close();
  expect(synced.length).toBe(2);
});

test("of a relative path the current folder is synced, of one at the top the top", () => {
  using tree = new Tree();
  const before = process.cwd();
  const synced: string[] = [];
  using _ = replaceCall("fsync", (real) => (fd) => {
    synced.push(fs.readlinkSync(`/proc/self/fd/${fd}`));
    return real(fd);
  });
  process.chdir(tree.root);
  try {
    Folder.open("a/b", true).close();
  } finally {
    process.chdir(before);
  }
  expect(synced.splice(0)).toEqual([tree.root, tree.path("a")]);
  using __ = replaceCall("mkdirat", () => () => 0);
  failed(() => Folder.open("/no such folder", true));
  expect(synced).toEqual(["/"]);
});

test("paths for messages are as a person would write them", () => {
  const pathOf = (path: string): string => new Folder(-1, path).pathOf("f");
  expect([".", "a", "a/", "/", "/a"].map(pathOf)).toEqual(["f", "a/f", "a/f", "/f", "/a/f"]);
});

test("a file system that syncs no folders takes files all the same", () => {
  using tree = new Tree();
  const folder = Folder.open(tree.path("made/here"), true);
  folder.changed = true;
  using _ = replaceCall("fsync", () => () => -ERRNO.EINVAL);
  expect(syncFolders([folder]).size).toBe(0);
  expect(folder.changed).toBe(false);
  Folder.open(tree.path("another/one"), true).close();
  folder.close();
});
