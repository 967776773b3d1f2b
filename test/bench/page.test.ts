/**
 * The page of the benchmark: every median is on it, every mark inside its frame, what failed stands
 * first, nothing from a result becomes markup, and the README is written from full runs alone.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { downloadFigures } from "../../bench/page/downloads.ts";
import { page } from "../../bench/page/html.ts";
import { dotPlot, linePlot, type Series } from "../../bench/page/plot.ts";
import { refusal, rewritten } from "../../bench/page/readme.ts";
import { linear, logarithmic } from "../../bench/page/scale.ts";
import { ratioTo, serverFigures } from "../../bench/page/servers.ts";
import { escaped } from "../../bench/page/svg.ts";
import { amount, bytes, digits, rate, time } from "../../bench/page/units.ts";
import {
  type BenchResult,
  type NamedSample,
  RESULT_SCHEMA,
  type ScenarioFacts,
} from "../../bench/result.ts";

function sample(scenario: string, server: string, round: number, perSecond: number): NamedSample {
  return {
    ...{ scenario, server, round, seconds: 2, requestsPerSecond: perSecond },
    ...{ bodyBytesPerSecond: perSecond * 1024, p50Us: 10, p90Us: 20, p99Us: 30, p999Us: 40 },
    ...{ maxUs: 50, serverCpuSeconds: 1.9, loadCpuSeconds: 1, otherCpuSeconds: 0 },
    ...{ serverPeakRssBytes: 2 ** 26, syscallsPerRequest: 2.4 },
  };
}

function scenario(name: string, more: Partial<ScenarioFacts> = {}): ScenarioFacts {
  return {
    ...{ name, title: `title of ${name}`, series: "size", axis: "size", fileBytes: 1024 },
    ...{ connections: 64, depth: 1, ratePerSecond: null, seconds: 2, mustReach: { nginx: 1.3 } },
    ...more,
  };
}

function resultOf(more: Partial<BenchResult> = {}): BenchResult {
  const server = (name: string, skipped: string | null = null) => ({
    ...{ name, version: "1.2.3", about: `${name} 1.2.3: as it comes`, skipped },
  });
  return {
    ...{ schema: RESULT_SCHEMA, began: "2026-01-02T03:04:05Z", mode: "full" },
    machine: { cpu: "A processor", cores: 2, memoryBytes: 2 ** 34, kernel: "6.1", bun: "1.4.5" },
    ...{ network: "private", command: "bun bench/run.ts --full", failures: [] },
    servers: [server("serv6"), server("nginx"), server("h2o", "h2o is not installed")],
    scenarios: [scenario("s6-1k"), scenario("s6-100k", { fileBytes: 102_400 })],
    samples: [
      ...[123_400, 150_000, 140_000].map((n, i) => sample("s6-1k", "serv6", i + 1, n)),
      // Another order, and a round that ours has not: a ratio pairs by round.
      ...[4, 3, 2, 1].map((round) => sample("s6-1k", "nginx", round, 100_000)),
      sample("s6-100k", "serv6", 1, 70_000),
    ],
    ...more,
  };
}

/** The page, and what can be seen of it. */
function shown(result: BenchResult) {
  const html = page(result, null, serverFigures(result));
  let text = "";
  const tags: Record<string, number> = {};
  new HTMLRewriter()
    .on("*", { element: ({ tagName }) => void (tags[tagName] = (tags[tagName] ?? 0) + 1) })
    .onDocument({ text: (piece) => void (text += piece.text) })
    .transform(html);
  return { html, text, tags };
}

/** The numbers of attributes that are places in a drawing. */
function places(svg: string): { x: number[]; y: number[] } {
  const of = (names: string): number[] =>
    [...svg.matchAll(new RegExp(` (?:${names})="(-?[\\d.]+)"`, "g"))].map(([, n]) => Number(n));
  return { x: of("x|x1|x2|cx"), y: of("y|y1|y2|cy") };
}

