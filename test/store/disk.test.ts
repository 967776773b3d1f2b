/**
 * The disk store keeps the contract of stores, confined or not, and what it promises beyond that.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import path from "node:path";
import { type DiskStore, openDisk } from "../../src/store/disk.ts";
import type { RootPolicy } from "../../src/store/root.ts";
import { BODY_BYTES_MAX, type Store } from "../../src/store/store.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { coldNames, replaceCall, warmNames } from "../rig/faults.ts";
import { inlineLooks } from "../rig/inlinelooks.ts";
import { content, verify } from "../rig/oracle.ts";
import { openIn } from "../rig/open-files.ts";
import { Tree } from "../rig/tree.ts";
import { Asker, bytesOf, closing, codeOf, editInPlace, file, list, pass, stat } from "./asking.ts";
import { contract } from "./contract.ts";
import { waiterOf } from "../rig/waiter.ts";

const POLICY: RootPolicy = { hidden: false, symlinks: true, mounts: false, unconfined: false };
const NOBODY = waiterOf();

function diskOver(tree: Tree, policy: Partial<RootPolicy> = {}): DiskStore {
  return openDisk(tree.root, { ...POLICY, ...policy }, { files: 64, zeroCopy: true });
}

/** Where no name is ever in memory, as on some network file systems: the thread looks each up. */
function coldDiskOver(tree: Tree): DiskStore {
  const faults = new DisposableStack();
  faults.use(coldNames());
  faults.use(inlineLooks());
  const store = diskOver(tree);
  const close = store.close.bind(store);
  store.close = () => {
    faults.dispose();
    close();
  };
  return store;
}

type MakeDisk = (tree: Tree) => DiskStore;

const STORES: readonly [name: string, make: MakeDisk][] = [
  ["disk", (tree) => diskOver(tree)],
  ["disk, unconfined", (tree) => diskOver(tree, { unconfined: true })],
  ["disk, no name in memory", coldDiskOver],
];
for (const [name, make] of STORES) {
  contract(name, make);
  edits(name, make);
  references(name, make);
  kinds(name, make);
}

async function codesOf(store: Store, paths: readonly string[]): Promise<string[]> {
  const codes: string[] = [];
  for (const path of paths) codes.push(await codeOf(store, path));
  return codes;
}

function edits(name: string, make: MakeDisk): void {
  test(`${name}: an edit in place of a large file is seen at once`, async () => {
    using tree = new Tree();
    tree.write("large", content(1, 0, 100_000));
    using store = closing(make(tree));
    const before = await file(store.it, "/large");
    editInPlace(tree.path("large"), content(1, 1, 100_000));
    expect(before.revalidate()).toBe("changed");
    const after = await file(store.it, "/large");
    expect(after.entry.etag).not.toBe(before.entry.etag);
    expect(verify(bytesOf(after), 1, 1)).toBeNull();
    after.retain();
    fs.appendFileSync(tree.path("large"), "more");
    expect(after.revalidate()).toBe("grown");
    after.release();
    expect((await file(store.it, "/large")).entry.size).toBe(100_004n);
  });
}

function references(name: string, make: MakeDisk): void {
  test(`${name}: a file in use stays open until the last one lets go`, async () => {
    using tree = new Tree();
    tree.write("large", content(1, 0, 100_000));
    const store = make(tree);
    const opened = await file(store, "/large");
    opened.retain();
    opened.retain();
    const { ino } = fs.statSync(tree.path("large"));
    tree.write("next", content(1, 1, 100_000));
    fs.renameSync(tree.path("next"), tree.path("large"));
    pass(1001);
    expect(await file(store, "/large")).not.toBe(opened);
    opened.release();
    store.close();
    expect(fs.fstatSync(opened.fd).ino).toBe(ino);
    expect(verify(bytesOf(opened), 1, 0)).toBeNull();
    opened.release();
    expect(opened.fd).toBe(-1);
  });

  test(`${name}: lets go of everything when it is closed`, async () => {
    using tree = new Tree();
    for (let i = 0; i < 20; i++) tree.write(`f${i}`, content(i, 0, 80_000));
    const before = openIn(tree.root);
    const store = make(tree);
    for (let i = 0; i < 20; i++) await file(store, `/f${i}`);
    const gone = new Asker();
    expect(store.list("/", 10, "", gone, false, true)).toBeNull();
    gone.gone = true;
    store.close();
    store.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(openIn(tree.root)).toBe(before);
  });
}

