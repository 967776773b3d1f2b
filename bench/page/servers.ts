/**
 * Owns the figures about servers: which numbers of a result are drawn against which. Pure.
 * Invariant: a number is the median of its samples; a ratio compares samples of one round.
 */
import type { BenchResult, NamedSample, ScenarioFacts } from "../result.ts";
import { median, pairedRatio, type Spread } from "../stats.ts";
import type { Figure } from "./figure.ts";
import { type Axis, type DotRow, dotPlot, linePlot, type Series } from "./plot.ts";
import { amount, bytes, digits, rate, time } from "./units.ts";

const OURS = "serv6";
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

type Measure = (sample: NamedSample) => number;

const requests: Measure = (s) => s.requestsPerSecond;
const throughput: Measure = (s) => s.bodyBytesPerSecond;
const cpuPerRequest: Measure = (s) =>
  (s.serverCpuSeconds * 1e6) / (s.requestsPerSecond * s.seconds);
const cpuPerGib: Measure = (s) => (s.serverCpuSeconds * GIB) / (s.bodyBytesPerSecond * s.seconds);
const memory: Measure = (s) => s.serverPeakRssBytes / MIB;

const size: Axis = { label: "file size", log: true, format: bytes };
const connections: Axis = {
  label: "connections, one request at a time",
  log: true,
  format: digits,
};
const due: Axis = {
  label: "requests due a second, over 64 connections",
  log: false,
  format: amount,
};

/** All figures that the result has samples for. */
export function serverFigures(result: BenchResult): Figure[] {
  const all: Figure[] = [
    ratios(result),
    lines(result, "throughput", "Throughput by size", "size", size, throughput, {
      label: "body bytes a second",
      log: true,
      format: rate,
    }),
    lines(result, "cost-by-size", "Processor time for a GiB", "size", size, cpuPerGib, {
      label: "seconds of server CPU for 1 GiB",
      log: true,
      format: digits,
    }),
    lines(result, "requests", "Requests by connections", "connections", connections, requests, {
      label: "requests of 1 KiB a second",
      log: false,
      format: amount,
    }),
    lines(result, "latency", "Latency by connections", "connections", connections, (s) => s.p99Us, {
      label: "99th percentile",
      log: true,
      format: time,
    }),
    lines(result, "cost", "Cost by connections", "connections", connections, cpuPerRequest, {
      label: "server CPU for a request, us",
      log: false,
      format: digits,
    }),
    lines(result, "memory", "Memory by connections", "connections", connections, memory, {
      label: "peak resident memory, MiB",
      log: false,
      format: digits,
    }),
    ...([50, 99, 99.9] as const).map((percentile) => latencyByRate(result, percentile)),
  ];
  return all.filter(({ rows }) => rows.length > 0);
}

/** Samples of `server` in `scenario`, in the order of the rounds. */
export function samplesOf(result: BenchResult, scenario: string, server: string): NamedSample[] {
  return result.samples
    .filter((sample) => sample.scenario === scenario && sample.server === server)
    .sort((one, other) => one.round - other.round);
}

/** Ours divided by the rival's, round by round; null where one of them has no sample. */
export function ratioTo(result: BenchResult, scenario: string, rival: string): Spread | null {
  const theirs = new Map(samplesOf(result, scenario, rival).map((one) => [one.round, one]));
  const ours = samplesOf(result, scenario, OURS).filter(({ round }) => theirs.has(round));
  if (ours.length === 0) return null;
  return pairedRatio(
    ours.map(throughput),
    ours.map(({ round }) => throughput(theirs.get(round)!)),
  );
}

// --- internal ---

function latencyByRate(result: BenchResult, percentile: 50 | 99 | 99.9): Figure {
  const of: Measure = (s) => (percentile === 50 ? s.p50Us : percentile === 99 ? s.p99Us : s.p999Us);
  const name = `latency-at-rate-p${String(percentile).replace(".", "")}`;
  const title = `Latency by load, ${percentile}th percentile`;
  const axis = { label: `${percentile}th percentile`, log: true, format: time };
  return lines(result, name, title, "rate", due, of, axis);
}

function lines(
  result: BenchResult,
  name: string,
  title: string,
  series: string,
  x: Axis,
  of: Measure,
  y: Axis,
): Figure {
  const scenarios = result.scenarios.filter((one) => one.series === series);
  const place = (one: ScenarioFacts): number =>
    series === "size" ? one.fileBytes : (one.ratePerSecond ?? one.connections);
  const servers = result.servers.filter(({ skipped }) => skipped === null);
  const drawn: Series[] = servers.flatMap((server) => {
    const points = scenarios.flatMap((scenario) => {
      const values = samplesOf(result, scenario.name, server.name).map(of);
      if (values.length === 0) return [];
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return [{ x: place(scenario), y: median(values), low, high }];
    });
    points.sort((one, other) => one.x - other.x);
    return points.length === 0 ? [] : [{ name: server.name, points }];
  });
  const text = `${y.label} by ${x.label}: medians, and the range of the samples.`;
  const xs = [...new Set(drawn.flatMap(({ points }) => points.map((point) => point.x)))];
  xs.sort((one, other) => one - other);
  const cell = ({ points }: Series, at: number): string => {
    const point = points.find((one) => one.x === at);
    return point === undefined ? "" : y.format(point.y);
  };
  return {
    ...{ name, title, text },
    svg: linePlot({ title, text, x, y, series: drawn }),
    columns: ["", ...xs.map(x.format)],
    rows: drawn.map((one) => [one.name, ...xs.map((at) => cell(one, at))]),
  };
}

/** Drawn is what was promised, and each scenario's strongest rival; the table has all. */
function ratios(result: BenchResult): Figure {
  const rows: DotRow[] = [];
  const cells: string[][] = [];
  for (const { name, mustReach, ratePerSecond } of result.scenarios) {
    // At a given rate all bring the same.
    if (ratePerSecond !== null) continue;
    const found = result.servers.flatMap(({ name: rival, skipped }) => {
      const ratio = rival === OURS || skipped !== null ? null : ratioTo(result, name, rival);
      const promised = mustReach[rival] ?? null;
      return ratio === null ? [] : [{ words: `${name} / ${rival}`, promised, ...ratio }];
    });
    const least = Math.min(...found.map(({ median: value }) => value));
    for (const { words, promised, median: value, min: low, max: high } of found) {
      const told = promised === null ? "" : value >= promised ? "reached" : "NOT REACHED";
      const range = `${digits(low)}-${digits(high)}`;
      cells.push([words, digits(value), range, promised === null ? "" : `${promised}: ${told}`]);
      if (promised === null && value > least) continue;
      rows.push({ name: words, value, low, high, mark: promised, own: promised !== null });
    }
  }
  const title = "serv6 divided by its rivals";
  const text =
    "Throughput of serv6 divided by the rival's in the same round: the median, its range, and a tick where a ratio was promised. " +
    "Drawn are those, and the strongest rival of each scenario; the numbers have all.";
  const axis = { label: "times the rival's throughput", log: true, format: digits };
  return {
    ...{ name: "ratios", title, text, rows: cells },
    svg: dotPlot({ title, text, x: axis, rows, base: 1 }),
    columns: ["", "median", "range", "promised"],
  };
}
