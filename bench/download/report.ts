/**
 * Owns how results look to a person, and whom they are compared with. Pure.
 * Invariant: every number is a median over the samples; a ratio compares samples of one round, and
 * names its spread.
 */
import { table } from "../report.ts";
import { median, pairedRatio } from "../stats.ts";

const MIB = 1024 * 1024;

/** One line of the JSON file. */
export interface Sample {
  readonly round: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly files: number;
  readonly clientCpuSeconds: number;
  readonly serverCpuSeconds: number;
  /** What the rest of the machine used meanwhile; the link's proxy is in it. */
  readonly otherCpuSeconds: number;
  readonly clientPeakRssBytes: number;
  readonly serverPeakRssBytes: number;
}

/** Contender to samples, in the order of the rounds; a slow one may have fewer rounds. */
export type Results = ReadonlyMap<string, readonly Sample[]>;

/** The name of a way to use our own client, when it is another commit's client. */
export function beforeOf(name: string): string {
  return `${name}, before`;
}

/** False for a way to use our own client. */
export function isRival(name: string): boolean {
  return !name.startsWith("cli6");
}

/**
 * "curl", or the rival with the highest median. Ours never is the measure, and neither is netcat:
 * it can't tell a whole file from half a one. It stands beside them as the cost of moving the
 * bytes.
 */
export type Baseline = "curl" | "best rival";
export function baselineOf(results: Results, baseline: Baseline): string | null {
  const rivals = [...results.keys()].filter((name) => isRival(name) && !name.startsWith("nc"));
  if (baseline === "curl" && rivals.includes("curl")) return "curl";
  const middle = (name: string): number => median(results.get(name)!.map((s) => s.seconds));
  return rivals.toSorted((a, b) => middle(a) - middle(b))[0] ?? null;
}

/** Speed of `ours` divided by that of `theirs`, over the rounds that both have. */
export function speedRatio(ours: readonly Sample[], theirs: readonly Sample[]) {
  const pairs = ours.flatMap((sample) => {
    const other = theirs.find(({ round }) => round === sample.round);
    return other === undefined ? [] : [[other.seconds, sample.seconds] as const];
  });
  return pairedRatio(
    pairs.map(([their]) => their),
    pairs.map(([, our]) => our),
  );
}

export function block(title: string, results: Results, baseline: Baseline): string {
  const measure = baselineOf(results, baseline);
  const many = [...results.values()].some((samples) => (samples[0]?.files ?? 1) > 1);
  const paired = [...results.keys()].some((name) => results.has(beforeOf(name)));
  const columns = [
    ...["", many ? "files/s" : "MB/s", "seconds", "min-max", "n", "client s", "server s"],
    ...["client", "server", "others", "client MiB", "server MiB", `speed / ${measure ?? "-"}`],
    ...(paired ? ["speed / before"] : []),
  ];
  const rows = [...results].map(([name, samples]) => {
    const theirs = measure === null ? undefined : results.get(measure);
    const before = results.get(beforeOf(name));
    const change = before === undefined ? "" : spread(samples, before);
    return [...row(name, samples, theirs, many), ...(paired ? [change] : [])];
  });
  const legend =
    "  client s, server s: CPU seconds; client, server, others: of one core while it lasted";
  return `${title}\n${table([columns, ...rows])}\n${legend}`;
}

// --- internal ---

function row(
  name: string,
  samples: readonly Sample[],
  theirs: readonly Sample[] | undefined,
  many: boolean,
): string[] {
  const middle = (of: (sample: Sample) => number): number => median(samples.map(of));
  const times = samples.map(({ seconds }) => seconds);
  const share = (of: (sample: Sample) => number): string =>
    `${Math.round(middle((s) => of(s) / s.seconds) * 100)} %`;
  const mib = (of: (sample: Sample) => number): string => Math.round(middle(of) / MIB).toString();
  return [
    name,
    Math.round(middle((s) => (many ? s.files : s.bytes / 1e6) / s.seconds)).toLocaleString("en-US"),
    median(times).toFixed(2),
    `${Math.min(...times).toFixed(2)}-${Math.max(...times).toFixed(2)}`,
    String(samples.length),
    middle((s) => s.clientCpuSeconds).toFixed(2),
    middle((s) => s.serverCpuSeconds).toFixed(2),
    share((s) => s.clientCpuSeconds),
    share((s) => s.serverCpuSeconds),
    share((s) => s.otherCpuSeconds),
    mib((s) => s.clientPeakRssBytes),
    mib((s) => s.serverPeakRssBytes),
    theirs === undefined || theirs === samples ? "" : spread(samples, theirs),
  ];
}

function spread(samples: readonly Sample[], theirs: readonly Sample[]): string {
  const { median: middle, min, max } = speedRatio(samples, theirs);
  return `${middle.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`;
}
