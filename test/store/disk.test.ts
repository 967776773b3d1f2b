/**
 * The disk store keeps the contract of stores, confined or not, and what it promises beyond that.
 */
import { expect, test } from "bun:test";
import { type DiskStore, openDisk } from "../../src/store/disk.ts";
import type { RootPolicy } from "../../src/store/root.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { replaceCall } from "../rig/faults.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { Tree } from "../rig/tree.ts";
import { contract } from "./contract.ts";

const POLICY: RootPolicy = { hidden: false, symlinks: true, mounts: false, unconfined: false };
const NOBODY = { gone: false, opened() {}, listed() {}, crash() {} };

function diskOver(tree: Tree, policy: Partial<RootPolicy> = {}): DiskStore {
  return openDisk(tree.root, { ...POLICY, ...policy }, { files: 64 });
}

contract("disk", (tree) => diskOver(tree));
contract("disk, unconfined", (tree) => diskOver(tree, { unconfined: true }));

function codeOf(store: DiskStore, path: string): string {
  const opened = store.open(path, NOBODY);
  return opened instanceof Refusal ? opened.code : "opened";
}

test("links: inside is followed, outside never, and none where policy says so", () => {
  using outside = new Tree({ secret: "s" });
  using tree = new Tree({ f: "x", ".h": "x" });
  tree.link("in", "f");
  tree.link("out", outside.path("secret"));
  tree.link("dot", ".h");
  const confined = diskOver(tree);
  expect(["/in", "/out", "/dot"].map((path) => codeOf(confined, path))).toEqual([
    "opened",
    "EACCES",
    "ENOENT",
  ]);
  const strict = diskOver(tree, { symlinks: false });
  expect(codeOf(strict, "/in")).toBe("EACCES");
  // Without the wall links may lead out, but no policy may be got around.
  const open = diskOver(tree, { unconfined: true });
  expect(["/in", "/out", "/dot"].map((path) => codeOf(open, path))).toEqual([
    "opened",
    "opened",
    "ENOENT",
  ]);
  expect(codeOf(diskOver(tree, { unconfined: true, symlinks: false }), "/out")).toBe("EACCES");
});

test("without openat2 it says so instead of serving; --unconfined is told of", () => {
  using tree = new Tree({ f: "x" });
  using _fault = replaceCall("openat2", () => () => -ERRNO.ENOSYS);
  expect(() => diskOver(tree)).toThrow(/openat2 says ENOSYS.*--unconfined/s);
  expect(codeOf(diskOver(tree, { unconfined: true }), "/f")).toBe("opened");
});

test("a file as root is all there is", () => {
  using tree = new Tree({ "one.bin": "x", sibling: "y", d: null });
  const store = openDisk(tree.path("one.bin"), POLICY, { files: 8 });
  expect(["/one.bin", "/sibling", "/d", "/"].map((path) => codeOf(store, path))).toEqual([
    "opened",
    "ENOENT",
    "ENOENT",
    "EISDIR",
  ]);
  expect(store.single).toBe("/one.bin");
  store.close();
});

test("a bare path is read below the root first, then under the root's own name", () => {
  using tree = new Tree({ f: "x" });
  const store = diskOver(tree);
  expect(store.readings("f")).toEqual(["/f"]);
  expect(store.readings("/f")).toEqual(["/f"]);
  expect(store.readings(`${tree.root}/f`)).toEqual([`${tree.root}/f`, "/f"]);
  expect(store.readings(`${tree.root}x/f`)).toEqual([`${tree.root}x/f`]);
  store.close();
});

test("a descriptor that nobody used for ten seconds is closed", async () => {
  const { clock } = await import("../../src/sys/clock.ts");
  using tree = new Tree({ f: Buffer.alloc(100_000) });
  const store = diskOver(tree);
  expect(codeOf(store, "/f")).toBe("opened");
  store.sweep();
  expect(store.openFds).toBe(1);
  clock.now += 10_001;
  store.sweep();
  expect(store.openFds).toBe(0);
  store.close();
});
