/** The content of a file that somebody wants whole at once: all of it, or null. */
import { expect, test } from "bun:test";
import { contentAtOnce } from "../../src/store/atonce.ts";
import { type DiskStore, openDisk } from "../../src/store/disk.ts";
import type { OpenFile } from "../../src/store/store.ts";
import { replaceCall } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";
import { closing, file } from "./asking.ts";

const POLICY = { hidden: false, symlinks: true, mounts: false, unconfined: false };

function diskOver(tree: Tree): DiskStore {
  return openDisk(tree.root, POLICY, { files: 64, zeroCopy: true });
}

test("all of a file of up to 64 KiB, held or not; of a larger one nothing", async () => {
  using tree = new Tree();
  const sizes = [0, 5, 8192, 8193, 65_536];
  for (const size of [...sizes, 65_537]) tree.write(`f${size}`, content(size, 0, size));
  using store = closing(diskOver(tree));
  for (const size of sizes) {
    const bytes = contentAtOnce(await file(store.it, `/f${size}`));
    expect([size, bytes?.length]).toEqual([size, size]);
    expect(content(size, 0, size).equals(bytes!)).toBe(true);
  }
  expect(contentAtOnce(await file(store.it, "/f65537"))).toBeNull();
});

test("what is not in memory, can't be read or has no descriptor is null", async () => {
  using tree = new Tree({ f: content(1, 0, 20_000) });
  using store = closing(diskOver(tree));
  const opened = await file(store.it, "/f");
  {
    using _cold = replaceCall("resident", () => () => 0);
    expect(contentAtOnce(opened)).toBeNull();
  }
  {
    using _short = replaceCall("pread", (real) => (fd, into, count, offset) => {
      return offset === 0n ? real(fd, into, count - 1, offset) : 0;
    });
    expect(contentAtOnce(opened)).toBeNull();
  }
  let calls = 0;
  using _count = replaceCall("resident", () => () => ++calls);
  const remote = { ...opened, entry: opened.entry, body: null, fd: -1 } as OpenFile;
  expect([contentAtOnce(remote), calls]).toEqual([null, 0]);
});