function kinds(name: string, make: MakeDisk): void {
  test(`${name}: holds up to 8,192 bytes with room in front, and above a descriptor`, async () => {
    using tree = new Tree({ empty: "" });
    tree.write("held", content(1, 0, BODY_BYTES_MAX));
    tree.write("sent", content(1, 0, BODY_BYTES_MAX + 1));
    using store = closing(make(tree));
    for (const path of ["/empty", "/held"]) {
      const held = await file(store.it, path);
      expect(held.fd).toBe(-1);
      expect(held.body?.byteOffset).toBeGreaterThanOrEqual(held.headroom);
    }
    const sent = await file(store.it, "/sent");
    expect(sent.body).toBeNull();
    expect(fs.fstatSync(sent.fd).ino).toBe(fs.statSync(tree.path("sent")).ino);
  });

  test(`${name}: neither opens nor waits for what is no file`, async () => {
    using tree = new Tree({ f: "x" });
    expect(Bun.spawnSync(["mkfifo", tree.path("pipe")]).exitCode).toBe(0);
    tree.link("loop", "loop");
    tree.link("dangling", "nope");
    using store = closing(make(tree));
    expect(await codeOf(store.it, "/pipe")).toBe("EACCES");
    expect(await stat(store.it, "/pipe")).toMatchObject({ code: "EACCES" });
    expect(await codeOf(store.it, "/loop")).toBe("EACCES");
    expect(await codeOf(store.it, "/dangling")).toBe("ENOENT");
    expect(await list(store.it, "/", 10)).toBe("1 f");
  });
}

test("links: inside is followed, outside never, and none where policy says so", async () => {
  using outside = new Tree({ secret: "s" });
  using tree = new Tree({ f: "x", ".h": "x" });
  tree.link("in", "f");
  tree.link("out", outside.path("secret"));
  tree.link("dot", ".h");
  const confined = diskOver(tree);
  expect(await codesOf(confined, ["/in", "/out", "/dot"])).toEqual(["opened", "EACCES", "ENOENT"]);
  const strict = diskOver(tree, { symlinks: false });
  expect(await codeOf(strict, "/in")).toBe("EACCES");
  // Without the wall links may lead out, but no policy may be got around.
  const open = diskOver(tree, { unconfined: true });
  expect(await codesOf(open, ["/in", "/out", "/dot"])).toEqual(["opened", "opened", "ENOENT"]);
  expect(await codeOf(diskOver(tree, { unconfined: true, symlinks: false }), "/out")).toBe(
    "EACCES",
  );
});

test("links to directories: below the root they are ways, out of it walls", async () => {
  using outside = new Tree({ "o/secret": "s" });
  using tree = new Tree({ "d/f": "x", "d/.h/f": "x" });
  tree.link("in", "d");
  tree.link("deep/in", "../d");
  tree.link("out", outside.path("o"));
  tree.link("up", "../..");
  tree.link("whole", tree.path("d"));
  tree.link("dots", "d/.h");
  tree.link("two", "in");
  const codes = async (store: DiskStore): Promise<Record<string, string>> => {
    const paths = ["in", "deep/in", "two", "out", "whole", "dots"];
    const secret = (path: string): string => (path === "out" ? "/out/secret" : `/${path}/f`);
    const found = await codesOf(store, paths.map(secret));
    return Object.fromEntries(paths.map((path, nth) => [path, found[nth] ?? ""]));
  };
  const followed = { in: "opened", "deep/in": "opened", two: "opened" };
  using confined = closing(diskOver(tree));
  // An absolute target is a way out, even where it comes back (openat2(2)).
  const refused = { out: "EACCES", whole: "EACCES", dots: "ENOENT" };
  expect(await codes(confined.it)).toEqual({ ...followed, ...refused });
  expect(await codeOf(confined.it, "/up/etc/passwd")).toBe("EACCES");
  expect(await list(confined.it, "/", 9)).toBe("4 d deep in two");
  using open = closing(diskOver(tree, { unconfined: true }));
  expect(await codes(open.it)).toEqual({
    ...followed,
    out: "opened",
    whole: "opened",
    dots: "ENOENT",
  });
});

