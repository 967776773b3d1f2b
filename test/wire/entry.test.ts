/** Lines of a LIST and facts of a reply: any name and any number come back exactly. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Entry,
  leftLine,
  listLine,
  parseLeftLine,
  parseListLine,
  readFacts,
  statFacts,
  isName,
} from "../../src/wire/entry.ts";

const file: Entry = {
  type: "file",
  size: 5n,
  mtime: 1_700_000_000_000_000_001n,
  etag: "0".repeat(16),
};
const directory: Entry = { type: "dir", size: 0n, mtime: -1n, etag: "" };

test("lines and facts are the documented bytes", () => {
  const zeros = "0".repeat(16);
  expect(listLine(file, "a b%\n")).toBe(
    `file size=5 mtime=1700000000000000001 etag=${zeros} a b%25%0A\n`,
  );
  expect(listLine(directory, "d")).toBe("dir mtime=-1 d\n");
  expect(readFacts(file, 3n)).toBe(` size=5 offset=3 etag=${zeros} mtime=1700000000000000001`);
  expect(statFacts({ ...directory, etag: "a" })).toBe(" type=dir size=0 mtime=-1 etag=a");
});

test("a line that is written is read as it was meant", () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 60 })
    .map((it) => Buffer.from(it).toString("latin1"));
  const etag = fc.stringMatching(/^[0-9a-f]{16}$/);
  const big = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
  const time = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(name, etag, big, time, fc.boolean(), (name_, tag, size, mtime, isFile) => {
      const entry: Entry = isFile
        ? { type: "file", size, mtime, etag: tag }
        : { type: "dir", size: 0n, mtime, etag: "" };
      const line = listLine(entry, name_);
      expect(line.indexOf("\n")).toBe(line.length - 1);
      expect(parseListLine(line.slice(0, -1))).toEqual({ entry, name: name_ });
    }),
    { numRuns: 2000 },
  );
});

test("a name may look like anything, also like the rest of a line", () => {
  for (const name of ["file size=1 x", " ", "a ", "dir mtime=0 x", "etag=", "..", "a/b", "a\0b"]) {
    for (const entry of [file, directory]) {
      expect(parseListLine(listLine(entry, name).slice(0, -1))).toEqual({ entry, name });
    }
  }
});

test("a control that a foreign server did not escape is part of the name", () => {
  expect(parseListLine("dir mtime=-1 a\rb")).toEqual({ entry: directory, name: "a\rb" });
  const line = listLine(file, "a").replace("a\n", "\r");
  expect(parseListLine(line)).toEqual({ entry: file, name: "\r" });
});

test("an entry without a name is one, and the name is none", () => {
  for (const line of ["dir mtime=1 ", `file size=1 mtime=1 etag=${"0".repeat(16)} `]) {
    expect(parseListLine(line)?.name).toBe("");
  }
  for (const name of ["", ".", "..", "/", "a/b", "/a", "a\0b", "n".repeat(256)]) {
    expect([name, isName(name)]).toEqual([name, false]);
  }
  for (const name of [" ", "...", ".a", "\n", "\xff", "a\\b", "n".repeat(255)]) {
    expect([name, isName(name)]).toEqual([name, true]);
  }
});

test.each([
  [""],
  ["file"],
  [`dir mtime=${"1".repeat(20)} x`],
  [`dir mtime=-${"1".repeat(20)} x`],
  [`file size=1 mtime=${"1".repeat(20)} etag=${"0".repeat(16)} x`],
  ["dir mtime=1"],
  ["dir  mtime=1 a"],
  ["dir mtime= a"],
  ["dir mtime=1e3 a"],
  ["dir mtime=+1 a"],
  ["dir mtime=NaN a"],
  ["dir size=1 mtime=1 a"],
  ["link mtime=1 a"],
  ["dir mtime=1 %zz"],
  ["file size=1 mtime=1 a"],
  ["file size=-1 mtime=1 etag=0000000000000000 a"],
  ["file size=01 mtime=1 etag=0000000000000000 a"],
  ["file size=1 mtime=1 etag=000000000000000 a"],
  ["file size=1 mtime=1 etag=000000000000000G a"],
  ["file size=99999999999999999999 mtime=1 etag=0000000000000000 a"],
  ["file mtime=1 size=1 etag=0000000000000000 a"],
])("%j is no entry", (line) => {
  expect(parseListLine(line)).toBeNull();
});

test("a name that can't be had has a line of its own, which no reader takes for an entry", () => {
  const left = { kind: "link", code: "EACCES", name: "a b%\n\xff" } as const;
  expect(leftLine(left)).toBe("left type=link error=EACCES a b%25%0A%FF\n");
  expect(parseLeftLine("left type=link error=EACCES a b%25%0A%FF")).toEqual(left);
  expect(parseListLine("left type=link error=EACCES a")).toBeNull();
  const newer = { kind: "unknown", code: "ENOENT", name: "a" };
  expect(parseLeftLine("left type=door error=ENOENT a")).toEqual(newer as typeof left);
});

test.each([
  "dir mtime=1 a",
  "left type=link a",
  "left type= error=EACCES a",
  "left type=LINK error=EACCES a",
  "left type=link error=eacces a",
  "left type=link error=EACCES",
  "left type=link error=EACCES %z",
  "xleft type=link error=EACCES a",
])("%j is no such line", (line) => {
  expect(parseLeftLine(line)).toBeNull();
});
