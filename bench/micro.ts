/**
 * `bun bench/micro.ts [--only WORD] [--json FILE]`: the hot functions beside naive twins. Each is
 * checked against its twin on random input, then both are timed in turns. A function that does not
 * beat its twin is marked: it needs another reason for what it is.
 *
 * Owns the timing. Exit status: 0 done, 1 a function and its twin differ, 2 usage.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { KERNEL } from "./micro/kernel.ts";
import type { Row, Work } from "./micro/row.ts";
import { WIRE } from "./micro/wire.ts";
import { machineLine } from "./proc.ts";
import { table } from "./report.ts";
import { median, pairedRatio } from "./stats.ts";

const ROWS: readonly Row[] = [...WIRE, ...KERNEL];

/** One sample's time: long beside the clock's grain, short beside what else the machine does. */
const SAMPLE_NS = 8e6;
const SAMPLES = 15;
const WARMUPS = 3;

/** Keeps what the work returns: an engine may leave out what nobody looks at. */
let kept = 0;

interface Measured {
  readonly name: string;
  readonly twin: string;
  readonly fastNs: readonly number[];
  readonly naiveNs: readonly number[];
}

function main(): number {
  const { values } = parseArgs({ options: { only: { type: "string" }, json: { type: "string" } } });
  const rows = ROWS.filter(({ name }) => name.includes(values.only ?? ""));
  if (rows.length === 0) {
    console.error(`bench: no row is called ${values.only}; there are:`);
    for (const { name } of ROWS) console.error(`  ${name}`);
    return 2;
  }
  for (const row of rows) row.check();
  console.log(machineLine());
  const measured = rows.map(measure);
  console.log(table([HEAD, ...measured.map(told)]));
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(measured, null, 1)}\n`);
  return Number.isFinite(kept) ? 0 : 1;
}

function measure({ name, twin, fast, naive }: Row): Measured {
  const counts = [fast, naive].map(countFor) as [number, number];
  const [fastNs, naiveNs]: [number[], number[]] = [[], []];
  for (let sample = -WARMUPS; sample < SAMPLES; sample++) {
    const one = nsEach(fast, counts[0]);
    const other = nsEach(naive, counts[1]);
    if (sample < 0) continue;
    fastNs.push(one);
    naiveNs.push(other);
  }
  return { name, twin, fastNs, naiveNs };
}

/** How often the work fits into a sample. */
function countFor(work: Work): number {
  for (let count = 1; ; count *= 4) {
    const ns = nsEach(work, count) * count;
    if (ns > SAMPLE_NS / 8) return Math.max(1, Math.round((count * SAMPLE_NS) / ns));
  }
}

function nsEach(work: Work, count: number): number {
  const began = Bun.nanoseconds();
  kept += work(count);
  return (Bun.nanoseconds() - began) / count;
}

const HEAD = ["", "ns", "min-max", "twin ns", "twin / it (min-max)", "twin"];

function told({ name, twin, fastNs, naiveNs }: Measured): string[] {
  const ratio = pairedRatio(naiveNs, fastNs);
  const whole = (ns: number): string => Math.round(ns).toLocaleString("en-US");
  return [
    ...[name, whole(median(fastNs)), `${whole(Math.min(...fastNs))}-${whole(Math.max(...fastNs))}`],
    whole(median(naiveNs)),
    `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)})`,
    ratio.median > 1 ? twin : `${twin}: NOT BEATEN`,
  ];
}

process.exitCode = main();
