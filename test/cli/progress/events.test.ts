/** Progress for programs: what each line says, and what never gets out. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { asciiJson } from "../../../src/cli/progress/events.ts";
import { MIB } from "./numbers.ts";

/** What the fixture's `scene` writes to a stderr that is a pipe. */
async function written(...args: string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, "test/cli/progress/progress-fixture.ts", ...args], {
    ...{ stdout: "pipe", stderr: "pipe" },
    env: { ...process.env, TERM: "xterm" },
  });
  const text = await new Response(child.stderr).text();
  expect(await child.exited).toBe(0);
  return text;
}

test("start, files, messages and end, in exact bytes", async () => {
  const text = await written("hostile", "json");
  const events = text
    .trimEnd()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
  expect(events.pop()).toEqual({ event: "message", message: "the last word" });
  const named = (event: string) => events.filter((it) => it["event"] === event);
  expect(events[0]).toEqual({
    ...{
      event: "start",
      elapsedMs: expect.any(Number),
      files: 0,
      done: 0,
      failed: 0,
      unchanged: 0,
    },
    ...{ bytes: 0, totalKnown: false, arrived: 0, received: 0, kept: 0 },
    ...{ reused: 0, verified: 0 },
    ...{ bytesPerSecond: 0, stalled: false, etaMs: null, running: 0, lost: 0 },
  });
  expect(events.at(-1)).toEqual({
    ...{ event: "end", elapsedMs: expect.any(Number), done: 3, failed: 0, unchanged: 0 },
    ...{ files: 3, bytes: 100 * MIB, totalKnown: true, arrived: 100 * MIB, received: 90 * MIB },
    ...{ kept: 10 * MIB, reused: 0, verified: 100 * MIB, bytesPerSecond: expect.any(Number) },
    ...{ stalled: false, etaMs: 0, running: 0, lost: 0 },
  });
  const { elapsedMs, bytesPerSecond } = events.at(-1) ?? {};
  expect(Number(bytesPerSecond) / ((90 * MIB * 1000) / Number(elapsedMs))).toBeCloseTo(1, 2);
  expect(named("file").map(({ name, state }) => [name, state])).toEqual([
    ["one.iso", "done"],
    ["音楽/とても長い名前のファイル、最終版.flac", "done"],
    ["cafe\u0301.pdf", "done"],
    ["a\x1b[2J\x9b\u202e\n\x07é", "failed"],
  ]);
  expect(named("message").map(({ message }) => String(message).slice(0, 9))).toEqual([
    ...["message 1", "note 1: c", "message 2", "message 3", "note 2: t"],
  ]);
  expect(text).toMatch(/^[\x20-\x7e\n]*$/);
});

test("none: messages alone, as they are", async () => {
  const text = await written("files");
  const starts = text.split("\n").map((line) => line.replace(/:.*/, ""));
  const said = ["message 1", "note 1", "message 2", "message 3", "note 2", "the last word", ""];
  expect(starts).toEqual(said);
});

test("any text comes back as it was, out of printable ASCII", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const line = asciiJson({ text });
      expect(line).toMatch(/^[\x20-\x7e]*$/);
      expect(JSON.parse(line)).toEqual({ text });
    }),
  );
});
