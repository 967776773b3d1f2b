/** Pages of one directory, over a root whose calls the test counts, and at each of their bounds. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { DirectoryPage } from "../../src/store/directory.ts";
import { LOOKS_PER_STEP, PageLines } from "../../src/store/lines.ts";
import { Root } from "../../src/store/root.ts";
import type { EncodedPage } from "../../src/store/store.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { AT_FDCWD, OPEN } from "../../src/sys/types.ts";
import { replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { Tree } from "../rig/tree.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };

/** The root of `tree` (`using`). */
function rootOf(tree: Tree): Root & Disposable {
  const fd = kernel.openat(AT_FDCWD, tree.root, OPEN.readOnly | OPEN.directory);
  const root = new Root(fd, tree.root, POLICY, null);
  return Object.assign(root, { [Symbol.dispose]: () => root.close() });
}

interface Asked {
  readonly folder?: string;
  readonly limit?: number;
  readonly after?: string;
  readonly left?: boolean;
}

/** The page of `asked`, and how many steps it took. */
function pageOf(tree: Tree, root: Root, asked: Asked): [page: EncodedPage | number, steps: number] {
  const wanted = { folder: ".", limit: 1000, after: "", left: false, id: "folder", ...asked };
  const path = `${tree.root}/${wanted.folder}`;
  const fd = kernel.openat(AT_FDCWD, path, OPEN.readOnly | OPEN.directory);
  const page = new DirectoryPage(fd, root, wanted);
  let steps = 1;
  let made = page.step();
  for (; made === null; made = page.step()) steps += 1;
  page.close();
  if (made === "waits") throw new Error("a name that was just made is not in memory");
  return [made, steps];
}

function namesOf(page: EncodedPage | number): string[] {
  if (typeof page === "number") throw new Error(`refused: ${page}`);
  const lines = Buffer.from(page.text).toString("latin1").trimEnd().split("\n");
  return lines.filter((line) => line !== "").map((line) => line.slice(line.lastIndexOf(" ") + 1));
}

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, nth) => `n${1000 + nth}`);

test("a page has the first names behind one, in order; the last says that no more follows", () => {
  const names = numbered(40);
  using tree = new Tree(Object.fromEntries(names.toReversed().map((name) => [name, name])));
  using root = rootOf(tree);
  for (const limit of [1, 7, 39, 40, 41]) {
    const seen: string[] = [];
    for (let more = true; more;) {
      const [page] = pageOf(tree, root, { limit, after: seen.at(-1) ?? "" });
      const found = namesOf(page);
      expect([found.length, (page as EncodedPage).count]).toEqual([
        ...Array<number>(2).fill(Math.min(limit, names.length - seen.length)),
      ]);
      seen.push(...found);
      ({ more } = page as EncodedPage);
      expect([seen.length, more]).toEqual([seen.length, seen.length < names.length]);
    }
    expect(seen).toEqual(names);
  }
  const [none] = pageOf(tree, root, { limit: 0 });
  expect([namesOf(none), (none as EncodedPage).more]).toEqual([[], true]);
  const [behind] = pageOf(tree, root, { after: "n9" });
  expect([namesOf(behind), (behind as EncodedPage).more]).toEqual([[], false]);
});

test("entries are looked at so many a step", () => {
  using tree = new Tree(Object.fromEntries(numbered(LOOKS_PER_STEP + 1).map((name) => [name, ""])));
  using root = rootOf(tree);
  // Two that read names (the second finds none), and one look each.
  expect(pageOf(tree, root, { limit: LOOKS_PER_STEP })[1]).toBe(3);
  expect(pageOf(tree, root, { limit: LOOKS_PER_STEP + 1 })[1]).toBe(4);
});

