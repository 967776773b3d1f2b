/** Why a disk is not served: what is told, and that nothing stays open. */
import { expect, test } from "bun:test";
import path from "node:path";
import { type DiskStore, openDisk } from "../../src/store/disk.ts";
import type { RootPolicy } from "../../src/store/root.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { Tree } from "../rig/tree.ts";
import { closing, codeOf, statOf } from "./asking.ts";

const POLICY: RootPolicy = { hidden: false, symlinks: true, mounts: false, unconfined: false };

function diskOver(tree: Tree, policy: Partial<RootPolicy> = {}): DiskStore {
  return openDisk(tree.root, { ...POLICY, ...policy }, { files: 64, zeroCopy: true });
}

function failureOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

test("without openat2 it says so instead of serving; --unconfined is told of", async () => {
  using tree = new Tree({ f: "x" });
  using _fault = replaceCall("openat2", () => () => -ERRNO.ENOSYS);
  expect(() => diskOver(tree)).toThrow(/openat2 says ENOSYS.*--unconfined .* may then lead out/s);
  expect(failureOf(() => diskOver(tree))).toMatchObject({ code: "ENOSYS" });
  expect(openIn(tree.root)).toBe(0);
  expect(await codeOf(diskOver(tree, { unconfined: true }), "/f")).toBe("opened");
});

test("without /proc it says so, and leaves nothing open", async () => {
  using tree = new Tree({ f: "x" });
  const noProc = () =>
    replaceCall("openat", (real) => (dirfd, path, flags) => {
      return path.startsWith("/proc/self/fd/") ? -ERRNO.ENOENT : real(dirfd, path, flags);
    });
  {
    using _fault = noProc();
    expect(() => diskOver(tree)).toThrow("serv6 needs /proc");
    expect(failureOf(() => diskOver(tree))).toMatchObject({ code: "EIO" });
    expect(openIn(tree.root)).toBe(0);
  }
  using store = closing(diskOver(tree));
  using _fault = noProc();
  expect(await codeOf(store.it, "/f")).toBe("EIO");
  expect(openIn(tree.root)).toBe(1);
});

test("a root that can't be opened is told by its name and why", () => {
  using tree = new Tree({ f: "x" });
  using _fault = replaceCall("openat", () => () => -ERRNO.EACCES);
  expect(() => diskOver(tree)).toThrow(`cannot serve ${tree.root}: permission denied`);
});

test("what etags are made of is read when the store is opened: later it may not be", async () => {
  using tree = new Tree({ f: "x" });
  const [disk, asking] = ["src/store/disk.ts", "test/store/asking.ts"].map((file) =>
    path.resolve(import.meta.dir, "../..", file),
  );
  const script = `
    import fs from "node:fs";
    import { openDisk } from ${JSON.stringify(disk)};
    import { statOf } from ${JSON.stringify(asking)};
    const policy = ${JSON.stringify(POLICY)};
    const store = openDisk(${JSON.stringify(tree.root)}, policy, { files: 8, zeroCopy: true });
    fs.readFileSync = () => { throw new Error("EACCES"); };
    console.log((await statOf(store, "/f")).etag);
    store.close();
  `;
  const { stdout } = Bun.spawnSync([process.execPath, "-e", script]);
  const store = diskOver(tree);
  expect(stdout.toString().trim()).toBe((await statOf(store, "/f")).etag);
  store.close();
});
