/**
 * `bun bench/wrk.ts`: is our load generator to be believed? nginx, asked in turn by ours and by wrk
 * with the same connections, in random order; both should see the same. Where wrk sees more, ours
 * was the bottleneck. From some 100 KiB on ours sees more: wrk reads every body, ours drops large
 * ones in the kernel. Owns the order of things. Exit status: 0 done, 1 it failed.
 */
import { parseArgs } from "node:util";
import { run, settle } from "./command.ts";
import { FILES, type FileName, makeFiles } from "./files.ts";
import { table } from "./report.ts";
import { nginx } from "./rivals/nginx.ts";
import { introduction, versionFrom } from "./rivals/rival.ts";
import { takeSample } from "./sample.ts";
import type { RunningServer } from "./spawn.ts";
import { median, pairedRatio, shuffled } from "./stats.ts";
import { NETWORKS, oneOf, whole } from "./value.ts";

const CASES: readonly (readonly [file: FileName, connections: number])[] = [
  ["1k", 1],
  ["1k", 64],
  ["1k", 1024],
  ["100k", 64],
];
const WARMUP_SECONDS = 0.15;

/** What either of them says about the same server. */
interface Seen {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "1" },
      network: { type: "string", default: "private" },
    },
  });
  const rounds = whole("--rounds", values.rounds, 1, 100);
  // wrk takes whole seconds.
  const seconds = whole("--seconds", values.seconds, 1, 60);
  await settle(oneOf("--network", values.network, NETWORKS));
  const missing =
    nginx.unavailable() ?? (Bun.which("wrk") === null ? "wrk is not installed" : null);
  if (missing !== null) throw new Error(missing);
  console.log(`${introduction(nginx)}\nwrk ${versionFrom(["wrk", "-v"])}`);
  const folder = makeFiles(CASES.map(([file]) => file));
  const server = await nginx.start(folder.path);
  try {
    for (const [file, connections] of CASES) {
      const ours = (): Promise<Seen> => byOurs(server, file, connections, seconds);
      const theirs = (): Promise<Seen> => byWrk(server, file, connections, seconds);
      const seen = new Map<() => Promise<Seen>, Seen[]>([
        [ours, []],
        [theirs, []],
      ]);
      for (let round = 1; round <= rounds; round++) {
        for (const [ask, into] of shuffled([...seen], Math.random)) into.push(await ask());
      }
      console.log(
        `\n${file}, ${connections} connections\n${compare(seen.get(ours)!, seen.get(theirs)!)}`,
      );
    }
  } finally {
    await server.stop();
    folder.remove();
  }
  return 0;
}

function byOurs(
  server: RunningServer,
  file: FileName,
  connections: number,
  seconds: number,
): Promise<Seen> {
  return takeSample(server, {
    ...{ door: "http", path: `/${file}`, bodyLength: FILES[file], connections, depth: 1 },
    ...{ ratePerSecond: null, procs: 1, warmupSeconds: WARMUP_SECONDS, seconds },
  });
}

async function byWrk(
  { port }: RunningServer,
  file: FileName,
  connections: number,
  seconds: number,
): Promise<Seen> {
  const flags = ["-t", "1", "-c", String(connections), "-d", `${seconds}s`, "--latency"];
  const child = Bun.spawn(["wrk", ...flags, `http://127.0.0.1:${port}/${file}`]);
  return parseWrk(await child.stdout.text());
}

/** What wrk --latency prints, as numbers. Throws where it names errors or leaves something out. */
export function parseWrk(text: string): Seen {
  const failed = /^\s*(?:Socket errors|Non-2xx).*$/m.exec(text)?.[0];
  if (failed !== undefined) throw new Error(`wrk: ${failed.trim()}`);
  const rate = /^Requests\/sec:\s+([\d.]+)$/m.exec(text)?.[1];
  const percentile = (percent: number): number => {
    const found = new RegExp(`^\\s*${percent}%\\s+([\\d.]+)(us|ms|s)$`, "m").exec(text);
    if (found === null) throw new Error(`wrk printed no ${percent}%`);
    return Number(found[1]) * { us: 1, ms: 1e3, s: 1e6 }[found[2] as "us" | "ms" | "s"];
  };
  if (rate === undefined) throw new Error("wrk printed no rate");
  return { requestsPerSecond: Number(rate), p50Us: percentile(50), p99Us: percentile(99) };
}

function compare(ours: readonly Seen[], theirs: readonly Seen[]): string {
  const count = (value: number): string => Math.round(value).toLocaleString("en-US");
  const row = (name: string, seen: readonly Seen[]): string[] => [
    name,
    count(median(seen.map((one) => one.requestsPerSecond))),
    count(median(seen.map((one) => one.p50Us))),
    count(median(seen.map((one) => one.p99Us))),
  ];
  const rates = (seen: readonly Seen[]): number[] => seen.map((one) => one.requestsPerSecond);
  const { median: middle, min, max } = pairedRatio(rates(ours), rates(theirs));
  const spread = `${middle.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`;
  return table([
    ["", "requests/s", "p50 us", "p99 us", "ours/wrk (min-max)"],
    [...row("ours", ours), spread],
    [...row("wrk", theirs), ""],
  ]);
}

if (import.meta.main) await run(main);
