/** What an etag is of. */
import { expect, test } from "bun:test";
import { etagOf, folderIdOf } from "../../src/store/etag.ts";
import { FileStat } from "../../src/sys/types.ts";

function statOf(ino: bigint, size: bigint, mtime: bigint, ctime: bigint, dev: bigint): FileStat {
  return Object.assign(new FileStat(), { ino, size, mtime, ctime, dev });
}

test("each of inode, size, mtime and ctime is in it, and nothing of them shows", () => {
  const etag = etagOf(statOf(1n, 2n, 3n, 4n, 5n));
  expect(etag).toMatch(/^[0-9a-f]{16}$/);
  expect(etagOf(statOf(1n, 2n, 3n, 4n, 5n))).toBe(etag);
  const others = [
    statOf(9n, 2n, 3n, 4n, 5n),
    statOf(1n, 9n, 3n, 4n, 5n),
    statOf(1n, 2n, 9n, 4n, 5n),
    statOf(1n, 2n, 3n, 9n, 5n),
  ];
  expect(new Set([etag, ...others.map((stat) => etagOf(stat))]).size).toBe(5);
});

test("the device is in it where the file is not on the root's, whose number may change", () => {
  const home = 7n;
  const at = (dev: bigint): string => etagOf(statOf(1n, 2n, 3n, 4n, dev), home);
  expect(at(home)).toBe(etagOf(statOf(1n, 2n, 3n, 4n, 8n), 8n));
  expect(new Set([at(home), at(8n), at(9n)]).size).toBe(3);
});

test("a folder is told by its device and inode, whatever is put into it", () => {
  const id = folderIdOf(statOf(1n, 2n, 3n, 4n, 5n));
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(folderIdOf(statOf(1n, 9n, 9n, 9n, 5n))).toBe(id);
  const others = [
    statOf(2n, 2n, 3n, 4n, 5n),
    statOf(1n, 2n, 3n, 4n, 6n),
    statOf(5n, 0n, 0n, 0n, 1n),
  ];
  expect(new Set([id, ...others.map(folderIdOf)]).size).toBe(4);
});
