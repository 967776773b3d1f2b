/** What statx(2) says, kept in words: each number comes back, and no two are taken for one. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { FileStat } from "../../src/sys/types.ts";

const NUMBERS = ["ino", "size", "dev"] as const;
const TIMES = ["mtime", "ctime"] as const;

const whole = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
/** Nanoseconds, before 1970 too. */
const time = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n });

test("every number comes back as it was, and leaves the others alone", () => {
  const facts = fc.record({ ino: whole, size: whole, dev: whole, mtime: time, ctime: time });
  fc.assert(
    fc.property(facts, (given) => {
      const stat = Object.assign(new FileStat(), given);
      for (const name of [...NUMBERS, ...TIMES])
        expect([name, stat[name]]).toEqual([name, given[name]]);
      const copy = new FileStat();
      copy.copy(stat);
      expect([copy.same(stat), copy.sameContent(stat), copy.mtime]).toEqual([
        true,
        true,
        given.mtime,
      ]);
    }),
  );
});

test.each([
  ["size", 1n, false],
  ["size", 1n << 40n, false],
  ["mtime", 1n, false],
  ["mtime", 1_000_000_000n, false],
  ["mtime", -1n, false],
  ["mtime", 1_000_000_000n << 33n, false],
  ["ctime", 1n, true],
  ["ino", 1n << 33n, true],
  ["dev", 1n << 32n, true],
] as const)("another %s (%s) is another version; content the same: %s", (name, by, content) => {
  const stat = Object.assign(new FileStat(), { mode: 0o100644, size: 7n, mtime: 5n, ctime: 9n });
  const other = new FileStat();
  other.copy(stat);
  other[name] += by;
  expect([stat.same(other), stat.sameContent(other)]).toEqual([false, content]);
});

test("another mode is another version", () => {
  const [one, other] = [new FileStat(), new FileStat()];
  other.mode = 1;
  expect([one.same(other), one.sameContent(other)]).toEqual([false, true]);
});
