/**
 * Owns what is read from /proc about processes and the kernel's TCP memory. Linux only.
 * Never starts or ends a process. Invariant: every number comes back in the unit its name says.
 */
import type { Machine } from "./result.ts";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

/** USER_HZ: what /proc/PID/stat counts in, 100 on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

/** What tcp_mem and sockstat count in; asked once, as 16 and 64 KiB pages exist too. */
const PAGE_BYTES = pageBytes();

/** utime + stime of the processes, those of their reaped children included. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return ticks / TICKS_PER_SECOND;
}

/** CPU time all processes of the machine used since it started, and what the host took from it. */
export function machineCpuSeconds(): number {
  const line = readFileSync("/proc/stat", "latin1").split("\n")[0] ?? "";
  const [user, nice, system, , , irq, softirq, steal] = line.split(/ +/).slice(1).map(Number);
  const ticks = [user, nice, system, irq, softirq, steal];
  return sum(ticks, (value) => value ?? 0) / TICKS_PER_SECOND;
}

/** The process and all its descendants, as they are now. */
export function processTree(root: number): number[] {
  const tree = [root];
  for (let i = 0; i < tree.length; i++) {
    for (const task of readdirSync(`/proc/${tree[i]}/task`)) {
      for (const child of childrenOf(`/proc/${tree[i]}/task/${task}/children`)) tree.push(child);
    }
  }
  return tree;
}

/** Sets the peak that `peakRssBytes` reports back to the present size. */
export function resetPeakRss(pids: readonly number[]): void {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

export function peakRssBytes(pids: readonly number[]): number {
  return sum(pids, (pid) => kibField(readFileSync(`/proc/${pid}/status`, "latin1"), "VmHWM"));
}

export interface UserMemory {
  readonly rssBytes: number;
  readonly pssBytes: number;
  readonly anonymousBytes: number;
}

export function userMemory(pids: readonly number[]): UserMemory {
  const rollups = pids.map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"));
  return {
    rssBytes: sum(rollups, (text) => kibField(text, "Rss")),
    pssBytes: sum(rollups, (text) => kibField(text, "Pss")),
    anonymousBytes: sum(rollups, (text) => kibField(text, "Anonymous")),
  };
}

/** Memory the kernel holds for the data of all TCP sockets of the machine, in any namespace. */
export function tcpMemoryBytes(): number {
  const text = readFileSync("/proc/net/sockstat", "latin1");
  const match = /^TCP: .*\bmem (\d+)/m.exec(text);
  if (match === null) throw new Error("/proc/net/sockstat has no TCP mem");
  return Number(match[1]) * PAGE_BYTES;
}

/** What a measurement was taken on; names no host. */
export function machineFacts(): Machine {
  const cpuinfo = readFileSync("/proc/cpuinfo", "latin1");
  const kernel = readFileSync("/proc/sys/kernel/osrelease", "latin1").trim().split("-")[0] ?? "";
  return {
    cpu: /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? process.arch,
    cores: navigator.hardwareConcurrency,
    memoryBytes: kibField(readFileSync("/proc/meminfo", "latin1"), "MemTotal"),
    kernel,
    bun: Bun.version,
  };
}

/** The same in a line. */
export function machineLine({ cpu, cores, kernel, bun } = machineFacts()): string {
  return `${cpu}, ${cores} cores, Linux ${kernel}, Bun ${bun}`;
}

// --- internal ---

/** A thread that ended meanwhile, as those of a thread for each client do, has none. */
function childrenOf(file: string): number[] {
  try {
    return readFileSync(file, "latin1").trim().split(" ").filter(Boolean).map(Number);
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

function kibField(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text);
  if (match === null) throw new Error(`/proc has no ${name}`);
  return Number(match[1]) * 1024;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function pageBytes(): number {
  const smaps = readFileSync("/proc/self/smaps", "latin1");
  return Number(/^KernelPageSize:\s+(\d+) kB$/m.exec(smaps)?.[1] ?? 4) * 1024;
}
