/**
 * What a benchmark leaves behind, and who takes part in it: the check of a result notices every
 * field that is missing, strange or inconsistent; a run writes one that passes; every rival that is
 * installed serves the bytes that are on the disk.
 */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeRoom } from "../../bench/descriptors.ts";
import { makeFiles } from "../../bench/files.ts";
import { DOORS } from "../../bench/load/door.ts";
import { verify } from "../../bench/load/fetch.ts";
import { type BenchResult, checkResult, RESULT_SCHEMA } from "../../bench/result.ts";
import { RIVALS } from "../../bench/rivals/all.ts";
import { introduction } from "../../bench/rivals/rival.ts";
import { number, oneOf, whole } from "../../bench/value.ts";
import { needing } from "../rig/needs.ts";

const BENCH = join(import.meta.dir, "..", "..", "bench");

function good() {
  const sample = (server: string, round: number) => ({
    ...{ scenario: "s6-1k", server, round, seconds: 0.3, requestsPerSecond: 1, p50Us: 1, p90Us: 2 },
    ...{ bodyBytesPerSecond: 0, p99Us: 2, p999Us: 3, maxUs: 4, serverCpuSeconds: 0 },
    ...{ loadCpuSeconds: 0, otherCpuSeconds: 0, serverPeakRssBytes: 1, syscallsPerRequest: null },
  });
  const scenario = (name: string) => ({
    ...{ name, title: "t", series: "size", axis: null, fileBytes: 0, connections: 1, depth: 1 },
    ...{ ratePerSecond: null, seconds: 0.3, mustReach: { nginx: 1.3 } },
  });
  const server = (name: string, skipped: string | null) => ({
    ...{ name, version: null, about: "as it comes", skipped },
  });
  return {
    ...{ schema: RESULT_SCHEMA, began: "2026-01-02T03:04:05.678Z", mode: "full" },
    machine: { cpu: "c", cores: 2, memoryBytes: 2 ** 34, kernel: "6.1", bun: "1.4.5" },
    ...{ network: "private", command: "bun bench/run.ts", failures: [] as string[] },
    servers: [server("serv6", null), server("nginx", null), server("h2o", "is not installed")],
    scenarios: [scenario("s6-1k"), { ...scenario("s6-1k-c9"), skipped: "no room" }],
    samples: [sample("serv6", 1), sample("nginx", 1), { ...sample("serv6", 2), sentLateP99Us: 1 }],
  };
}

/** Every place of a field within `value`, as the keys that lead to it. */
function places(value: object): string[][] {
  return Object.entries(value).flatMap(([key, inner]) => [
    [key],
    ...(typeof inner === "object" && inner !== null
      ? places(inner).map((rest) => [key, ...rest])
      : []),
  ]);
}

/** `good()` with the field at `place` changed by `change`. */
function changed(place: readonly string[], change: (holder: object, key: string) => void): unknown {
  const whole = good();
  const holder = place.slice(0, -1).reduce<object>((at, key) => Reflect.get(at, key), whole);
  change(holder, place.at(-1)!);
  return whole;
}

/** What need not be there. */
const OPTIONAL = /^scenarios\..*\.(skipped|mustReach\..*)$|\.sentLateP99Us$/;

describe("check of a result", () => {
  test("one that is right", () => {
    expect(checkResult(good())).toEqual([]);
  });

  test("every field that is missing, of another type, or unknown is named", () => {
    const passed: string[] = [];
    const put = (value: unknown) => (holder: object, key: string) =>
      void Reflect.set(holder, key, value);
    for (const place of places(good())) {
      const at = place.join(".");
      const inList = /\.\d+$/.test(at);
      if (checkResult(changed(place, put(true))).length === 0) passed.push(`${at}: another type`);
      const without = changed(place, Reflect.deleteProperty);
      const optional = inList || OPTIONAL.test(at);
      if (!optional && checkResult(without).length === 0) passed.push(`${at}: missing`);
      const beside = changed([...place.slice(0, -1), "extra"], put(true));
      if (!inList && checkResult(beside).length === 0) passed.push(`${at}: one beside it`);
    }
    expect(passed).toEqual([]);
    for (const nothing of [null, undefined, 1, "x", []]) {
      expect(checkResult(nothing)).toEqual(["result is not an object"]);
    }
  });

  const first = (of: "samples" | "scenarios" | "servers") => [of, "0"];
  test.each<[string[], unknown, string]>([
    [[...first("samples"), "server"], "h2o", "h2o, round 1: no such server took part"],
    [[...first("samples"), "scenario"], "s6-1k-c9", "no such scenario was measured"],
    [[...first("samples"), "server"], "nginx", "nginx, round 1: there twice"],
    [[...first("samples"), "p90Us"], 2.5, "percentiles fall"],
    [[...first("samples"), "seconds"], NaN, "seconds is not a number from 0 up"],
    [[...first("samples"), "round"], 0, "round is not a whole number from 1 up"],
    [[...first("scenarios"), "axis"], "colour", "axis is not one of size, connections, rate"],
    [[...first("scenarios"), "name"], "s6-1k-c9", "a name is there twice"],
    [["schema"], "serv6-bench/0", `schema is not one of ${RESULT_SCHEMA}`],
    [["began"], "yesterday", "began is not a time"],
  ])("%j as %j", (place, value, words) => {
    const wrong = checkResult(changed(place, (holder, key) => Reflect.set(holder, key, value)));
    expect(wrong.join("\n")).toContain(words);
  });
});

