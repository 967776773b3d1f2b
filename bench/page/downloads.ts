/** Owns the figures about clients: the JSON file of bench/download.ts. Pure. */
import { isRival, type Sample } from "../download/report.ts";
import { SCENARIOS } from "../download/scenario.ts";
import { median } from "../stats.ts";
import type { Figure } from "./figure.ts";
import { dotPlot } from "./plot.ts";
import { bytes, digits } from "./units.ts";

/** What bench/download.ts --json writes. */
export interface DownloadResult {
  readonly machine: string;
  readonly network: string;
  readonly samples: readonly (Sample & { readonly scenario: string; readonly contender: string })[];
}

/** A figure for each scenario that was run. */
export function downloadFigures(result: DownloadResult): Figure[] {
  return SCENARIOS.flatMap(({ letter, title }) => {
    const samples = result.samples.filter(({ scenario }) => scenario === letter);
    const names = [...new Set(samples.map(({ contender }) => contender))];
    const found = names
      .map((name) => ({ name, samples: samples.filter((one) => one.contender === name) }))
      .map((one) => ({ ...one, value: median(one.samples.map(({ seconds }) => seconds)) }))
      .sort((one, other) => one.value - other.value);
    return found.length === 0 ? [] : [figure(letter, title, found)];
  });
}

// --- internal ---

interface Found {
  readonly name: string;
  readonly value: number;
  readonly samples: readonly Sample[];
}

function figure(letter: string, title: string, found: readonly Found[]): Figure {
  const text =
    "Seconds from the start of the program to its end: the median and the range. Less is better.";
  const axis = { label: "seconds", log: true, format: digits };
  const rows = found.map(({ name, value, samples }) => {
    const all = samples.map(({ seconds }) => seconds);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return { name, value, low, high, mark: null, own: !isRival(name) };
  });
  return {
    ...{ name: `download-${letter.toLowerCase()}`, title, text },
    svg: dotPlot({ title, text, x: axis, rows, base: null }),
    columns: ["", "seconds", "range", "client CPU s", "server CPU s", "client memory"],
    rows: found.map(({ name, value, samples }, nth) => {
      const middle = (of: (sample: Sample) => number): number => median(samples.map(of));
      const { low = 0, high = 0 } = rows[nth] ?? {};
      return [
        ...[name, digits(value), `${digits(low)}-${digits(high)}`],
        ...[digits(middle((s) => s.clientCpuSeconds)), digits(middle((s) => s.serverCpuSeconds))],
        bytes(middle((s) => s.clientPeakRssBytes)),
      ];
    }),
  };
}
