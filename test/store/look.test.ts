/** What the thread for looks does of each question, asked in the test's own thread. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { factsOf, type LookAnswer, lookFor, readFacts } from "../../src/store/look.ts";
import { Root } from "../../src/store/root.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "../../src/sys/types.ts";
import { clockSays, replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { Tree } from "../rig/tree.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };

function rootOf(tree: Tree): Root & Disposable {
  const fd = kernel.openat(AT_FDCWD, tree.root, OPEN.readOnly | OPEN.directory);
  const root = new Root(fd, tree.root, POLICY, null);
  return Object.assign(root, { [Symbol.dispose]: () => root.close() });
}

test("a name is told as it is, opened where that is wanted, and refused as what it is not", () => {
  using tree = new Tree({ f: "content", "d/g": "" });
  expect(Bun.spawnSync(["mkfifo", tree.path("pipe")]).exitCode).toBe(0);
  using root = rootOf(tree);
  const ask = (path: string, want: "facts" | "file" | "folder"): LookAnswer =>
    lookFor(root, { kind: "name", path, want });
  for (const [path, want] of [
    ["f", "file"],
    ["d", "folder"],
  ] as const) {
    const answer = ask(path, want);
    if (typeof answer === "number") throw new Error(`${path}: ${answer}`);
    const into = new FileStat();
    const fd = readFacts(answer, into);
    const { ino, uid, mode } = fs.statSync(tree.path(path));
    expect(fs.fstatSync(fd).ino).toBe(ino);
    expect([into.ino, into.uid, into.mode]).toEqual([BigInt(ino), uid, mode]);
    expect(answer).toEqual(factsOf(fd, into));
    kernel.close(fd);
  }
  for (const path of ["f", "d", "pipe"]) {
    const answer = ask(path, "facts");
    if (typeof answer === "number") throw new Error(`${path}: ${answer}`);
    const into = new FileStat();
    expect(readFacts(answer, into)).toBe(-1);
    expect(into.ino).toBe(BigInt(fs.statSync(tree.path(path)).ino));
  }
  expect([ask("d", "file"), ask("pipe", "file")]).toEqual([-ERRNO.EISDIR, -ERRNO.EACCES]);
  expect([ask("f", "folder"), ask("pipe", "folder")]).toEqual([-ERRNO.ENOTDIR, -ERRNO.ENOTDIR]);
  for (const want of ["facts", "file", "folder"] as const) {
    expect(ask("no", want)).toBe(-ERRNO.ENOENT);
  }
  using _refused = replaceCall("openat", () => () => -ERRNO.EACCES);
  expect([ask("f", "file"), ask("d", "folder")]).toEqual([-ERRNO.EACCES, -ERRNO.EACCES]);
  // The root's alone.
  expect(openIn(tree.root)).toBe(1);
});

test("records are read up to what is asked for, then to the end, which is 0; or an error", () => {
  using tree = new Tree();
  for (let nth = 0; nth < 3000; nth++) tree.write(`a name that is rather long ${nth}`, "");
  using root = rootOf(tree);
  const folder = kernel.openat(AT_FDCWD, tree.root, OPEN.readOnly | OPEN.directory);
  const ask = (fd: number, bytes: number): LookAnswer =>
    lookFor(root, { kind: "records", folder: fd, bytes });
  const sizes: number[] = [];
  let calls = 0;
  using _small = replaceCall("getdents", (real) => (fd, into) => {
    calls += 1;
    // As a file system that gives few at once.
    return real(fd, into.subarray(0, 1000));
  });
  for (let got = 1; got > 0; sizes.push(got)) got = Number(ask(folder, 50_000));
  kernel.close(folder);
  const [first = 0, last] = [sizes[0], sizes.at(-1)];
  expect([first >= 50_000, first < 51_000, last]).toEqual([true, true, 0]);
  expect(sizes.length).toBeLessThan(10);
  expect(calls).toBeGreaterThan(100);
  const file = kernel.openat(AT_FDCWD, tree.path("a name that is rather long 1"), OPEN.readOnly);
  expect(ask(file, 1000)).toBe(-ERRNO.ENOTDIR);
  kernel.close(file);
});

test("names are looked at, links to their ends, and the time that took is told in microseconds", () => {
  using tree = new Tree({ "d/f": "x", g: "x" });
  tree.link("d/in", "../g");
  tree.link("d/nowhere", "no");
  using root = rootOf(tree);
  const folder = kernel.openat(AT_FDCWD, tree.path("d"), OPEN.readOnly | OPEN.directory);
  const before = openIn(tree.root);
  let now = 1000;
  using _clock = clockSays(() => now);
  const looked: string[] = [];
  using _statx = replaceCall("statx", (real) => (dirfd, name, out) => {
    if (dirfd === folder) looked.push(name);
    now += 3;
    return real(dirfd, name, out);
  });
  const ends: string[] = [];
  using _openat2 = replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
    if (ends.at(-1) !== path) ends.push(path);
    return real(dirfd, path, flags, resolve, mode);
  });
  const names = ["f", "gone", "in", "nowhere"];
  const us = lookFor(root, { kind: "names", folder, prefix: "d/", names });
  // One look at each name, and one at the end that is there.
  expect([us, looked, ends]).toEqual([15_000, names, ["d/in", "d/nowhere"]]);
  expect(openIn(tree.root)).toBe(before);
  kernel.close(folder);
});
