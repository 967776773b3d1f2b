/**
 * `bun bench/coldnames.ts [ENTRY...]`: what names and folders that are not in memory cost those who
 * ask for something else. A file system of its own in a file (root and a loop device are needed) is
 * mounted anew for each row, so that nothing of it is in memory and nobody else's memory is
 * dropped; its reads are held to so many a second where there is a blkio controller. One connection
 * looks names up, or lists folders, one after the other, while another pings every 2 ms.
 *
 * Behind it the same walk with the disk as it is, cold and once more: what a look itself costs.
 * Each ENTRY (src/serv6.ts of this and other checkouts) is measured in turn.
 */
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, statSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DOORS } from "./load/door.ts";
import { ping } from "./load/fetch.ts";
import * as sys from "./load/sys.ts";
import { machineLine } from "./proc.ts";
import { SERV6_ENTRY, serv6 } from "./server.ts";
import type { RunningServer } from "./spawn.ts";
import { temporaryFolder } from "./temporary.ts";

const FOLDERS = 20;
const NAMES = 1000;
const READS_PER_SECOND = 200;
const SECONDS = 4;
const PING_MS = 2;
const ROUNDS = 3;
const BLKIO = "/sys/fs/cgroup/blkio";
const GROUP = join(BLKIO, `serv6-bench-${process.pid}`);

/** What the other connection asks for. */
const WORK = ["stat", "list"] as const;

if (process.argv[2] === "--load") await load(process.argv.slice(3));
else await measure(process.argv.length > 2 ? process.argv.slice(2) : [SERV6_ENTRY]);

async function measure(entries: readonly string[]): Promise<void> {
  const folder = temporaryFolder();
  const image = join(folder.path, "image");
  const root = join(folder.path, "root");
  mkdirSync(root);
  make(image, root);
  const disk = existsSync(BLKIO) ? `${READS_PER_SECOND} reads a second` : "as it is";
  console.log(`${FOLDERS} folders of ${NAMES} names, disk: ${disk}; ${machineLine()}`);
  for (let round = 1; round <= ROUNDS; round++) {
    for (const entry of entries) {
      for (const work of WORK) await besides(entry, work, image, root);
      await walk(entry, image, root);
    }
  }
}

async function besides(entry: string, work: string, image: string, root: string): Promise<void> {
  await served(entry, image, root, READS_PER_SECOND, async ({ port }) => {
    const asked = loadOf(port, work, SECONDS);
    const pings = await pingsUntil(port, asked);
    const { count } = await asked;
    console.log(`  ${work.padEnd(4)} slow disk  PING ${pingLine(pings)}  ${count} asked  ${entry}`);
  });
}

async function walk(entry: string, image: string, root: string): Promise<void> {
  await served(entry, image, root, 0, async ({ port }) => {
    const line: string[] = [];
    for (const state of ["cold", "warm", "warm"]) {
      const { count, seconds } = await loadOf(port, "stat", 0);
      line.push(`${state} ${((seconds / count) * 1e6).toFixed(0)} us`);
    }
    console.log(`  a STAT, disk as it is: ${line.join(", ")}  ${entry}`);
  });
}

/** Mounts, serves, and undoes both; with `readsPerSecond` of the server's reads, 0 for no bound. */
async function served(
  entry: string,
  image: string,
  root: string,
  readsPerSecond: number,
  during: (server: RunningServer) => Promise<void>,
): Promise<void> {
  run(["mount", "-o", "loop", image, root]);
  try {
    const args = ["--no-sandbox"];
    const server = await serv6("s6", entry, args).start(root);
    const throttled = readsPerSecond > 0 && throttle(server, root, readsPerSecond);
    try {
      await during(server);
    } finally {
      await server.stop();
      if (throttled) rmdirSync(GROUP);
    }
  } finally {
    run(["umount", root]);
  }
}