test("the wall stands alone, whatever else policy allows", async () => {
  using outside = new Tree({ "o/secret": "s" });
  using tree = new Tree({ "d/f": "x" });
  const beside = path.basename(outside.root);
  // Relative, on one file system, no dot in front: nothing but the wall is in these links' way.
  tree.link("side", `../${beside}/o/secret`);
  tree.link("d/side", `../../${beside}/o`);
  tree.link("back", `../${path.basename(tree.root)}/d/f`);
  tree.link("around", "d/../d/f");
  const links = ["/side", "/d/side/secret", "/back", "/around"];
  for (const policy of [{}, { mounts: true }, { hidden: true }, { mounts: true, hidden: true }]) {
    using store = closing(diskOver(tree, policy));
    const codes = await codesOf(store.it, links);
    expect([policy, codes]).toEqual([policy, ["EACCES", "EACCES", "EACCES", "opened"]]);
    expect(await stat(store.it, "/side")).toMatchObject({ code: "EACCES" });
    expect(await list(store.it, "/d/side", 9)).toBe("EACCES");
  }
});

test("for a waiter that is gone before its turn no directory is read", async () => {
  using tree = new Tree({ f: "x" });
  using store = closing(diskOver(tree));
  let reads = 0;
  using _count = replaceCall("getdents", (real) => (fd, into) => {
    reads += 1;
    return real(fd, into);
  });
  for (let i = 0; i < 5; i++) store.it.list("/", 8 - i, "", { ...NOBODY, gone: true });
  expect(await list(store.it, "/", 9)).toBe("1 f");
  // The records, and that there are no more.
  expect(reads).toBe(2);
});

test("a file that may not be read is EACCES, confined or not, and is not remembered so", async () => {
  using tree = new Tree({ f: "x" });
  for (const unconfined of [false, true]) {
    using store = closing(diskOver(tree, { unconfined }));
    {
      using _fault = replaceCall("openat", (real) => (dirfd, path, flags) => {
        return path.startsWith("/proc/self/fd/") ? -ERRNO.EACCES : real(dirfd, path, flags);
      });
      expect(await codeOf(store.it, "/f")).toBe("EACCES");
    }
    expect(await codeOf(store.it, "/f")).toBe("opened");
  }
});

test("descriptors are counted from open to the last release, and limited", async () => {
  using tree = new Tree({ small: "x" });
  for (let i = 0; i < 6; i++) tree.write(`f${i}`, Buffer.alloc(100_000));
  const store = openDisk(tree.root, POLICY, { files: 4, zeroCopy: true });
  expect(await codeOf(store, "/small")).toBe("opened");
  expect(store.openFds).toBe(0);
  const files = [0, 1, 2, 3].map((i) => {
    const file = store.open(`/f${i}`, NOBODY);
    if (file === null || file instanceof Refusal) throw new Error(`f${i} did not open`);
    file.retain();
    expect(store.openFds).toBe(i + 1);
    return file;
  });
  // All in use: one more waits for its turn instead of taking somebody's.
  expect(await codeOf(store, "/f4")).toBe("EBUSY");
  expect(store.openFds).toBe(4);
  files[0]?.release();
  expect(await codeOf(store, "/f4")).toBe("opened");
  expect(store.openFds).toBe(4);
  store.close();
  expect(store.openFds).toBe(3);
  for (const file of files.slice(1)) file.release();
  expect(store.openFds).toBe(0);
});

test("what a store is called and has, before and after it was asked", async () => {
  using tree = new Tree({ f: "x", large: Buffer.alloc(100_000) });
  using store = closing(diskOver(tree));
  using single = closing(openDisk(tree.path("f"), POLICY, { files: 8, zeroCopy: true }));
  expect([store.it.label, single.it.label]).toEqual([tree.root, `${tree.root}/f`]);
  expect(single.it.roots).toEqual([{ at: "", folder: tree.root }]);
  const nothing = {
    ...{ openFiles: 0, keptFiles: 0, keptBytes: 0, arenaFiles: 0, hits: 0, misses: 0 },
    ...{ blockBytes: 0, blockHits: 0, blockMisses: 0, digestJobs: 0, pages: 0 },
  };
  expect(store.it.facts).toEqual(nothing);
  for (let nth = 0; nth < 3; nth++) {
    for (const path of ["/f", "/large"]) await file(store.it, path);
  }
  expect(await codeOf(store.it, "/no")).toBe("ENOENT");
  expect(store.it.list("/", 10, "", NOBODY)).toBeNull();
  expect(store.it.facts).toMatchObject({
    ...{ openFiles: 1, keptFiles: 2, hits: 4, misses: 3, pages: 1 },
  });
});