describe("page", () => {
  test("every median is written, with its unit, and who was left out and why", () => {
    const { html, text } = shown(resultOf());
    for (const words of ["140 k", "100 k", "s6-1k / nginx", "1.4", "1.23-1.5", "1.3: reached"]) {
      expect(text).toContain(words);
    }
    expect(text).toContain("left out: h2o: h2o is not installed");
    expect(text).toContain("A processor, 2 cores, Linux 6.1, Bun 1.4.5");
    expect(text).toContain("bun bench/run.ts --full");
    expect(html).not.toMatch(/<script|src=|href=|url\(|@import|NaN|Infinity|undefined/);
  });

  test("what failed, and that it is no full run, stand before all numbers", () => {
    const { text } = shown(resultOf({ mode: "quick", failures: ["s6-1k, nginx: it fell over"] }));
    const at = (words: string): number => text.indexOf(words);
    expect(at("failed: s6-1k, nginx: it fell over")).toBeGreaterThan(0);
    expect(at("a quick run")).toBeGreaterThan(0);
    expect(Math.max(at("failed:"), at("a quick run"))).toBeLessThan(at("Throughput by size"));
  });

  test("what the machine could not do, and a load that was late itself, are told", () => {
    const late = sample("s6-1k", "serv6", 1, 50_000);
    const result = resultOf({
      scenarios: [
        scenario("s6-1k", { ratePerSecond: 50_000, series: "rate", axis: "rate" }),
        scenario("s6-1k-c10000", { skipped: "it takes 10512 open files" }),
      ],
      samples: [{ ...late, p99Us: 4000, sentLateP99Us: 3500 }],
    });
    const { text } = shown(result);
    expect(text).toContain("not possible here: s6-1k-c10000: it takes 10512 open files");
    expect(text).toContain("load, 3,500 us late");
  });

  test("a promise that is not kept says so", () => {
    const slow = resultOf({ scenarios: [scenario("s6-1k", { mustReach: { nginx: 1.5 } })] });
    expect(shown(slow).text).toContain("1.5: NOT REACHED");
  });

  test("nothing in a result becomes markup", () => {
    const evil = `</title><script>alert(1)</script>"'&<svg onload=x>`;
    const result = resultOf({
      ...{ network: evil, command: evil, failures: [evil] },
      servers: [{ name: "serv6", version: null, about: evil, skipped: null }],
      scenarios: [scenario("s6-1k", { title: evil })],
    });
    const servers = [{ name: "serv6", version: null, about: "serv6", skipped: null }];
    const clean = resultOf({ failures: ["x"], servers, scenarios: [scenario("s6-1k")] });
    const { html, tags } = shown(result);
    expect(html).not.toContain("<script");
    expect(tags["script"] ?? 0).toBe(0);
    expect(tags["svg"]).toBe(shown(clean).tags["svg"]!);
    expect(escaped(`<&>"'`)).toBe("&lt;&amp;&gt;&quot;&#39;");
  });

  test("downloads: the fastest first, ours told apart", () => {
    const one = (contender: string, seconds: number, round: number) => ({
      ...{ scenario: "A", contender, round, seconds, bytes: 1, files: 1, clientCpuSeconds: 0.5 },
      ...{ serverCpuSeconds: 0.1, otherCpuSeconds: 0 },
      ...{ clientPeakRssBytes: 2 ** 20, serverPeakRssBytes: 2 ** 20 },
    });
    const samples = [
      one("curl", 2, 1),
      one("cli6 get", 1, 1),
      one("cli6 get", 3, 2),
      one("curl", 4, 2),
    ];
    const [figure] = downloadFigures({ machine: "m", network: "n", samples });
    expect(figure?.rows.map(([name, value, range]) => [name, value, range])).toEqual([
      ["cli6 get", "2", "1-3"],
      ["curl", "3", "2-4"],
    ]);
    expect(figure?.svg.match(/<circle class="own"/g)?.length).toBe(1);
  });
});

describe("drawings", () => {
  const axis = (log: boolean) => ({ label: "axis", log, format: digits });
  const value = fc.double({ min: 1e-3, max: 1e12, noNaN: true });

  test("every mark lies inside the frame, whatever is drawn", () => {
    const point = fc.record({
      x: value,
      y: value,
      factor: fc.double({ min: 1, max: 9, noNaN: true }),
    });
    const some = fc.array(fc.array(point, { maxLength: 6 }), { maxLength: 8 });
    fc.assert(
      fc.property(some, fc.boolean(), fc.boolean(), (drawn, logX, logY) => {
        const series: Series[] = drawn.map((points, nth) => ({
          name: `server ${nth}`,
          points: points.map(({ x, y, factor }) => ({ x, y, low: y / factor, high: y * factor })),
        }));
        const svg = linePlot({ title: "t", text: "d", x: axis(logX), y: axis(logY), series });
        const { x, y } = places(svg);
        expect([svg.includes("NaN"), svg.includes("Infinity")]).toEqual([false, false]);
        expect(Math.min(0, ...x)).toBeGreaterThanOrEqual(0);
        expect(Math.max(0, ...x)).toBeLessThanOrEqual(720);
        expect(Math.min(0, ...y)).toBeGreaterThanOrEqual(0);
        expect(Math.max(0, ...y)).toBeLessThanOrEqual(400);
      }),
      { numRuns: 200 },
    );
  });

  test("what is written below the axis does not touch", () => {
    const sizes = [1, 16, 32, 64, 100, 1024, 10_240, 102_400].map((kib) => kib * 1024);
    const points = sizes.map((x) => ({ x, y: 1, low: 1, high: 1 }));
    const series = [{ name: "serv6", points }];
    const svg = linePlot({ title: "t", text: "d", x: axis(true), y: axis(true), series });
    const below = [...svg.matchAll(/<text x="([\d.]+)" y="368"/g)].map(([, x]) => Number(x));
    expect(below.length).toBeGreaterThanOrEqual(5);
    for (const [nth, x] of below.slice(1).entries()) expect(x - below[nth]!).toBeGreaterThan(45);
  });

  test("a row has its dot at the median and a tick where something was promised", () => {
    const row = { name: "r", value: 2, low: 1, high: 4, mark: 1.3, own: true };
    const svg = dotPlot({ title: "t", text: "d", x: axis(true), rows: [row], base: 1 });
    const [, dot] = /<circle class="own" cx="([\d.]+)"/.exec(svg)!;
    const [, from, to] = /class="range own" x1="([\d.]+)" x2="([\d.]+)"/.exec(svg)!;
    const [, mark] = /class="mark" x1="([\d.]+)"/.exec(svg)!;
    expect(Number(dot)).toBeCloseTo((Number(from) + Number(to)) / 2, 0);
    expect(Number(mark)).toBeGreaterThan(Number(from));
    expect(Number(mark)).toBeLessThan(Number(dot));
    expect(
      dotPlot({ title: "t", text: "d", x: axis(true), rows: [{ ...row, mark: null }], base: 1 }),
    ).not.toContain("mark");
  });

  test("ticks are round, ascending, and hold what is shown", () => {
    expect(linear(930, 0, 100).ticks).toEqual([0, 200, 400, 600, 800, 1000]);
    expect(linear(0, 0, 100).at(0)).toBe(0);
    expect(logarithmic(3, 80, 0, 1).ticks).toEqual([2, 5, 10, 20, 50, 100]);
    expect(logarithmic(1, 10_000, 0, 1).ticks).toEqual([1, 10, 100, 1000, 10_000]);
    fc.assert(
      fc.property(value, value, (one, other) => {
        const [least, most] = [Math.min(one, other), Math.max(one, other)];
        for (const scale of [linear(most, 0, 100), logarithmic(least, most, 0, 100)]) {
          expect(scale.ticks).toEqual([...scale.ticks].sort((a, b) => a - b));
          expect(scale.at(most)).toBeLessThanOrEqual(100.001);
          expect(scale.at(least)).toBeGreaterThanOrEqual(-0.001);
        }
      }),
    );
  });

  test("numbers have three digits and a unit", () => {
    expect([amount(1_234_567), amount(12_345), amount(999)]).toEqual(["1.23 M", "12.3 k", "999"]);
    expect([bytes(1536), bytes(100 * 2 ** 20), bytes(5)]).toEqual(["1.5 KiB", "100 MiB", "5 B"]);
    expect([rate(2.146e9), rate(2e6), time(94_110), time(3e6)]).toEqual([
      ...["2.15 GB/s", "2 MB/s", "94.1 ms", "3 s"],
    ]);
  });
});

describe("README", () => {
  const readme = "a\n<!-- bench -->\nold\n<!-- /bench -->\nz\n";

  test("its table is written between the marks, and nothing else is touched", () => {
    const written = rewritten(readme, resultOf());
    expect(written).toStartWith("a\n<!-- bench -->\n\n| one server process");
    expect(written).toEndWith("<!-- /bench -->\nz\n");
    expect(written).toMatch(
      /\| 1 KiB, 64 connections +\| 140,000 requests\/s \| 100,000 requests\/s \| 1\.40 \(1\.23-1\.50\) \|/,
    );
    // No nginx there: a gap, not a number.
    expect(written).toMatch(/\| 100 KiB, 64 connections +\| 72 MB\/s +\| +\| +\| +\|/);
    expect(written).not.toContain("old");
    expect(rewritten(written, resultOf())).toBe(written);
  });

  test("a ratio pairs by round", () => {
    expect(ratioTo(resultOf(), "s6-1k", "nginx")).toEqual({ median: 1.4, min: 1.234, max: 1.5 });
    expect(ratioTo(resultOf(), "s6-100k", "nginx")).toBeNull();
  });

  test("only a full run without a failure of ours may write it", () => {
    expect(refusal(resultOf())).toBeNull();
    expect(refusal(resultOf({ failures: ["s6-1k-c10000, lighttpd: EINPROGRESS"] }))).toBeNull();
    expect(refusal(resultOf({ failures: ["s6-1k: the server fell silent"] }))).toContain("silent");
    expect(refusal(resultOf({ mode: "custom" }))).toContain("custom run");
    expect(() => rewritten("no marks", resultOf())).toThrow("<!-- bench -->");
    expect(() => rewritten(readme + readme, resultOf())).toThrow("more than once");
  });
});