test("a run in an open loop writes a result, with how late it sent", async () => {
  const folder = mkdtempSync(join(tmpdir(), "serv6-bench-test-"));
  try {
    const file = join(folder, "result.json");
    const flags = "--only at10k --rival none --samples 2 --seconds 0.1 --network host".split(" ");
    const words = [process.execPath, "--config=/dev/null", join(BENCH, "run.ts"), ...flags];
    const child = Bun.spawn([...words, "--json", file], { stdout: "pipe", stderr: "pipe" });
    const [table, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect({ errors, status: await child.exited }).toEqual({ errors: "", status: 0 });
    expect(table).toContain("10000 requests due a second");
    const result = (await Bun.file(file).json()) as BenchResult;
    expect(checkResult(result)).toEqual([]);
    expect(result).toMatchObject({ mode: "custom", failures: [] });
    expect(result.servers.map(({ name, version }) => [name, version])).toEqual([
      ["serv6", expect.stringMatching(/^\d+\.\d+\.\d+$/)],
    ]);
    expect(result.samples.map(({ round }) => round)).toEqual([1, 2]);
    // In a tenth of a second a busy machine sends what was due before as well, and answers it.
    for (const { sentLateP99Us, requestsPerSecond } of result.samples) {
      expect([sentLateP99Us, requestsPerSecond]).toEqual([expect.any(Number), expect.any(Number)]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 20_000);

describe("rivals", () => {
  for (const rival of RIVALS) {
    const reason = rival.unavailable();
    const what = `what ${rival.name} needs: ${reason}`;
    needing({ here: reason === null, what })(
      `${rival.name} serves what is on the disk`,
      async () => {
        const line = introduction(rival);
        expect(line).toStartWith(rival.name);
        expect(line).toContain(rival.about);
        using stack = new DisposableStack();
        const folder = makeFiles(["1k", "100k"]);
        stack.defer(() => folder.remove());
        const server = await rival.start(folder.path);
        try {
          for (const file of ["1k", "100k"]) {
            verify(DOORS[rival.door], server.port, `/${file}`, join(folder.path, file));
          }
          const swapped = join(folder.path, "1k");
          const wrong = () => verify(DOORS[rival.door], server.port, "/100k", swapped);
          expect(wrong).toThrow("not what is on the disk");
        } finally {
          await server.stop();
        }
      },
      20_000,
    );
  }

  test("one that is missing is left out, with the reason", () => {
    const rival = { ...RIVALS[0]!, name: "it", unavailable: () => "no such program" };
    expect(introduction(rival)).toBe("it: skipped: no such program");
  });
});

test("room for connections is made where it may be, and its lack has a reason", () => {
  expect(makeRoom(1)).toBeNull();
  expect(makeRoom(2 ** 40)).toMatch(/^it takes \d+ open files, and \d+ are allowed/);
});

test("values of flags", () => {
  expect([number("--n", "1.5", 0, 2), whole("--n", "2", 0, 2)]).toEqual([1.5, 2]);
  for (const text of ["", "-1", "2.01", "1e0", "0x1", " 1", "NaN"]) {
    expect(() => number("--n", text, 0, 2)).toThrow(`--n is a number from 0 to 2: ${text}`);
  }
  expect(() => whole("--n", "1.5", 0, 2)).toThrow("--n is a whole number: 1.5");
  expect(() => oneOf("--n", "c", ["a", "b"])).toThrow("--n is one of a, b: c");
});
