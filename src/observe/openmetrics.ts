/**
 * Numbers as text in the OpenMetrics format 1.0, made when somebody asks. Pure. Names and labels
 * are this program's own words; a value that a peer chose is never a label.
 */
import { BOUNDS_MS } from "./durations.ts";

/** The media type of the text. */
export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** One number of a family. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Numbers of one name. */
export interface Family {
  /** Without the suffix that its type asks for. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "info";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** What Durations counted: by bound, and the sum of all in milliseconds. */
export interface DurationCounts {
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** A histogram for each of `series`, in seconds. */
export interface DurationFamily {
  readonly name: string;
  readonly type: "histogram";
  readonly help: string;
  readonly series: readonly {
    readonly labels: Sample["labels"];
    readonly durations: DurationCounts;
  }[];
}

/** The whole text. */
export function openMetrics(families: readonly (Family | DurationFamily)[]): string {
  const lines = families.flatMap((family) => [
    `# TYPE ${family.name} ${family.type}`,
    ...(family.name.endsWith("_seconds") ? [`# UNIT ${family.name} seconds`] : []),
    ...(family.name.endsWith("_bytes") ? [`# UNIT ${family.name} bytes`] : []),
    `# HELP ${family.name} ${family.help}`,
    ...(family.type === "histogram" ? histogram(family) : numbers(family)),
  ]);
  return `${lines.join("\n")}\n# EOF\n`;
}

// --- internal ---

const SUFFIX = { counter: "_total", gauge: "", info: "_info" } as const;

function numbers({ name, type, samples }: Family): string[] {
  return samples.map(({ labels, value }) => line(name + SUFFIX[type], labels, value));
}

function histogram({ name, series }: DurationFamily): string[] {
  return series.flatMap(({ labels, durations }) => {
    let below = 0;
    const buckets = durations.counts.map((count, nth) => {
      below += count;
      const bound = BOUNDS_MS[nth];
      const le = bound === undefined ? "+Inf" : decimal(bound / 1000);
      return line(`${name}_bucket`, { ...labels, le }, below);
    });
    return [
      ...buckets,
      line(`${name}_count`, labels, below),
      line(`${name}_sum`, labels, durations.sumMs / 1000),
    ];
  });
}

function line(name: string, labels: Sample["labels"], value: number): string {
  const pairs = Object.entries(labels ?? {}).map(([key, text]) => `${key}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

/** Bounds have a decimal point (OpenMetrics 1.0, "Canonical Numbers"). */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
