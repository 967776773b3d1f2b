/**
 * Owns the README's table of speeds: the part between its two marks, written from a full run and
 * from nothing else. Pure.
 */
import { machineLine } from "../proc.ts";
import type { BenchResult, ScenarioFacts } from "../result.ts";
import { median } from "../stats.ts";
import { ratioTo, samplesOf } from "./servers.ts";

export const BEGIN = "<!-- bench -->";
export const END = "<!-- /bench -->";

/** What a person would call the scenarios of the table, in its order, and the nginx of each. */
const ROWS: readonly (readonly [scenario: string, words: string, nginx?: string])[] = [
  ["s6-1k", "1 KiB, 64 connections"],
  ["s6-1k-x16", "1 KiB, 16 in flight on each"],
  ["s6-16k", "16 KiB, 64 connections"],
  ["s6-32k", "32 KiB, 64 connections"],
  ["s6-64k", "64 KiB, 64 connections"],
  ["s6-100k", "100 KiB, 64 connections"],
  ["s6-1m", "1 MiB, 64 connections"],
  ["s6-100m", "100 MiB, 4 connections"],
  ["s6-1k-c10000", "1 KiB, 10,000 connections"],
  ["http-1k", "HTTP: 1 KiB, 64 connections"],
  ["http-1k-x16", "HTTP: 1 KiB, 16 in flight on each"],
  ["http-16k", "HTTP: 16 KiB, 64 connections"],
  ["http-100k", "HTTP: 100 KiB, 64 connections"],
  ["http-1m", "HTTP: 1 MiB, 64 connections"],
  ["http-100m", "HTTP: 100 MiB, 4 connections"],
  ["https-1m", "HTTPS: 1 MiB, 16 connections", "nginx-tls"],
  ["https-100m", "HTTPS: 100 MiB, 4 connections", "nginx-tls"],
];

/** From this size on bytes a second say more than requests. */
const LARGE_BYTES = 65_536;

/** Why `result` may not be written into a README, or null. */
export function refusal({ mode, failures }: BenchResult): string | null {
  if (mode !== "full") return `it is a ${mode} run: only bench/run.ts --full is a claim`;
  const ours = failures.filter((one) => !one.includes(", ") || one.includes(", serv6"));
  return ours.length === 0 ? null : `it has failures: ${ours.join("; ")}`;
}

/** `readme` with its table from `result`. Throws where the marks are not there once each. */
export function rewritten(readme: string, result: BenchResult): string {
  const [before, inside, ...more] = readme.split(BEGIN);
  const [old, after, ...further] = (inside ?? "").split(END);
  if (before === undefined || old === undefined || after === undefined) {
    throw new Error(`the README has no ${BEGIN} ... ${END}`);
  }
  if (more.length + further.length > 0) throw new Error(`the README has ${BEGIN} more than once`);
  return `${before}${BEGIN}\n\n${table(result)}\n\n${words(result)}\n\n${END}${after}`;
}

// --- internal ---

function table(result: BenchResult): string {
  const nginx = result.servers.find(({ name }) => name === "nginx")?.version ?? "";
  const rows = ROWS.flatMap(([name, what, rival = "nginx"]) => {
    const scenario = result.scenarios.find((one) => one.name === name);
    const speed = scenario === undefined ? "" : speedOf(result, scenario, "serv6");
    if (scenario === undefined || speed === "") return [];
    const cells = [speed, speedOf(result, scenario, rival)];
    return [[what, ...cells, ratio(result, name, rival, true), ratio(result, name, "c", false)]];
  });
  const head = ["one server process, S6/1 first", "serv6", `nginx ${nginx}`];
  const all = [[...head, "ratio to nginx", "to a bare C sendfile loop"], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(all[0]!), rule, ...all.slice(1).map(line)].join("\n");
}

function speedOf(result: BenchResult, scenario: ScenarioFacts, server: string): string {
  const samples = samplesOf(result, scenario.name, server);
  if (samples.length === 0) return "";
  const count = (value: number): string => Math.round(value).toLocaleString("en-US");
  return scenario.fileBytes < LARGE_BYTES
    ? `${count(median(samples.map((one) => one.requestsPerSecond)))} requests/s`
    : `${count(median(samples.map((one) => one.bodyBytesPerSecond)) / 1e6)} MB/s`;
}

function ratio(result: BenchResult, scenario: string, rival: string, spread: boolean): string {
  const found = ratioTo(result, scenario, rival);
  if (found === null) return "";
  const range = ` (${found.min.toFixed(2)}-${found.max.toFixed(2)})`;
  return `${found.median.toFixed(2)}${spread ? range : ""}`;
}

function words(result: BenchResult): string {
  const { machine, network, samples, servers } = result;
  const rounds = Math.max(0, ...samples.map(({ round }) => round));
  const others = servers
    .filter(
      ({ name, skipped }) =>
        skipped === null && !["serv6", "nginx", "nginx-tls", "c"].includes(name),
    )
    .map(({ name }) => name);
  const also = others.length === 0 ? "" : ` Also measured: ${others.join(", ")}.`;
  const reading = ratioTo(result, "s6-1k", "nginx-read");
  const better =
    reading === null
      ? ""
      : ` For 1 KiB a nginx with sendfile off is the faster one: to that the ratio is ${reading.median.toFixed(2)}.`;
  const secured = result.samples.some(({ server }) => server === "nginx-tls")
    ? " HTTPS is TLS 1.3 with AES-128-GCM and P-256, without the kernel's TLS on either side."
    : "";
  return [
    `Loopback, ${network}; ${machineLine(machine)}. nginx with open_file_cache, sendfile, one worker and no log; medians of ${rounds}`,
    `interleaved samples, the ratio being the median of paired ones with its range: wide, since the machine is noisy. Loopback moves pages,`,
    `not cables: read it as cost per byte.${better}${secured}${also} Again: \`make bench-full\`, which draws all of it.`,
  ].join("\n");
}
