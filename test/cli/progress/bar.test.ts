/** The picture: what stands where in which width, and that it never wraps. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { FILE_LINES_MAX, type ProgressView, render } from "../../../src/cli/progress/bar.ts";
import { endOf, startOf, widthOf } from "../../../src/cli/progress/column.ts";
import { printableText } from "../../../src/wire/printable.ts";
import { fileOf, MIB, progressOf } from "./numbers.ts";

const READING = { speed: 98.3 * MIB, stalled: false, elapsedMs: 12_000, etaMs: 83_000 };
const STALLED = { ...READING, speed: 0, stalled: true, etaMs: null };

const ISO = fileOf("isos/debian-12.iso", 2048 * MIB, {
  ...{ arrived: 1249 * MIB, verified: 1024 * MIB, kept: 820 * MIB },
});

const PAGES = [
  fileOf("a/one.txt", 100 * MIB, { arrived: 50 * MIB, verified: 25 * MIB }),
  fileOf("音楽/最終版.flac", 300 * MIB),
  fileOf("b/cafe\u0301.pdf", 624 * MIB, { arrived: 624 * MIB, verified: 624 * MIB }),
];

/** What is drawn in a terminal so wide and so high. */
function drawn(given: Partial<ProgressView>, columns: number, rows = 24, color = false): string[] {
  const picture = {
    progress: progressOf([ISO]),
    measurement: READING,
    only: null,
    over: false,
    ...given,
  };
  return render(picture, { columns, rows, color });
}

test.each([
  [5, "...so"],
  [20, "...n-12.iso 60% 1:23"],
  [30, "...-12.iso 60% 98.3 MiB/s 1:23"],
  [40, "isos/debian-12.iso 60% 98.3 MiB/s 1:23"],
  [60, "...bian-12.iso  [#####=.....]   60%  98.3 MiB/s  ETA 1:23"],
  [80, "isos/debian-12.iso  [#######=......]   60%  1.2/2.0 GiB  98.3 MiB/s  ETA 1:23"],
  [
    120,
    "isos/debian-12.iso  [###########===.........]   60%  1.2/2.0 GiB  " +
      "resumed at 40%  verified  50%  98.3 MiB/s  ETA 1:23",
  ],
  [
    200,
    `isos/debian-12.iso  [${"#".repeat(29)}======${".".repeat(23)}]   60%  1.2/2.0 GiB  ` +
      "resumed at 40%  verified  50%  98.3 MiB/s  ETA 1:23",
  ],
])("one file in %d columns", (columns, line) => {
  expect(drawn({ only: ISO }, columns)).toEqual([line]);
});

test.each([
  [20, ["a/one.txt   50%", "...版.flac   0%", "b/café.pdf 100%", "4/12,345    65% 1:23"]],
  [
    80,
    [
      "a/one.txt             [##===......]   50%  50.0/100 MiB",
      "音楽/最終版.flac      [...........]    0%   0.0/300 MiB",
      "b/café.pdf            [###########]  100%   624/624 MiB",
      "4/12,345, 1 failed    [######=....]   65%   0.7/1.0 GiB  98.3 MiB/s  ETA 1:23",
    ],
  ],
])("several files in %d columns", (columns, lines) => {
  const progress = progressOf(PAGES, { failed: 1, done: 3, files: 12_345 });
  const composed = drawn({ progress }, columns).map((line) => line.normalize("NFC"));
  expect(composed).toEqual(lines);
});

test("while the total may grow nobody is told a share of it", () => {
  const [last] = drawn({ progress: progressOf(PAGES, { totalKnown: false }) }, 80).slice(-1);
  expect(last).toMatch(/^0\/3\+ files +0\.7\/1\.0\+ GiB +98\.3 MiB\/s +for 0:12$/);
  const nothing = progressOf([], { totalKnown: false });
  expect(drawn({ progress: nothing }, 80)).toEqual(["waiting for the server, 0:12"]);
});

test("a stall, a time that is not known yet, the end and a failure are told", () => {
  expect(drawn({ only: ISO, measurement: STALLED }, 80)[0]).toEndWith("  0 B/s  stalled");
  expect(drawn({ only: ISO, measurement: STALLED }, 20)[0]).toEndWith(" 60% stalled");
  expect(drawn({ only: ISO, measurement: { ...READING, etaMs: null } }, 80)[0]).toEndWith(
    "ETA -:--",
  );
  const progress = progressOf([ISO], { received: 600 * MIB });
  expect(drawn({ only: ISO, progress, over: true }, 80)[0]).toEndWith("  50.0 MiB/s  in 0:12");
  const failed = fileOf("x", MIB, { state: "failed" });
  expect(drawn({ only: failed }, 80)[0]).toStartWith("x (failed)  [");
});

