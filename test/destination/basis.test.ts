/** The file that is replaced, as a source of bytes: which call takes them, and what it opens. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { Basis } from "../../src/destination/basis.ts";
import { Folder } from "../../src/destination/folder.ts";
import { Staged } from "../../src/destination/staged.ts";
import { Staging } from "../../src/destination/staging.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import type { Kernel } from "../../src/sys/kernel.ts";
import { replaceCall } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { openIn } from "../rig/open-files.ts";
import { Tree } from "../rig/tree.ts";

const CHUNK = 65_536;
const NEW = content(1, 2, 3 * CHUNK);

type Row = "cloneRange" | "copyRange";

/** Takes two chunks while rows answer what `answers` says: the calls that it took, in order. */
function callsOf(answers: Partial<Record<Row, number>>): string {
  using tree = new Tree({ "to/f": NEW });
  const folder = Folder.open(tree.path("to"), false);
  const staging = Staging.open(folder);
  const staged = Staged.open(staging, "s");
  const basis = Basis.open(folder, "f");
  const calls: string[] = [];
  const noted = (row: Row): Disposable =>
    replaceCall(row, (real: Kernel[Row]) => (...range) => {
      calls.push(row);
      return answers[row] ?? real(...range);
    });
  {
    using _clone = noted("cloneRange");
    using _copy = noted("copyRange");
    using _write = replaceCall("pwrite", (real) => (...bytes) => {
      calls.push("pwrite");
      return real(...bytes);
    });
    expect(basis?.copyTo(staged, 0, CHUNK)).toBe(true);
    expect(basis?.copyTo(staged, CHUNK, CHUNK)).toBe(true);
  }
  const bytes = Buffer.alloc(2 * CHUNK);
  fs.readSync(staged.fd, bytes, 0, bytes.length, 0);
  if (answers.cloneRange !== 0) expect(bytes.equals(NEW.subarray(0, bytes.length))).toBe(true);
  basis?.[Symbol.dispose]();
  staged.close();
  staging.close();
  folder.close();
  return calls.join(" ");
}

test("blocks are shared, else copied by the kernel, else read and written", () => {
  expect(callsOf({ cloneRange: 0 })).toBe("cloneRange cloneRange");
  for (const errno of [ERRNO.EOPNOTSUPP, ERRNO.EXDEV, ERRNO.ENOTTY, ERRNO.ENOSYS]) {
    // Said once for the whole file.
    const cloneRange = -errno;
    expect(callsOf({ cloneRange, copyRange: -ERRNO.EXDEV })).toBe(
      "cloneRange copyRange pwrite copyRange pwrite",
    );
  }
  // Of one range: the next may be shared.
  expect(callsOf({ cloneRange: -ERRNO.EINVAL, copyRange: -ERRNO.EINVAL })).toBe(
    "cloneRange copyRange pwrite cloneRange copyRange pwrite",
  );
});

test.each([
  ["by the kernel in pieces", 400_000, 0],
  ["by the kernel and then by hand", 400_000, 1],
  ["by hand alone", 0, 0],
])("%s, the range is copied and no byte behind it", (_, piece, pieces) => {
  const [offset, length] = [10, 1_048_576 + 1];
  const whole = content(1, 2, 1_200_000);
  using tree = new Tree({ "to/f": whole });
  const folder = Folder.open(tree.path("to"), false);
  const staging = Staging.open(folder);
  const staged = Staged.open(staging, "s");
  const basis = Basis.open(folder, "f")!;
  let calls = 0;
  using _clone = replaceCall("cloneRange", () => () => -ERRNO.EINVAL);
  using _copy = replaceCall("copyRange", (real) => (to, from, at, count) => {
    calls += 1;
    const fails = piece === 0 || (pieces > 0 && calls > pieces);
    return fails ? -ERRNO.EINVAL : real(to, from, at, Math.min(count, piece));
  });
  expect(basis.copyTo(staged, offset, length)).toBe(true);
  const bytes = fs.readFileSync(`/proc/self/fd/${staged.fd}`);
  expect(bytes.length).toBe(offset + length);
  expect(bytes.subarray(offset).equals(whole.subarray(offset, offset + length))).toBe(true);
  basis[Symbol.dispose]();
  staged.close();
  staging.close();
  folder.close();
});

test("a link, a folder and nothing are no source, and nothing stays open", () => {
  using tree = new Tree({ "elsewhere/f": NEW, "to/d": null });
  tree.link("to/l", tree.path("elsewhere/f"));
  const folder = Folder.open(tree.path("to"), false);
  for (const name of ["l", "d", "none"]) expect(Basis.open(folder, name)).toBeNull();
  folder.close();
  expect(openIn(tree.root)).toBe(0);
});

test("of a source that is shorter by now it says so", () => {
  using tree = new Tree({ "to/f": NEW });
  const folder = Folder.open(tree.path("to"), false);
  const staging = Staging.open(folder);
  const staged = Staged.open(staging, "s");
  const basis = Basis.open(folder, "f");
  fs.truncateSync(tree.path("to/f"), CHUNK + 5);
  for (const copyRange of [null, -ERRNO.EXDEV]) {
    using _clone = replaceCall("cloneRange", () => () => -ERRNO.EINVAL);
    using _copy = replaceCall(
      "copyRange",
      (real) =>
        (...range) =>
          copyRange ?? real(...range),
    );
    expect(basis?.copyTo(staged, CHUNK, CHUNK)).toBe(false);
    expect(basis?.copyTo(staged, 0, CHUNK)).toBe(true);
  }
  basis?.[Symbol.dispose]();
  staged.close();
  staging.close();
  folder.close();
  expect(openIn(tree.root)).toBe(0);
});
