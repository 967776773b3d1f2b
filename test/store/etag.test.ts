/** What an etag is of. */
import { expect, test } from "bun:test";
import { createHash, createHmac } from "node:crypto";
import fs from "node:fs";
import { etagOf, folderIdOf, namesIdOf } from "../../src/store/etag.ts";
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

test("etags and ids are of the machine's id: the same in every worker and after a restart", () => {
  let machine = "";
  try {
    machine = fs.readFileSync("/etc/machine-id", "latin1").trim();
  } catch {
    // Without one the key is public.
  }
  const key = createHash("sha256").update(`serv6 etag 1 ${machine}`).digest("hex");
  const of = (bytes: string | Uint8Array): string =>
    createHmac("sha256", key).update(bytes).digest("hex").slice(0, 16);
  const words = new BigUint64Array([1n, 2n, 2n ** 64n - 3n, 4n, 5n]);
  const bytes = new Uint8Array(words.buffer);
  // A time before 1970 is negative.
  const stat = statOf(1n, 2n, -3n, 4n, 5n);
  expect(etagOf(stat)).toBe(of(bytes.subarray(0, 32)));
  expect(etagOf(stat, 6n)).toBe(of(bytes));
  expect(folderIdOf(stat)).toBe(of("folder 5 1"));
  expect(namesIdOf(["a", "b"])).toBe(of("names a/b"));
});
