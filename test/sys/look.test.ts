/** Rows that only look: whether a page is in memory, whether a descriptor is a terminal. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { portableKernel } from "../../src/sys/portable.ts";
import { Tree } from "../rig/tree.ts";

/** tmpfs, on which the temporary folder may lie, can't tell. */
const UNTOLD = -ERRNO.EOPNOTSUPP;

test("what has been read is in memory, and so is what lies past the end", () => {
  using tree = new Tree({ f: "" });
  fs.truncateSync(tree.path("f"), 100_000_000);
  const fd = fs.openSync(tree.path("f"), "r");
  const at = 50_000_000;
  fs.readSync(fd, new Uint8Array(1), 0, 1, at);
  for (const place of [at, at + 1, 100_000_000, 2 ** 52]) {
    expect([1, UNTOLD]).toContain(kernel.resident(fd, BigInt(place)));
  }
  fs.closeSync(fd);
  const folder = fs.openSync(tree.root, "r");
  expect(kernel.resident(folder, 0n)).toBeLessThan(0);
  fs.closeSync(folder);
});

test("a terminal is told from what is none, as node:tty does", () => {
  using tree = new Tree({ f: "x" });
  const file = fs.openSync(tree.path("f"), "r");
  const terminal = fs.openSync("/dev/ptmx", "r+");
  for (const rows of [kernel, portableKernel()]) {
    const answers = [terminal, file, -1, Number.NaN, 1 << 20].map((fd) => rows.isTerminal(fd));
    expect(answers).toEqual([true, false, false, false, false]);
  }
  fs.closeSync(file);
  fs.closeSync(terminal);
});
