/**
 * Owns one sample: starts the load processes, lets them go at once, adds up what they saw.
 * Never decides what to measure. Invariant: a reply that was wrong in any load process, or a load
 * process that ended early or too late, is an Error and not a sample.
 */
import { join } from "node:path";
import type { DoorName } from "./load/door.ts";
import { Histogram } from "./load/histogram.ts";
import type { LoadPlan, LoadReport, LoadResult } from "./load/plan.ts";
import { peakRssBytes, resetPeakRss } from "./proc.ts";
import type { Sample } from "./result.ts";
import type { RunningServer } from "./spawn.ts";

/**
 * An open loop does without the compiler whose threads, for the second that a load process lives,
 * took the cores from server and load by turns: the 99th percentile of 1 KiB was 3-5 ms with it and
 * is 0.4 without, at 40,000 a second on two cores. In a closed loop it makes no difference.
 */
const CALM = { BUN_JSC_useFTLJIT: "0" };

const LOAD = join(import.meta.dir, "load", "main.ts");

/** What a load process may need beyond its plan: starting, connecting, reporting. */
const MARGIN_MS = 20_000;

/** What to measure once. */
export interface Order {
  readonly door: DoorName;
  readonly path: string;
  readonly bodyLength: number;
  readonly connections: number;
  readonly depth: number;
  /** Requests a second in an open loop; null: closed. */
  readonly ratePerSecond: number | null;
  readonly procs: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** Measures once; the samples of a server are taken by another one's side. */
export async function takeSample(server: RunningServer, order: Order): Promise<Sample> {
  const pids = server.pids();
  resetPeakRss(pids);
  const procs = Math.min(order.procs, order.connections);
  const loads = Array.from({ length: procs }, (_, i) => {
    const connections = Math.floor((order.connections + i) / procs);
    // One of them watches the server; it is the same for all.
    const ratePerSecond = order.ratePerSecond === null ? null : order.ratePerSecond / procs;
    const mine = { connections, ratePerSecond, serverPids: i > 0 ? [] : pids };
    return startLoad({ ...order, ...mine, port: server.port });
  });
  const limitMs = (order.warmupSeconds + order.seconds) * 1000 + MARGIN_MS;
  const timer = setTimeout(() => loads.forEach((load) => load.kill()), limitMs);
  try {
    await Promise.all(loads.map((load) => load.ready));
    for (const load of loads) load.go();
    const results = await Promise.all(loads.map((load) => load.result));
    const sample = total(results, peakRssBytes(pids));
    if (order.ratePerSecond === null) return sample;
    return { ...sample, sentLateP99Us: merged(results, "lateness").quantile(0.99) / 1000 };
  } finally {
    clearTimeout(timer);
    for (const load of loads) load.kill();
  }
}

// --- internal ---

interface Load {
  readonly ready: Promise<void>;
  readonly result: Promise<LoadResult>;
  go(): void;
  kill(): void;
}

function startLoad(plan: LoadPlan): Load {
  const child = Bun.spawn(
    [process.execPath, "--config=/dev/null", "--no-env-file", LOAD, JSON.stringify(plan)],
    {
      ...{ stdin: "pipe", stdout: "pipe", stderr: "inherit" },
      env: { ...process.env, ...(plan.ratePerSecond !== null && CALM) },
    },
  );
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const result = readReport(child.stdout, resolve);
  result.catch(reject);
  return {
    ready,
    result,
    go() {
      child.stdin.write("go\n");
      void child.stdin.end();
    },
    kill: () => child.kill("SIGKILL"),
  };
}

async function readReport(
  output: ReadableStream<Uint8Array>,
  onReady: () => void,
): Promise<LoadResult> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of output) {
    text += decoder.decode(chunk, { stream: true });
    if (text.startsWith("ready\n")) onReady();
  }
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) throw new Error("a load process ended without a report");
  const report = JSON.parse(line) as LoadReport;
  if ("error" in report) throw new Error(report.error);
  return report.result;
}

function merged(results: readonly LoadResult[], what: "latency" | "lateness"): Histogram {
  const histogram = new Histogram();
  for (const result of results) histogram.merge(result[what]);
  return histogram;
}

function total(results: readonly LoadResult[], serverPeakRssBytes: number): Sample {
  const sum = (of: (result: LoadResult) => number): number =>
    results.reduce((all, result) => all + of(result), 0);
  const latency = merged(results, "latency");
  const us = (fraction: number): number => latency.quantile(fraction) / 1000;
  const serverCpuSeconds = sum((result) => result.serverCpuSeconds);
  const loadCpuSeconds = sum((result) => result.loadCpuSeconds);
  const machineCpuSeconds = results[0]?.machineCpuSeconds ?? 0;
  return {
    seconds: sum((result) => result.seconds) / results.length,
    requestsPerSecond: sum((result) => result.requests / result.seconds),
    bodyBytesPerSecond: sum((result) => result.bodyBytes / result.seconds),
    p50Us: us(0.5),
    p90Us: us(0.9),
    p99Us: us(0.99),
    p999Us: us(0.999),
    maxUs: us(1),
    serverCpuSeconds,
    loadCpuSeconds,
    otherCpuSeconds: Math.max(0, machineCpuSeconds - serverCpuSeconds - loadCpuSeconds),
    serverPeakRssBytes,
    syscallsPerRequest: null,
  };
}
