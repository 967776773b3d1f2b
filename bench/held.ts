/**
 * Owns what idle.ts and stall.ts share: their flags, the servers they ask for, connections that are
 * held open, and memory before and after. Never times anything.
 * Invariant: one process holds all client ends, so N is bounded by its limit of open files.
 */
import { parseArgs } from "node:util";
import { csendfile } from "./rivals/csendfile.ts";
import { parsed, refuse, run, settle } from "./command.ts";
import { type FileName, makeFiles } from "./files.ts";
import * as sys from "./load/sys.ts";
import { nginx } from "./rivals/nginx.ts";
import { tcpMemoryBytes, type UserMemory, userMemory } from "./proc.ts";
import { introduction, type Rival } from "./rivals/rival.ts";
import { SERV6_ENTRY, serv6 } from "./server.ts";
import type { RunningServer } from "./spawn.ts";
import { median } from "./stats.ts";
import { NETWORKS, oneOf, whole, words } from "./value.ts";

/** Time for queues to fill, and for a server to notice what closed and to collect its garbage. */
const SETTLE_MS = 3_000;

/** The kernel's counter is the machine's: the median of some readings passes over bursts. */
const READINGS = 9;
const READING_MS = 50;

const CONNECT_MS_MAX = 5_000;
const CONNECTIONS_MAX = 30_000;
const KIB = 1024;

export interface HeldOptions {
  readonly connections: number;
  readonly rivals: readonly Rival[];
}

export interface Memory extends UserMemory {
  readonly tcpBytes: number;
}

/** Runs `measure` against our server and each rival that `--rival` names; exits with its status. */
export async function main(
  name: string,
  connectionsDefault: number,
  files: readonly FileName[],
  measure: (rival: Rival, server: RunningServer, connections: number) => Promise<void>,
): Promise<void> {
  await run(async () => {
    const flags = parsed(() => parse(connectionsDefault));
    if ("error" in flags) {
      const help =
        `flags: --connections N (${connectionsDefault})  --rival nginx|c` +
        `  --serv6-args 'A B'  --entry FILE  --network private|host`;
      return refuse(flags.error, help, name);
    }
    const { rivals, network, connections } = flags.options;
    await settle(network);
    const folder = makeFiles(files);
    try {
      for (const rival of rivals) {
        console.log(`\n${introduction(rival)}`);
        if (rival.unavailable() !== null) continue;
        const server = await rival.start(folder.path);
        await measure(rival, server, connections).finally(() => server.stop());
      }
    } finally {
      folder.remove();
    }
    return 0;
  }, name);
}

/** Opens `count` connections and calls `first` on each; an error names how many there were. */
export function hold(port: number, count: number, first: (fd: number) => void): number[] {
  const fds: number[] = [];
  try {
    while (fds.length < count) {
      const fd = sys.connectLoopback(port, CONNECT_MS_MAX);
      fds.push(fd);
      first(fd);
    }
    return fds;
  } catch (error) {
    release(fds);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`connection ${fds.length} of ${count}: ${reason}`);
  }
}

export function release(fds: readonly number[]): void {
  for (const fd of fds) sys.closeSocket(fd);
}

/** The server's memory and the kernel's, when both have come to rest. */
export async function settledMemory(server: RunningServer): Promise<Memory> {
  await Bun.sleep(SETTLE_MS);
  const readings: number[] = [];
  for (let i = 0; i < READINGS; i++) {
    readings.push(tcpMemoryBytes());
    await Bun.sleep(READING_MS);
  }
  return { ...userMemory(server.pids()), tcpBytes: median(readings) };
}

/** A line that says by how much memory grew for each of `count` connections. */
export function growthLine(what: string, from: Memory, to: Memory, count: number): string {
  const kib = (of: (memory: Memory) => number): string =>
    ((of(to) - of(from)) / count / KIB).toFixed(2).padStart(9);
  const user = `RSS ${kib((m) => m.rssBytes)}  Pss ${kib((m) => m.pssBytes)}`;
  const rest = `anonymous ${kib((m) => m.anonymousBytes)}  kernel TCP ${kib((m) => m.tcpBytes)}`;
  return `  ${what.padEnd(34)} ${user}  ${rest}  KiB each`;
}

// --- internal ---

function parse(connectionsDefault: number) {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      connections: { type: "string", default: String(connectionsDefault) },
      rival: { type: "string", multiple: true },
      "serv6-args": { type: "string", default: "" },
      entry: { type: "string", default: SERV6_ENTRY },
      network: { type: "string", default: "private" },
    },
    allowPositionals: false,
  });
  const known = { nginx, c: csendfile };
  const names = Object.keys(known) as (keyof typeof known)[];
  const rivals = (values.rival ?? []).map((name) => known[oneOf("--rival", name, names)]);
  return {
    connections: whole("--connections", values.connections, 1, CONNECTIONS_MAX),
    network: oneOf("--network", values.network, NETWORKS),
    rivals: [serv6("s6", values.entry, words(values["serv6-args"])), ...rivals],
  } as const;
}
