/**
 * The parts of the attack benchmark that tell: its flags and its table. What it measures is
 * test/abuse's, which has tests of its own.
 */
import { describe, expect, test } from "bun:test";
import { parseAbuseFlags } from "../../bench/abuse/flags.ts";
import { abuseTable, commandCell, leftCell, pingCell } from "../../bench/abuse/report.ts";
import type { Observation } from "../abuse/beside.ts";

const SEEN: Observation = {
  ...{ pings: 500, pingP50: 0.12, pingP99: 9.96, pingMax: 1234.5, pingsLost: 0, pingsWrong: null },
  get: { status: 0, ms: 94, wrong: "" },
  ls: { status: 0, ms: 61, wrong: "" },
  peakRssBytes: 90 * 1024 ** 2,
  left: {
    ...{ connections: 1, closeWait: 0, sockets: 3, files: 2, rssBytes: 80 * 1024 ** 2 },
    ...{ afterMs: 41, clean: true, cpuShare: 0 },
  },
  after: { status: 0, ms: 2, wrong: "" },
};

const HELD: Observation = {
  ...SEEN,
  ...{ pingsLost: 3 },
  get: { status: null, ms: 10_012, wrong: "not done" },
  ls: { status: 7, ms: 5150, wrong: "cli6: ECONNRESET: again\ncli6: EBUSY: too many" },
  left: { ...SEEN.left, clean: false, connections: 129, closeWait: 128, afterMs: 10_020 },
  after: { status: 1, ms: 9, wrong: "ERR EBUSY server is busy" },
};

describe("the table", () => {
  test("tells milliseconds, seconds, reasons, and what was left", () => {
    expect(pingCell(SEEN)).toBe("0.1 / 10.0 / 1,235");
    expect(pingCell(HELD)).toBe("0.1 / 10.0 / 1,235, 3 lost");
    expect(pingCell({ ...SEEN, pingsWrong: "no reply" })).toBe("no reply");
    expect(commandCell(SEEN.get)).toBe("0.09 s");
    expect(commandCell(HELD.get)).toBe("none in 10.01 s");
    expect(commandCell(HELD.ls)).toBe("EBUSY (7) after 5.15 s");
    expect(commandCell({ status: 0, ms: 9, wrong: "other bytes" })).toContain("other bytes");
    expect(leftCell(SEEN)).toBe("nothing, 0.0 s");
    expect(leftCell(HELD)).toBe(
      "129 connections (128 CLOSE_WAIT), 0 % CPU, 80 MiB, 10.0 s; then EBUSY (1) after 0.01 s",
    );
  });

  test("has a line an attack, and before beside now where there are two", () => {
    const row = { attack: "hash", does: "asks", machine: null, now: SEEN };
    const both = abuseTable([{ ...row, before: HELD }]).split("\n");
    expect(both.map((line) => line.split("|").length)).toEqual([13, 13, 13]);
    expect(both[0]).toMatch(/get of 3 MB: before +\| get of 3 MB: now/);
    expect(both[2]).toMatch(/^\| hash .*\| none in 10.01 s +\| 0.09 s +\|/);
    const alone = abuseTable([{ ...row, before: null }]).split("\n");
    expect(alone.map((line) => line.split("|").length)).toEqual([8, 8, 8]);
  });
});

describe("flags", () => {
  test("have defaults, and say what is wrong", () => {
    expect(parseAbuseFlags([])).toMatchObject({ seconds: 2, only: [], entryBefore: null });
    const given = ["--entry-before", "a.ts", "--only", "hash", "--only", "list", "--seconds", "5"];
    expect(parseAbuseFlags(given)).toMatchObject({
      ...{ entryBefore: "a.ts", only: ["hash", "list"], seconds: 5 },
    });
    expect(() => parseAbuseFlags(["--seconds", "soon"])).toThrow("--seconds is a number");
    expect(() => parseAbuseFlags(["--before", "a.ts"])).toThrow("--before");
  });
});