test("names that can't be had are counted, told where that is asked for, and no page is empty", () => {
  using tree = new Tree({ "f/z": "z", "f/.hidden": "", "f/sub": null });
  for (const name of numbered(20)) tree.link(`f/${name}`, "nowhere");
  tree.link("f/out", "/etc/passwd");
  tree.link("f/way", "z");
  expect(Bun.spawnSync(["mkfifo", tree.path("f/zz")]).exitCode).toBe(0);
  using root = rootOf(tree);
  const [page] = pageOf(tree, root, { folder: "f/", limit: 2 });
  expect([namesOf(page), (page as EncodedPage).left, (page as EncodedPage).more]).toEqual([
    ...[["sub", "way"], 21, true],
  ]);
  const [first] = pageOf(tree, root, { folder: "f", limit: 1 });
  expect([namesOf(first), (first as EncodedPage).more]).toEqual([["sub"], true]);
  const [rest] = pageOf(tree, root, { folder: "f", limit: 5, after: "nz" });
  expect([namesOf(rest), (rest as EncodedPage).left, (rest as EncodedPage).more]).toEqual([
    ...[["sub", "way", "z"], 2, false],
  ]);
  const [told] = pageOf(tree, root, { folder: "f", left: true });
  const text = Buffer.from((told as EncodedPage).text).toString("latin1");
  expect(text).toContain("left type=link error=ENOENT n1000\n");
  expect(text).toContain("left type=link error=EACCES out\n");
  expect(text).toContain("left type=special error=EACCES zz\n");
  expect([(told as EncodedPage).count, (told as EncodedPage).left]).toEqual([3, 22]);
  expect(openIn(tree.root)).toBe(1);
});

test("what passes by itself ends the page, what can't be read is its refusal", () => {
  using tree = new Tree({ a: "", b: "", c: "" });
  tree.link("d", "a");
  using root = rootOf(tree);
  {
    using _busy = replaceCall("openat2", () => () => -24);
    expect(pageOf(tree, root, {})[0]).toBe(-24);
  }
  {
    using _gone = replaceCall(
      "statx",
      (real) => (fd, name, out) => (name === "b" ? -2 : real(fd, name, out)),
    );
    const [page] = pageOf(tree, root, { left: true });
    // One that has gone since its name was read is none.
    expect([namesOf(page), (page as EncodedPage).left]).toEqual([["a", "c", "d"], 0]);
  }
  using _io = replaceCall("getdents", () => () => -5);
  expect(pageOf(tree, root, {})[0]).toBe(-5);
  expect(openIn(tree.root)).toBe(1);
});

test("a page ends behind so many bytes, and the next one goes on there", () => {
  // 250 bytes each: some 400 fill a page.
  const names = numbered(900).map((name) => name.padEnd(250, "x"));
  using tree = new Tree();
  for (const name of names) fs.writeFileSync(tree.path(name), "");
  using root = rootOf(tree);
  const seen: string[] = [];
  const sizes: number[] = [];
  for (let more = true; more;) {
    const [page] = pageOf(tree, root, { limit: 10_000, after: seen.at(-1) ?? "" });
    seen.push(...namesOf(page));
    sizes.push((page as EncodedPage).text.length);
    ({ more } = page as EncodedPage);
  }
  expect(seen).toEqual(names);
  for (const bytes of sizes.slice(0, -1)) {
    expect([bytes > 131_072, bytes < 131_072 + 400]).toEqual([true, true]);
  }
});

test("the lines know what is in front of a name, and the last one that was told", () => {
  using tree = new Tree({ "f/a": "" });
  using root = rootOf(tree);
  const wanted = { limit: 1, after: "", left: false, id: "" };
  const prefixes = [".", "f", "f/", "f/g/"].map(
    (folder) => new PageLines(root, { ...wanted, folder }).prefix,
  );
  expect(prefixes).toEqual(["", "f/", "f/", "f/g/"]);
  const lines = new PageLines(root, { ...wanted, folder: "f" });
  const fd = kernel.openat(AT_FDCWD, tree.path("f"), OPEN.readOnly | OPEN.directory);
  expect([lines.last, lines.full, lines.count]).toEqual(["", false, 0]);
  expect([lines.add(fd, "a"), lines.last, lines.full, lines.count]).toEqual([0, "a", true, 1]);
  kernel.close(fd);
});

test("a name that the kernel gives twice, made anew while it was read, is listed once", () => {
  using tree = new Tree(Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, name])));
  using root = rootOf(tree);
  let records: Buffer | null = null;
  using _twice = replaceCall("getdents", (real) => (fd, into) => {
    const filled = real(fd, into);
    if (filled > 0) {
      records = Buffer.from(into.subarray(0, filled));
      return filled;
    }
    const again = records;
    records = null;
    if (again !== null) into.set(again);
    return again?.length ?? 0;
  });
  const pages = ["", "b"].map((after) => pageOf(tree, root, { after, limit: 2 })[0]);
  expect(pages.map(namesOf)).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
  expect(pages.map((page) => typeof page !== "number" && page.more)).toEqual([true, false]);
  expect(namesOf(pageOf(tree, root, {})[0])).toEqual(["a", "b", "c", "d"]);
});
