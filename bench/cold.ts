/**
 * `bun bench/cold.ts`: what a large file that is not in memory costs those who ask for small ones.
 * Its pages are dropped, its disk is slow (the blkio controller holds the server to --disk MB/s,
 * where there is one and it may be set), and one connection downloads it while others ask for 1 KiB
 * every few ms. Requests that were held up count from when they were due. Beside it stands the same
 * download at the same speed out of memory, taken slowly: what differs is what the disk costs.
 *
 * Server and asker have one core, whoever downloads has another: on one they wait for each other
 * for up to 14 ms, whatever the server does (perf sched).
 *
 * Owns the order of things. Invariant: the download is compared byte by byte with what was written,
 * and the pages were gone when it began.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { run, settle } from "./command.ts";
import { FILES, makeFiles } from "./files.ts";
import { type Door, DOORS } from "./load/door.ts";
import { fetchBody } from "./load/fetch.ts";
import { Histogram } from "./load/histogram.ts";
import { dialWaiting, type Link } from "./load/link.ts";
import { nginx } from "./rivals/nginx.ts";
import { introduction, type Rival } from "./rivals/rival.ts";
import { SERV6_ENTRY, serv6 } from "./server.ts";
import type { RunningServer } from "./spawn.ts";
import { NETWORKS, number, oneOf, whole } from "./value.ts";

const COLD = "100m";
const HOT = "1k";
const ASK_MS = 4;
const CONNECT_MS_MAX = 60_000;
const MB = 1e6;
const BLKIO = "/sys/fs/cgroup/blkio";

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      disk: { type: "string", default: "50" },
      entry: { type: "string", default: SERV6_ENTRY },
      rounds: { type: "string", default: "3" },
      network: { type: "string", default: "private" },
    },
  });
  const diskMbPerSecond = number("--disk", values.disk, 0, 100_000);
  const rounds = whole("--rounds", values.rounds, 1, 100);
  await settle(oneOf("--network", values.network, NETWORKS));
  const folder = makeFiles([COLD, HOT]);
  try {
    for (const rival of [serv6("s6", values.entry, []), nginx]) {
      console.log(`\n${introduction(rival)}`);
      if (rival.unavailable() !== null) continue;
      const server = await rival.start(folder.path);
      for (const pid of [process.pid, ...server.pids()]) pin(pid, 0);
      const throttled = throttle(server, folder.path, diskMbPerSecond * MB);
      console.log(`  disk: ${throttled === null ? "as it is" : `${diskMbPerSecond} MB/s (blkio)`}`);
      try {
        for (let round = 1; round <= rounds; round++) {
          await measure(rival, server, join(folder.path, COLD), diskMbPerSecond * MB);
        }
      } finally {
        await server.stop();
        throttled?.();
      }
    }
  } finally {
    folder.remove();
  }
  return 0;
}

async function measure(
  rival: Rival,
  server: RunningServer,
  file: string,
  bytesPerSecond: number,
): Promise<void> {
  const door = DOORS[rival.door];
  const link = dialWaiting(door, server.port, CONNECT_MS_MAX);
  const asking = { door, link };
  const downloading = { door: rival.door, port: server.port, file };
  const alone = ask(asking, () => false, 500);
  const slowly = bytesPerSecond > 0 ? bytesPerSecond : Number.MAX_SAFE_INTEGER;
  const warm = await askBeside(asking, { ...downloading, bytesPerSecond: slowly });
  drop(file);
  const fast = Number.MAX_SAFE_INTEGER;
  const cold = await askBeside(asking, { ...downloading, bytesPerSecond: fast });
  link.close();
  console.log(`  1 KiB alone                 ${line(alone)}`);
  console.log(`  beside 100 MiB from memory  ${line(warm.asked)}  (${warm.seconds.toFixed(2)} s)`);
  console.log(`  beside 100 MiB from disk    ${line(cold.asked)}  (${cold.seconds.toFixed(2)} s)`);
}

interface Asking {
  readonly door: Door;
  readonly link: Link;
}

interface Downloading {
  readonly door: string;
  readonly port: number;
  readonly file: string;
  /** No faster than that. */
  readonly bytesPerSecond: number;
}

