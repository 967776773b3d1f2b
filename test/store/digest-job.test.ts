/** What the digest thread is asked for, in which portions, and what of its answers is kept. */
import { expect, test } from "bun:test";
import { askerOf, fileOf, line, MIB, rangeOf, startDigester, told } from "../rig/digesting.ts";

test("chunks go four MiB at a time, each portion from its own place in the file", () => {
  using it = startDigester();
  const file = fileOf();
  const asker = askerOf();
  const range = rangeOf({ start: 5n, length: 9 * MIB + 7 });
  expect(told(it.digester.digests(file, range, asker))).toBe("later");
  expect([it.digester.portions, it.digester.jobs, file.users]).toEqual([2, 1, 1]);
  const seen: unknown[] = [];
  while (it.thread.portions.length > 0) {
    const { job, source, at, count, chunk, piece } = it.thread.portions[0]!;
    seen.push([job, source, at, count, chunk, piece]);
    it.thread.answer(
      "abcdefghij".slice(4 * (seen.length - 1), 4 * seen.length).replace(/./g, line),
    );
  }
  expect(seen).toEqual([
    [1, 77, 5_001_005n, 4 * MIB, MIB, "whole"],
    [1, 77, 5_001_005n + BigInt(4 * MIB), 4 * MIB, MIB, "whole"],
    [1, 77, 5_001_005n + BigInt(8 * MIB), MIB + 7, MIB, "whole"],
  ]);
  expect(asker.heard).toEqual([[..."abcdefghij"].map(line).join("")]);
  expect([it.digester.jobs, file.users, it.threads.length]).toEqual([0, 0, 1]);
  // It is kept whole, and chunk by chunk for other ranges; the last one for its own length.
  expect([it.digester.cache.size, it.digester.cache.replyBytes]).toEqual([10, 170]);
  expect(told(it.digester.known(file, range))).toBe(asker.heard[0]!);
  const part = rangeOf({ start: BigInt(5 + MIB), length: 3 * MIB });
  expect(told(it.digester.digests(file, part, asker))).toBe(["b", "c", "d"].map(line).join(""));
  const end = rangeOf({ start: BigInt(5 + 8 * MIB), length: MIB + 7 });
  expect(told(it.digester.digests(file, end, asker))).toBe(["i", "j"].map(line).join(""));
  expect(told(it.digester.digests(file, range, asker))).toBe(asker.heard[0]!);
  expect(it.digester.portions).toBe(3);
});

test("what another job has computed meanwhile is not asked for when its turn comes", () => {
  using it = startDigester();
  const file = fileOf();
  const [first, second] = [askerOf(), askerOf()];
  it.digester.digests(file, rangeOf({ length: 8 * MIB }), first);
  it.digester.digests(file, rangeOf({ length: 3 * MIB }), second);
  it.thread.answer("abcd".replace(/./g, line));
  expect([second.heard, it.digester.portions]).toEqual([["abc".replace(/./g, line)], 2]);
});

test("a portion ends where digests are known, and goes on behind them", () => {
  using it = startDigester();
  const file = fileOf();
  const asker = askerOf();
  it.digester.digests(file, rangeOf({ start: BigInt(2 * MIB) }), asker);
  it.thread.answer(line("c"));
  it.digester.digests(file, rangeOf({ length: 4 * MIB }), asker);
  const asked = it.thread.portions.map(({ at, count }) => [at, count]);
  expect(asked).toEqual([
    [5_001_000n, 2 * MIB],
    [5_001_000n + BigInt(3 * MIB), MIB],
  ]);
  it.thread.answer(line("a") + line("b"));
  expect(asker.heard.length).toBe(1);
  it.thread.answer(line("d"));
  expect(asker.heard).toEqual([line("c"), ["a", "b", "c", "d"].map(line).join("")]);
});

