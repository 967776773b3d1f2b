/**
 * Owns how results look to a person: one block for each scenario, one line for each server.
 * Pure. Invariant: every number is a median over the samples; a ratio names its spread.
 */
import { FILES } from "./files.ts";
import { DOORS } from "./load/door.ts";
import type { Scenario } from "./scenario.ts";
import type { Sample } from "./result.ts";
import { median, pairedRatio } from "./stats.ts";

const MIB = 1024 * 1024;

/** From this share of one core on, a side counts as busy all the time. */
const SATURATED = 0.93;

const COLUMNS = [
  ...[
    "",
    "requests/s",
    "MB/s",
    "p50 us",
    "p90 us",
    "p99 us",
    "p99.9 us",
    "max us",
    "server",
    "load",
    "others",
    "us/req",
    "calls/req",
    "RSS MiB",
  ],
  ...["busy side", "serv6/it (min-max)"],
];

/** An open loop that sends no later than this is in time. */
const LATE_US = 100;

/** From this share of one core on, what else runs on the machine is mentioned below the table. */
const DISTURBED = 0.15;

/** Samples of one scenario: server name to samples, in the order of the rounds. Ours is first. */
export type Results = ReadonlyMap<string, readonly Sample[]>;

export function scenarioBlock(scenario: Scenario, results: Results): string {
  const rows = [...results].map(([name, samples]) => row(scenario, name, samples, results));
  const others = [...results.values()].flat().map((s) => s.otherCpuSeconds / s.seconds);
  const share = median(others);
  const note = share > DISTURBED ? `\n  Other processes used ${percent(share)} of a core.` : "";
  return `${title(scenario)}\n${table([COLUMNS, ...rows])}${note}`;
}

export function title(scenario: Scenario): string {
  const { name, door, file, connections, depth, ratePerSecond } = scenario;
  const once = DOORS[door].fresh === true ? "one request each" : "one request at a time";
  const closed = depth === 1 ? once : `${depth} requests in flight each`;
  const flight = ratePerSecond === null ? closed : `${ratePerSecond} requests due a second`;
  return `${name}: ${file} by ${door}, ${connections} connections, ${flight}`;
}

/** Lines of cells, the first left-aligned and the rest right-aligned; exported for its test. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ");
  return rows.map((row) => `  ${line(row).trimEnd()}`).join("\n");
}

/** Who limits the throughput: the side that never waits. */
export function busySide(serverBusy: number, loadBusy: number): string {
  if (serverBusy >= SATURATED) return loadBusy >= SATURATED ? "both" : "server";
  return loadBusy >= SATURATED ? "load" : "neither";
}

/**
 * In an open loop the load spins, so its core says nothing. What counts is whether what is due is
 * answered, and whether it was sent in time: latencies that are half the load's own are the load's.
 */
export function keepsUp(due: number, answered: number, p99Us = 0, lateUs = 0): string {
  if (lateUs > LATE_US && lateUs > p99Us / 2) return `load, ${count(lateUs)} us late`;
  return answered >= 0.98 * due ? "paced" : `${percent(answered / due)} of what is due`;
}

// --- internal ---

function row(
  scenario: Scenario,
  name: string,
  samples: readonly Sample[],
  results: Results,
): string[] {
  const middle = (of: (sample: Sample) => number): number => median(samples.map(of));
  const serverBusy = middle((s) => s.serverCpuSeconds / s.seconds);
  const loadBusy = middle((s) => s.loadCpuSeconds / s.seconds);
  // By bytes: of large files hardly one ends within a sample.
  const cpuPerRequest = (s: Sample): number =>
    (s.serverCpuSeconds * 1e6 * FILES[scenario.file]) / (s.bodyBytesPerSecond * s.seconds);
  const calls = samples[0]?.syscallsPerRequest ?? null;
  return [
    name,
    count(middle((s) => s.requestsPerSecond)),
    count(middle((s) => s.bodyBytesPerSecond) / 1e6),
    count(middle((s) => s.p50Us)),
    count(middle((s) => s.p90Us)),
    count(middle((s) => s.p99Us)),
    count(middle((s) => s.p999Us)),
    count(middle((s) => s.maxUs)),
    percent(serverBusy),
    percent(loadBusy),
    percent(middle((s) => s.otherCpuSeconds / s.seconds)),
    digits(middle(cpuPerRequest)),
    calls === null ? "" : calls.toFixed(1),
    count(middle((s) => s.serverPeakRssBytes) / MIB),
    scenario.ratePerSecond === null
      ? busySide(serverBusy, loadBusy)
      : keepsUp(
          scenario.ratePerSecond,
          middle((s) => s.requestsPerSecond),
          middle((s) => s.p99Us),
          middle((s) => s.sentLateP99Us ?? 0),
        ),
    ratio(scenario, name, samples, results),
  ];
}

function ratio(
  scenario: Scenario,
  name: string,
  theirs: readonly Sample[],
  results: Results,
): string {
  const [own] = results;
  // In an open loop everybody has the rate that was asked for.
  if (own === undefined || own[0] === name || scenario.ratePerSecond !== null) return "";
  const speed = (s: Sample): number => s.bodyBytesPerSecond;
  const { median: middle, min, max } = pairedRatio(own[1].map(speed), theirs.map(speed));
  const spread = `${middle.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`;
  const must = scenario.mustReach[name];
  return must === undefined ? spread : `${spread} of ${must}: ${middle >= must ? "ok" : "LESS"}`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function digits(value: number): string {
  return value >= 100 ? count(value) : value.toFixed(2);
}

function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}
