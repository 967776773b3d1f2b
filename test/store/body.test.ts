/** A small file that is edited while it is read into memory: one version, or none. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { readBody } from "../../src/store/body.ts";
import { SMALL_BYTES_MAX } from "../../src/store/store.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { FileStat } from "../../src/sys/types.ts";
import { replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Tree } from "../rig/tree.ts";

const SIZE = 6000;

/**
 * Reads a file of version 0 by readBody(), of which the first call of the kernel gives a half; from
 * then on `edit` runs `times` times, each time before another call. The edits are counted.
 */
function readEdited(edit: (path: string, nth: number) => void, times: number) {
  using tree = new Tree({ f: content(1, 0, SIZE) });
  const path = tree.path("f");
  const fd = fs.openSync(path, "r");
  const stat = new FileStat();
  kernel.statx(fd, "", stat);
  let edits = 0;
  let calls = 0;
  using _pread = replaceCall("pread", (real) => (from, into, count, offset) => {
    calls += 1;
    if (offset === 0n) return real(from, into, SIZE / 2, offset);
    if (edits < times) edit(path, ++edits);
    return real(from, into, count, offset);
  });
  const body = readBody(fd, stat, SMALL_BYTES_MAX);
  fs.closeSync(fd);
  return { body, stat, edits, calls };
}

/** Another version in place, with another mtime: a clock's grain is 4 ms. */
function overwrite(path: string, version: number): void {
  fs.writeFileSync(path, content(1, version, SIZE));
  fs.utimesSync(path, 1000, 1000 + version);
}

test("edited once in the middle, it is read again and is the new version whole", () => {
  const { body, stat, edits } = readEdited(overwrite, 1);
  if (!(body instanceof Uint8Array)) throw new Error(`not held: ${body}`);
  expect([edits, body.length, verify(Buffer.from(body), 1, 1)]).toEqual([1, SIZE, null]);
  expect([stat.size, stat.mtime]).toEqual([BigInt(SIZE), 1_001_000_000_000n]);
});

test("longer after the edit, it is the longer one whole", () => {
  const append = (path: string): void =>
    fs.appendFileSync(path, content(1, 0, SIZE + 16).subarray(SIZE));
  const { body, stat, edits } = readEdited(append, 1);
  if (!(body instanceof Uint8Array)) throw new Error(`not held: ${body}`);
  expect([edits, stat.size, body.length]).toEqual([1, BigInt(SIZE + 16), SIZE + 16]);
  expect(verify(Buffer.from(body), 1, 0)).toBeNull();
});

test("edited at every reading, it is not held, and the readings are few", () => {
  const { body, edits, calls } = readEdited(overwrite, Infinity);
  expect(body).toBeNull();
  expect(edits).toBeGreaterThan(0);
  expect(calls).toBeLessThan(20);
});

test("an empty file is held, one of /proc has bytes and no size, and what can't be told is told so", () => {
  using tree = new Tree({ empty: "", f: content(1, 0, SIZE) });
  const read = (path: string): Uint8Array | number | null => {
    const fd = fs.openSync(path, "r");
    const stat = new FileStat();
    kernel.statx(fd, "", stat);
    const body = readBody(fd, stat, SMALL_BYTES_MAX);
    fs.closeSync(fd);
    return body;
  };
  expect(read(tree.path("empty"))).toEqual(Buffer.alloc(0));
  expect(read("/proc/self/status")).toBe(-13);
  let calls = 0;
  using _fails = replaceCall("statx", (real) => (fd, name, out) => {
    return ++calls === 2 ? -5 : real(fd, name, out);
  });
  expect(read(tree.path("f"))).toBe(-5);
});