test("a large chunk goes in pieces for sha256, in one for xxh3; a short end has its own", () => {
  using it = startDigester();
  const asker = askerOf();
  const chunk = 6 * MIB;
  it.digester.digests(fileOf(), rangeOf({ length: 13 * MIB, chunk, algo: "sha256" }), asker);
  const seen: unknown[] = [];
  const answers = ["", `${"a".repeat(64)}\n`, "", `${"b".repeat(64)}\n`, `${"c".repeat(64)}\n`];
  while (it.thread.portions.length > 0) {
    const { count, piece } = it.thread.portions[0]!;
    it.thread.answer(answers[seen.push([count / MIB, piece]) - 1]!);
  }
  expect(seen).toEqual([
    [4, "more"],
    [2, "last"],
    [4, "more"],
    [2, "last"],
    [1, "whole"],
  ]);
  expect(asker.heard).toEqual([answers.join("")]);
  it.digester.digests(fileOf(), rangeOf({ length: 2 * chunk, chunk }), asker);
  expect(it.thread.portions.map(({ count, piece }) => [count / MIB, piece])).toEqual([
    [6, "whole"],
    [6, "whole"],
  ]);
});

test("in the middle of a chunk nothing is taken from what is known of another one", () => {
  using it = startDigester();
  const file = fileOf();
  const chunk = 6 * MIB;
  const range = { chunk, algo: "sha256" } as const;
  it.digester.digests(
    file,
    rangeOf({ ...range, start: BigInt(4 * MIB), length: chunk }),
    askerOf(),
  );
  it.thread.answer("");
  it.thread.answer(`${"a".repeat(64)}\n`);
  it.digester.digests(file, rangeOf({ ...range, length: 2 * chunk }), askerOf());
  expect(it.thread.portions.map(({ count, piece }) => [count / MIB, piece])).toEqual([
    [4, "more"],
    [2, "last"],
  ]);
});

const HOUR_OLD = BigInt(Date.now() - 3_600_000) * 1_000_000n;

test.each<[string, string, number, bigint, bigint]>([
  ["64 KiB", "kept", 65_536, 0n, HOUR_OLD],
  ["less", "not kept", 65_535, 0n, HOUR_OLD],
  ["a range up to 2^53 - 1", "kept", 65_536, BigInt(Number.MAX_SAFE_INTEGER) - 131_072n, HOUR_OLD],
  ["one beyond it", "not kept", 65_536, BigInt(Number.MAX_SAFE_INTEGER) - 131_071n, HOUR_OLD],
  ["a file that may be written again", "not kept", 65_536, 0n, 2n ** 62n],
])("digests of %s are %s", (_, kept, chunk, start_, mtime) => {
  using it = startDigester();
  const file = fileOf({ mtime });
  const asker = askerOf();
  const range = rangeOf({ start: start_, length: 131_072, chunk });
  it.digester.digests(file, range, asker);
  const lines = "ab".concat(chunk < 65_536 ? "c" : "").replace(/./g, line);
  it.thread.answer(lines);
  expect(asker.heard).toEqual([lines]);
  expect(it.digester.cache.size).toBe(kept === "kept" ? 2 : 0);
  expect(told(it.digester.known(file, range))).toBe(kept === "kept" ? lines : "later");
});

test("a file written two seconds ago has not settled, one a moment older has", () => {
  const now = Date.now;
  try {
    Date.now = () => 1_000_000;
    for (const [ns, size] of [
      [2_000_000_000n, 0],
      [2_000_000_001n, 1],
    ] as const) {
      using it = startDigester();
      it.digester.digests(fileOf({ mtime: 1_000_000_000_000n - ns }), rangeOf({}), askerOf());
      it.thread.answer(line("a"));
      expect(it.digester.cache.size).toBe(size);
    }
  } finally {
    Date.now = now;
  }
});

test("a portion ends in front of a last chunk that is known under its own length", () => {
  using it = startDigester();
  const file = fileOf();
  it.digester.digests(file, rangeOf({ start: BigInt(2 * MIB), length: MIB / 2 }), askerOf());
  it.thread.answer(line("c"));
  const asker = askerOf();
  it.digester.digests(file, rangeOf({ length: 2.5 * MIB }), asker);
  expect(it.thread.portions.map(({ count }) => count)).toEqual([2 * MIB]);
  it.thread.answer(line("a") + line("b"));
  expect(asker.heard).toEqual(["abc".replace(/./g, line)]);
});