/** Asks for the small file for as long as the large one is being downloaded. */
async function askBeside(
  asking: Asking,
  { door, port, file, bytesPerSecond }: Downloading,
): Promise<{ asked: Histogram; seconds: number }> {
  const args = ["--download", door, String(port), file, String(bytesPerSecond)];
  const download = Bun.spawn([process.execPath, import.meta.path, ...args], {
    ...{ stdout: "pipe", stderr: "inherit" },
  });
  pin(download.pid, 1);
  let over = false;
  const seconds = download.stdout.text().finally(() => (over = true));
  const asked = new Histogram();
  // In portions, so that this process hears when the download is over.
  while (!over) {
    asked.merge(ask(asking, () => over, 10).toData());
    await Bun.sleep(0);
  }
  const took = Number(await seconds);
  if (!(took > 0)) throw new Error("the download failed");
  return { asked, seconds: took };
}

/** Gives all threads of a process one core; where that can't be, they run where they like. */
function pin(pid: number, core: number): void {
  if (Bun.which("taskset") === null) return;
  Bun.spawnSync(["taskset", "-a", "-c", "-p", String(core), String(pid)]);
}

/** Asks for the small file, each time when it is due; nanoseconds from then on. */
function ask({ door, link }: Asking, over: () => boolean, count: number): Histogram {
  const histogram = new Histogram();
  let due = Bun.nanoseconds();
  for (let nth = 0; nth < count && !over(); nth++) {
    const waitNs = due - Bun.nanoseconds();
    if (waitNs > 0) Bun.sleepSync(waitNs / 1e6);
    const from = waitNs > 0 ? Bun.nanoseconds() : due;
    if (fetchBody(door, link, `/${HOT}`).length !== FILES[HOT]) throw new Error("1k is not 1 KiB");
    histogram.record(Bun.nanoseconds() - from);
    due += ASK_MS * 1e6;
  }
  return histogram;
}

function line(histogram: Histogram): string {
  const us = (fraction: number): string =>
    Math.round(histogram.quantile(fraction) / 1000).toLocaleString("en-US");
  return `p50 ${us(0.5)} p99 ${us(0.99)} max ${us(1)} us`;
}

/** Throws the file's pages out of memory (posix_fadvise(2), by dd(1)). */
function drop(file: string): void {
  const args = [`of=${file}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"];
  const { exitCode, stderr } = Bun.spawnSync(["dd", ...args]);
  if (exitCode !== 0) throw new Error(`dd: ${stderr.toString().trim()}`);
}

/** Holds the server's reads to `bytesPerSecond`; null where that can't be done. Returns its end. */
function throttle(
  server: RunningServer,
  folder: string,
  bytesPerSecond: number,
): (() => void) | null {
  const group = join(BLKIO, `serv6-bench-${process.pid}`);
  try {
    if (!existsSync(BLKIO) || !(bytesPerSecond > 0)) return null;
    const { dev } = statSync(folder);
    mkdirSync(group);
    const limit = `${(dev >> 8) & 0xfff}:${dev & 0xff} ${bytesPerSecond}\n`;
    writeFileSync(join(group, "blkio.throttle.read_bps_device"), limit);
    for (const pid of server.pids()) writeFileSync(join(group, "cgroup.procs"), `${pid}\n`);
  } catch {
    return null;
  }
  return () => rmdirSync(group);
}

/** The download, in a process of its own: prints its seconds. */
function download([name, port, file, bytesPerSecond]: readonly string[]): void {
  const door = Object.entries(DOORS).find(([known]) => known === name)?.[1];
  if (door === undefined || file === undefined) throw new Error("--download DOOR PORT FILE");
  const link = dialWaiting(door, Number(port), CONNECT_MS_MAX);
  const began = Bun.nanoseconds();
  const body = fetchBody(door, link, `/${COLD}`, Number(bytesPerSecond));
  const seconds = (Bun.nanoseconds() - began) / 1e9;
  if (Buffer.compare(body, readFileSync(file)) !== 0) throw new Error("other bytes than written");
  console.log(seconds);
}

if (process.argv[2] === "--download") download(process.argv.slice(3));
else await run(main);