test("a failure draws no full bar: none at the end, no share of what is not known before", () => {
  const nothing = progressOf([], { files: 1, failed: 1 });
  expect(drawn({ progress: nothing, over: true }, 80)).toEqual([]);
  expect(drawn({ progress: nothing }, 80)[0]).toMatch(/^1\/1 files, 1 failed +0\/0 B /);
  const sums = { files: 2, done: 1, failed: 1, bytes: MIB, received: MIB, arrived: MIB };
  const half = drawn({ progress: progressOf([], sums), over: true }, 80);
  expect(half).toEqual([expect.stringMatching(/^2\/2 files, 1 failed +1\.0\/1\.0 MiB /)]);
  expect(half[0]).not.toMatch(/#|%/);
});

test("files beyond the bound are counted, and a low terminal has fewer lines", () => {
  const files = Array.from({ length: 1234 }, (_, nth) => fileOf(`f${nth}`, MIB));
  const progress = progressOf(files);
  const lines = drawn({ progress }, 80);
  expect(lines.length).toBe(FILE_LINES_MAX + 1);
  expect(lines.at(-2)).toBe("and 1,227 more");
  expect(lines.at(-1)).toStartWith("0/1,234 files");
  expect(drawn({ progress }, 80, 4).map((line) => line.slice(0, 9).trimEnd())).toEqual([
    ...["f0", "and 1,233", "0/1,234 f"],
  ]);
  const low = drawn({ progress }, 80, 1);
  expect([low.length, low[0]?.startsWith("0/1,234 files")]).toEqual([1, true]);
  expect(drawn({ progress: progressOf(files.slice(0, 2)) }, 80).length).toBe(3);
});

const bytes = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5000 }), fc.maxSafeNat());
const count = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 }), fc.maxSafeNat());
/** Anything that a name can be by the time it gets here. */
const name = fc.string({ unit: "binary", maxLength: 60 }).map(printableText);
const file = fc.record({
  name: fc.oneof(name, fc.constantFrom("漢字かな".repeat(20), "e\u0301".repeat(50), "👍🏽👨‍👩‍👧🇩🇪❤️")),
  state: fc.constantFrom("waiting", "running", "done", "failed"),
  ...{ size: bytes, received: bytes, kept: bytes, reused: bytes, verified: bytes, arrived: bytes },
  connections: fc.nat(8),
  sources: fc.constant([]),
});
const measurement = fc.record({
  speed: fc.double({ min: 0, max: 1e12, noNaN: true }),
  stalled: fc.boolean(),
  elapsedMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
  etaMs: fc.option(fc.double({ min: 0, max: 1e16, noNaN: true })),
});

test("whatever the numbers, names and terminal are, no line is too wide and none too many", () => {
  const shape = fc.record({ columns: fc.integer({ min: 1, max: 220 }), rows: fc.nat(40) });
  const sums = fc.record(
    { files: count, done: count, failed: count, bytes, arrived: bytes, totalKnown: fc.boolean() },
    { requiredKeys: [] },
  );
  const picture = fc.tuple(fc.array(file, { maxLength: 12 }), sums, measurement, fc.boolean());
  fc.assert(
    fc.property(picture, shape, fc.boolean(), ([files, sum, now, over], { columns, rows }, one) => {
      const progress = progressOf(files, one ? { ...sum, files: 1 } : sum);
      const given = { progress, measurement: now, only: one ? (files[0] ?? null) : null, over };
      const lines = drawn(given, columns, rows);
      expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
      expect(lines.length).toBeLessThanOrEqual(FILE_LINES_MAX + 1);
      for (const line of lines) {
        expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
        expect(line).not.toMatch(/NaN|Infinity|undefined|null|\n/);
      }
      expect(drawn(given, columns, rows, true).map(Bun.stripANSI)).toEqual(lines);
    }),
  );
});

test("colors are switched off where they end", () => {
  const [line = ""] = drawn({ only: ISO }, 80, 24, true);
  expect(line).toContain("[\x1b[32m#######\x1b[36m=\x1b[0m\x1b[2m......\x1b[0m]");
});

test("a name keeps its end, a label its start, and no character is cut apart", () => {
  fc.assert(
    fc.property(name, fc.integer({ min: 0, max: 40 }), (text, width) => {
      for (const cut of [endOf(text, width), startOf(text, width)]) {
        expect(widthOf(cut)).toBeLessThanOrEqual(width);
      }
      if (widthOf(text) <= width) expect(endOf(text, width)).toBe(text);
      expect(text.startsWith(startOf(text, width))).toBe(true);
    }),
  );
  expect(endOf("e\u0301".repeat(9), 6)).toBe("..." + "e\u0301".repeat(3));
  expect(endOf("漢字漢字", 7)).toBe("...漢字");
  expect(endOf("漢字漢字", 6)).toBe("...字");
});
