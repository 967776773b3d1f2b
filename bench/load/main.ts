/**
 * The load process: connects, says "ready", waits for "go", warms up, measures, prints one line.
 * The plan is its only argument (plan.ts). Never decides what to measure.
 * Invariant: it ends within its plan's time and a margin, and says why when it has no result.
 */
import { readSync, writeSync } from "node:fs";
import { cpuSeconds, machineCpuSeconds } from "../proc.ts";
import { Load } from "./loop.ts";
import type { LoadPlan, LoadReport, LoadResult } from "./plan.ts";

function run(plan: LoadPlan): LoadResult {
  const load = new Load(plan);
  writeSync(1, "ready\n");
  readSync(0, new Uint8Array(16));
  load.begin();
  load.runUntil(Bun.nanoseconds() + plan.warmupSeconds * 1e9);
  load.resetCounts();
  const machine = machineCpuSeconds();
  const server = cpuSeconds(plan.serverPids);
  const own = process.cpuUsage();
  const from = Bun.nanoseconds();
  load.runUntil(from + plan.seconds * 1e9);
  const until = Bun.nanoseconds();
  load.recordUnanswered(until);
  const used = process.cpuUsage(own);
  const serverCpuSeconds = cpuSeconds(plan.serverPids) - server;
  const machineCpu = machineCpuSeconds() - machine;
  load.close();
  return {
    seconds: (until - from) / 1e9,
    requests: load.requests,
    bodyBytes: load.bodyBytes,
    serverCpuSeconds,
    loadCpuSeconds: (used.user + used.system) / 1e6,
    machineCpuSeconds: machineCpu,
    latency: load.latency.toData(),
    lateness: load.lateness.toData(),
  };
}

function report(): LoadReport {
  try {
    return { result: run(JSON.parse(process.argv[2] ?? "") as LoadPlan) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

const outcome = report();
writeSync(1, `${JSON.stringify(outcome)}\n`);
process.exitCode = "result" in outcome ? 0 : 1;