function make(image: string, root: string): void {
  run(["truncate", "-s", "256M", image]);
  run(["mkfs.ext4", "-q", "-F", "-N", String(4 * FOLDERS * NAMES), image]);
  run(["mount", "-o", "loop", image, root]);
  // A folder's inodes are not to lie side by side: as where files were made over years.
  for (let nth = 0; nth < FOLDERS; nth++) mkdirSync(join(root, `d${nth}`));
  for (let name = 0; name < NAMES; name++) {
    for (let nth = 0; nth < FOLDERS; nth++) {
      closeSync(openSync(join(root, `d${nth}`, `file-${name}`), "w"));
    }
  }
  run(["umount", root]);
}

function throttle(server: RunningServer, root: string, readsPerSecond: number): boolean {
  if (!existsSync(BLKIO)) return false;
  const { dev } = statSync(root);
  mkdirSync(GROUP);
  const limit = `${(dev >> 8) & 0xfff}:${dev & 0xff} ${readsPerSecond}\n`;
  writeFileSync(join(GROUP, "blkio.throttle.read_iops_device"), limit);
  for (const pid of server.pids()) writeFileSync(join(GROUP, "cgroup.procs"), `${pid}\n`);
  return true;
}

interface Loaded {
  readonly count: number;
  readonly seconds: number;
}

async function loadOf(port: number, work: string, seconds: number): Promise<Loaded> {
  const args = [import.meta.path, "--load", String(port), work, String(seconds)];
  const child = Bun.spawn([process.execPath, ...args], { stdout: "pipe", stderr: "inherit" });
  return JSON.parse(await child.stdout.text()) as Loaded;
}

/** One connection asks for all names or folders, one after the other, or for so many seconds. */
async function load([port, work, most]: readonly string[]): Promise<void> {
  const questions: string[] = [];
  for (let name = 0; name < (work === "list" ? 1 : NAMES); name++) {
    for (let nth = 0; nth < FOLDERS; nth++) {
      questions.push(work === "list" ? `LIST /d${nth}\n` : `STAT /d${nth}/file-${name}\n`);
    }
  }
  const done = Promise.withResolvers<void>();
  const began = performance.now();
  let count = 0;
  let wanted = -1;
  let head = "";
  const over = (): boolean =>
    count === questions.length ||
    (Number(most) > 0 && performance.now() - began > Number(most) * 1000);
  await Bun.connect({
    hostname: "127.0.0.1",
    port: Number(port),
    socket: {
      open: (socket) => void socket.write(questions[0] ?? ""),
      data(socket, chunk) {
        let rest = chunk.length;
        if (wanted < 0) {
          head += chunk.toString("latin1");
          const end = head.indexOf("\n");
          if (end < 0) return;
          if (!head.startsWith("OK ")) return done.reject(new Error(head));
          wanted = Number(head.split(" ")[1]);
          rest = head.length - end - 1;
        }
        wanted -= rest;
        if (wanted > 0) return;
        head = "";
        wanted = -1;
        count += 1;
        if (over()) {
          done.resolve();
          socket.end();
        } else socket.write(questions[count] ?? "");
      },
      close: () => done.reject(new Error("closed before its end")),
    },
  });
  await done.promise;
  console.log(JSON.stringify({ count, seconds: (performance.now() - began) / 1000 }));
}

async function pingsUntil(port: number, end: Promise<unknown>): Promise<number[]> {
  const pings: number[] = [];
  let over = false;
  void end.finally(() => (over = true));
  const fd = sys.connectLoopback(port, 20_000);
  while (!over) {
    const sent = performance.now();
    ping(DOORS.s6, fd);
    pings.push(performance.now() - sent);
    await Bun.sleep(PING_MS);
  }
  sys.closeSocket(fd);
  return pings;
}

function pingLine(all: readonly number[]): string {
  const sorted = all.toSorted((left, right) => left - right);
  const at = (part: number): string =>
    (sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN).toFixed(1);
  return `p50 ${at(0.5)}  p99 ${at(0.99)}  max ${at(1)} ms`;
}

function run(command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString().trim()}`);
}
