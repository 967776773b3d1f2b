/** Whether a file that is here is what the server has: size, time, and the etag that was noted. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { differenceOf, sameTime } from "../../src/download/uptodate.ts";
import { type Order, publicationOf } from "../../src/download/order.ts";
import { Folder } from "../../src/destination/folder.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { portableKernel } from "../../src/sys/portable.ts";
import { OPEN } from "../../src/sys/types.ts";
import type { Entry } from "../../src/wire/entry.ts";
import { replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { Tree } from "../rig/tree.ts";

const TIME = 1_700_000_000_123_456_789n;
const ENTRY: Entry = { type: "file", size: 4n, mtime: TIME, etag: "0123456789abcdef" };

/** A folder with "f", of four bytes and TIME, and a question about it. */
function stage() {
  const tree = new Tree({ f: "four", d: null });
  const folder = Folder.open(tree.root, false);
  const fd = fs.openSync(tree.path("f"), "r+");
  expect(kernel.setMtime(fd, TIME)).toBe(0);
  fs.closeSync(fd);
  return {
    tree,
    ask: (entry: Partial<Entry> = {}, name = "f"): boolean =>
      differenceOf(folder, name, folder.stat(name)!, { ...ENTRY, ...entry }) === null,
    [Symbol.dispose]() {
      folder.close();
      tree[Symbol.dispose]();
    },
  };
}

test("times are equal, or as equal as a coarser file system keeps them", () => {
  const second = 1_700_000_000_000_000_000n;
  for (const [here, there, same] of [
    [TIME, TIME, true],
    [TIME, TIME + 1n, false],
    [TIME, TIME - 1n, false],
    [0n, 0n, true],
    [-1n, -1n, true],
    // Whole seconds, and FAT's two; rounded up or cut.
    [second, second + 999_999_999n, true],
    [second, second + 1_999_999_999n, true],
    [second, second - 1_999_999_999n, true],
    [second, second + 2_000_000_000n, false],
    [second, second - 2_000_000_000n, false],
    // 10 ms, 1 ms, 1 us, 100 ns.
    [second + 120_000_000n, TIME, true],
    [second + 123_000_000n, TIME, true],
    [second + 123_456_000n, TIME, true],
    [second + 123_456_700n, TIME, true],
    [second + 123_456_700n, second + 123_456_800n, false],
    [second + 123_456_000n, second + 123_457_000n, false],
    [second + 123_000_000n, second + 124_000_000n, false],
    [second + 120_000_000n, second + 130_000_000n, false],
    // What is coarse there and not here is another time.
    [TIME, second, false],
  ] as const) {
    expect([here, there, sameTime(here, there)]).toEqual([here, there, same]);
  }
});

test("another size, time or kind is another version", () => {
  using here = stage();
  expect(here.ask()).toBe(true);
  expect(here.ask({ size: 5n })).toBe(false);
  expect(here.ask({ mtime: TIME + 1n })).toBe(false);
  here.tree.link("l", "f");
  for (const name of ["d", "l"]) {
    const { size, mtimeNs } = fs.lstatSync(here.tree.path(name), { bigint: true });
    expect([name, here.ask({ size, mtime: mtimeNs }, name)]).toEqual([name, false]);
  }
});

test("a noted etag decides; where none can be had, size and time do", () => {
  using here = stage();
  const noted = (answer: string | number): boolean => {
    using _ = replaceCall("attribute", () => (_fd, name) => {
      expect(name).toBe("user.cli6.etag");
      return answer;
    });
    return here.ask();
  };
  expect(noted(ENTRY.etag)).toBe(true);
  expect(noted("fedcba9876543210")).toBe(false);
  expect(noted(-ERRNO.ENODATA)).toBe(true);
  expect(noted(-ERRNO.EOPNOTSUPP)).toBe(true);
  // What can't be opened for reading can't tell.
  using _ = replaceCall("openat", () => () => -ERRNO.EACCES);
  expect(here.ask()).toBe(true);
});

test("asking leaves no descriptor open", () => {
  using here = stage();
  const before = openIn(here.tree.root);
  for (let nth = 0; nth < 20; nth++) here.ask();
  expect(openIn(here.tree.root)).toBe(before);
});

test("a time that was set without FFI is believed afterwards", () => {
  using tree = new Tree({ f: "four" });
  const rows = portableKernel();
  const fd = rows.openat(-100, tree.path("f"), OPEN.readWrite);
  for (const time of [TIME, 0n, 1n, 999_999n, 1_234_567_890_123_999_999n]) {
    expect(rows.setMtime(fd, time)).toBe(0);
    expect([time, sameTime(fs.fstatSync(fd, { bigint: true }).mtimeNs, time)]).toEqual([
      time,
      true,
    ]);
  }
  rows.close(fd);
});

test("an order becomes a file of its server's version, where and as it was ordered", () => {
  using tree = new Tree();
  const folder = Folder.open(tree.root, false);
  const order: Order = {
    file: { path: "/there/f", entry: ENTRY },
    folder,
    name: "g",
    staged: "there%2Ff",
    replace: true,
    restarts: 0,
    bad: 0,
  };
  const wanted = { folder, name: "g", replace: true, mtime: TIME, etag: ENTRY.etag };
  expect(publicationOf(order)).toEqual(wanted);
  // The server's file has changed meanwhile: it is the new version's facts that are noted.
  order.file = { ...order.file, entry: { ...ENTRY, mtime: 5n, etag: "new" } };
  expect(publicationOf(order)).toEqual({ ...wanted, mtime: 5n, etag: "new" });
  folder.close();
});
