/**
 * Owns how the result of `make bench-abuse` is told: a table in Markdown, a line an attack, before
 * beside now. Pure. Invariant: what failed is told by its reason, never by a number.
 */
import type { Observation, Ran } from "../../test/abuse/beside.ts";

/** One attack, on each server. */
export interface AbuseRow {
  readonly attack: string;
  readonly does: string;
  /** Null where there is nothing to compare with. */
  readonly before: Observation | null;
  /** At a server at rest, while another one is attacked; null where that was not asked for. */
  readonly machine: Observation | null;
  readonly now: Observation;
}

const MIB = 1024 * 1024;

/** The whole table. */
export function abuseTable(rows: readonly AbuseRow[]): string {
  const sides = (["machine", "before", "now"] as const).filter((side) =>
    rows.some((row) => row[side] !== null),
  );
  const columns: [string, (seen: Observation) => string][] = [
    ["PING p50 / p99 / max, ms", pingCell],
    ["get of 3 MB", ({ get }) => commandCell(get)],
    ["ls", ({ ls }) => commandCell(ls)],
    ["peak RSS, MiB", ({ peakRssBytes }) => String(Math.round(peakRssBytes / MIB))],
    ["left over", leftCell],
  ];
  const head = columns.flatMap(([name]) => sides.map((side) => `${name}: ${side}`));
  const lines = rows.map((row) => [
    row.attack,
    ...columns.flatMap(([, cell]) =>
      sides.map((side) => (row[side] === null ? "" : cell(row[side]))),
    ),
  ]);
  return markdown([["attack", ...head], ...lines]);
}

/** Milliseconds of round trips. */
export function pingCell({
  pingP50,
  pingP99,
  pingMax,
  pingsWrong,
  pingsLost,
}: Observation): string {
  if (pingsWrong !== null) return pingsWrong;
  const lost = pingsLost > 0 ? `, ${pingsLost} lost` : "";
  return `${[pingP50, pingP99, pingMax].map(short).join(" / ")}${lost}`;
}

/** Seconds of a command, or why it failed: the last code that it told, and its status. */
export function commandCell({ status, ms, wrong }: Ran): string {
  const seconds = `${(ms / 1000).toFixed(2)} s`;
  if (status === 0 && wrong === "") return seconds;
  if (status === null) return `none in ${seconds}`;
  const code = wrong.match(/\bE[A-Z]{3,}\b/g)?.at(-1) ?? wrong;
  return `${code} (${status}) after ${seconds}`;
}

/** What was left of the attacker, and after how long nothing was. */
export function leftCell({ left, after }: Observation): string {
  const seconds = `${(left.afterMs / 1000).toFixed(1)} s`;
  const asked = after.status === 0 ? "" : `; then ${commandCell(after)}`;
  if (left.clean) return `nothing, ${seconds}${asked}`;
  const { connections, closeWait, cpuShare, rssBytes } = left;
  const cpu = `${Math.round(cpuShare * 100)} % CPU`;
  const rss = `${Math.round(rssBytes / MIB)} MiB`;
  return `${connections} connections (${closeWait} CLOSE_WAIT), ${cpu}, ${rss}, ${seconds}${asked}`;
}

// --- internal ---

/** Two digits that count. */
function short(ms: number): string {
  return ms >= 10 ? Math.round(ms).toLocaleString("en-US") : ms.toFixed(1);
}

function markdown(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  return lines.join("\n");
}
