/** What became of the mutants, counted by room, and whether that is enough. */
import type { Verdict } from "./trial.ts";

export type Fate = Verdict | "equivalent";

/** So many of the mutants that are not equivalent have to be caught, in percent. */
export const CAUGHT_PERCENT_MIN = 95;

/** A row for each room and one for all, in Markdown; columns as wide as what is in them. */
export function tableOf(fates: ReadonlyMap<string, readonly Fate[]>): string {
  const rows = [...fates, ["all", [...fates.values()].flat()] as const].map(([room, its]) => {
    const count = (fate: Fate): number => its.filter((it) => it === fate).length;
    const counts = ["caught", "timed out", "equivalent", "survived"] as const;
    return [room, its.length, ...counts.map(count), percentOf(its).toFixed(1)].map(String);
  });
  const head = ["room", "mutants", "caught", "timed out", "equivalent", "survived", "%"];
  const widths = head.map((word, i) => Math.max(3, word.length, ...rows.map((r) => r[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((it, i) => (i === 0 ? it.padEnd(widths[i]!) : it.padStart(widths[i]!))).join(" | ")} |`;
  const rule = widths.map((width, i) =>
    i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** Caught or timed out, of those that are not equivalent, in percent; 100 where there is none. */
export function percentOf(fates: readonly Fate[]): number {
  const meant = fates.filter((fate) => fate !== "equivalent");
  const survived = meant.filter((fate) => fate === "survived").length;
  return meant.length === 0 ? 100 : (100 * (meant.length - survived)) / meant.length;
}

/** The exit status of a run in which `percent` were caught. */
export function statusOf(percent: number): 0 | 1 {
  return percent < CAUGHT_PERCENT_MIN ? 1 : 0;
}
