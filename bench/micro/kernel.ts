/** Owns the rows about system calls, as the table has them and as node:fs has them. */
import fs from "node:fs";
import { kernel } from "../../src/sys/kernel.ts";
import { FileStat } from "../../src/sys/types.ts";
import { Plan } from "../../src/download/plan.ts";
import { Histogram } from "../load/histogram.ts";
import { repeated, type Row, same } from "./row.ts";

const FILE = import.meta.path;
const fd = fs.openSync(FILE, "r");
const into = new Uint8Array(1024);
const stat = new FileStat();

const CHUNKS = 4096;

/** Takes and brings a plan of CHUNKS chunks, two of them at a time. */
function planned(): number {
  const plan = new Plan(CHUNKS, 1);
  let taken = 0;
  for (let segment = plan.take(2); segment !== null; segment = plan.take(2)) {
    for (const index of segment.arrive(segment.length)) plan.accept(index);
    taken += segment.length;
  }
  return plan.complete ? taken : -1;
}

/** The same by a list of what is missing, looked through from its start each time. */
function naivelyPlanned(): number {
  const missing = Array.from({ length: CHUNKS }, () => true);
  let taken = 0;
  for (let first = missing.indexOf(true); first >= 0; first = missing.indexOf(true)) {
    const length = missing[first + 1] === true ? 2 : 1;
    missing.fill(false, first, first + length);
    taken += length;
  }
  return taken;
}

const histogram = new Histogram();

export const KERNEL: readonly Row[] = [
  {
    ...{ name: "1 KiB by pread(2)", twin: "fs.readSync" },
    fast: repeated(() => kernel.pread(fd, into, into.length, 0n)),
    naive: repeated(() => fs.readSync(fd, into, 0, into.length, 0)),
    check() {
      const one = kernel.pread(fd, into, into.length, 7n);
      const bytes = into.toHex();
      same("pread", [one, bytes], [fs.readSync(fd, into, 0, into.length, 7), into.toHex()]);
    },
  },
  {
    ...{ name: "what an open file is, by statx(2)", twin: "fs.fstatSync, bigint" },
    fast: repeated(() => 1 + kernel.statx(fd, "", stat) + Number(stat.mtime & 1n)),
    naive: repeated(() => 1 + Number(fs.fstatSync(fd, { bigint: true }).mtimeNs & 1n)),
    check() {
      kernel.statx(fd, "", stat);
      const { size, mtimeNs, ino, ctimeNs } = fs.fstatSync(fd, { bigint: true });
      same("statx", [stat.size, stat.mtime, stat.ino, stat.ctime], [size, mtimeNs, ino, ctimeNs]);
    },
  },
  {
    ...{ name: "a plan of 4,096 chunks", twin: "a list looked through each time" },
    fast: repeated(planned),
    naive: repeated(naivelyPlanned),
    check: () => same("plan", planned(), naivelyPlanned()),
  },
  {
    ...{ name: "a latency into the histogram", twin: "a list of all, sorted in the end" },
    fast: repeated((nth) => {
      histogram.record(nth * 37);
      return 1;
    }),
    naive(count) {
      const list = Array.from({ length: count }, (_, nth) => nth * 37);
      return list.sort((one, other) => one - other).length;
    },
    check() {
      const [small, all] = [new Histogram(), [] as number[]];
      for (let i = 0; i < 10_000; i++) {
        const value = Math.floor(Math.random() ** 4 * 1e9);
        small.record(value);
        all.push(value);
      }
      all.sort((one, other) => one - other);
      for (const share of [0.5, 0.9, 0.99]) {
        const exact = all[Math.ceil(share * all.length) - 1]!;
        if (Math.abs(small.quantile(share) - exact) > exact * 0.005 + 1)
          throw new Error("quantile");
      }
    },
  },
];