test("a link to the root itself is a way into it; where links lead is asked twice, or refused", async () => {
  using tree = new Tree({ "d/f": "x", ".h/f": "x" });
  tree.link("d/up", "..");
  tree.link("d/in", "f");
  tree.link("d/dot", "../.h");
  using _warm = warmNames();
  for (const unconfined of [false, true]) {
    using store = closing(diskOver(tree, { unconfined }));
    const before = openIn(tree.root);
    expect(await list(store.it, "/d/up", 9)).toBe("1 d");
    expect(await codesOf(store.it, ["/d/up/d/f", "/d/dot/f"])).toEqual(["opened", "ENOENT"]);
    for (const nth of [1, 2]) {
      let calls = 0;
      using _fails = replaceCall("readlink", (real) => (path) => {
        return ++calls === nth ? -ERRNO.ENOENT : real(path);
      });
      expect(await stat(store.it, "/d/in")).toMatchObject({ code: "EACCES" });
    }
    expect(openIn(tree.root)).toBe(before);
  }
});

test("a file as root is all there is, and what the root's own path gives", async () => {
  using tree = new Tree({ "one.bin": "x", sibling: "y", d: null });
  const store = openDisk(tree.path("one.bin"), POLICY, { files: 8, zeroCopy: true });
  expect(await codesOf(store, ["/one.bin", "/sibling", "/d", "/"])).toEqual([
    "opened",
    "ENOENT",
    "ENOENT",
    "opened",
  ]);
  expect(store.single).toBe("/one.bin");
  expect(await list(store, "/", 9)).toBe("1 one.bin");
  expect(await stat(store, "/")).toMatchObject({ type: "dir" });
  expect(await stat(store, "/sibling")).toMatchObject({ code: "ENOENT" });
  expect(await stat(store, "/one.bin")).toMatchObject({ type: "file", size: 1n });
  store.close();
});

test("a bare path is read below the root first, then under the root's own name", () => {
  using tree = new Tree({ f: "x" });
  const store = diskOver(tree);
  expect(store.readings("f")).toEqual(["/f"]);
  expect(store.readings("/f")).toEqual(["/f"]);
  expect(store.readings(`${tree.root}/f`)).toEqual([`${tree.root}/f`, "/f"]);
  expect(store.readings(`${tree.root}x/f`)).toEqual([`${tree.root}x/f`]);
  expect(store.readings(`${tree.root}/`)).toEqual([`${tree.root}/`, "/"]);
  expect(store.readings(tree.root)).toEqual([tree.root]);
  expect(store.readings("")).toEqual(["/"]);
  store.close();
});

test("a root that was given by a link has both names, and a file as root its directory's", () => {
  using tree = new Tree({ "real/f": "x" });
  tree.link("given", "real");
  using linked = closing(openDisk(tree.path("given"), POLICY, { files: 8, zeroCopy: true }));
  for (const name of ["real", "given"]) {
    const path = tree.path(`${name}/f`);
    expect(linked.it.readings(path)).toEqual([path, "/f"]);
  }
  using single = closing(openDisk(tree.path("real/f"), POLICY, { files: 8, zeroCopy: true }));
  const path = tree.path("real/f");
  expect(single.it.readings(path)).toEqual([path, "/f"]);
});

test("a descriptor that nobody used for ten seconds is closed", async () => {
  using tree = new Tree({ f: Buffer.alloc(100_000) });
  const store = diskOver(tree);
  expect(await codeOf(store, "/f")).toBe("opened");
  store.sweep();
  expect(store.openFds).toBe(1);
  pass(10_001);
  store.sweep();
  expect(store.openFds).toBe(0);
  store.close();
});
