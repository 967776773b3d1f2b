/**
 * `bun bench/wide.ts [NAMES] [CLIENTS] [ROUNDS]`: what listing one wide folder takes, `cli6 ls`
 * beside rsync and find on the same files. The names are compared before anything is timed. Beside
 * each listing one more connection pings the server every few ms, and its memory is told.
 *
 * Medians of interleaved ROUNDS (5; 0 leaves them out). A rival that is not installed is left out.
 * Then one client goes through it by LIST, by JSON and by pages for people, and CLIENTS clients
 * list the folder at once (1,000; 0 leaves that out).
 */
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DOORS } from "./load/door.ts";
import { ping } from "./load/fetch.ts";
import * as sys from "./load/sys.ts";
import { machineLine, peakRssBytes, resetPeakRss, userMemory } from "./proc.ts";
import { SERV6_ENTRY, serv6 } from "./server.ts";
import type { RunningServer } from "./spawn.ts";
import { median } from "./stats.ts";
import { temporaryFolder } from "./temporary.ts";

const PING_MS = 2;
const CLI6 = join(SERV6_ENTRY, "..", "cli6.ts");

/** One way to list the folder. */
interface Lister {
  readonly name: string;
  readonly command: readonly string[];
  readonly seconds: number[];
  /** Milliseconds of the pings beside it: those beside a rival tell what the machine does. */
  readonly pings: number[];
  /** The name in a line of what it writes; "" where there is none. */
  nameIn(line: string): string;
}

const [names = 200_000, clients = 1_000, rounds = 5] = process.argv.slice(2).map(Number);
const folder = temporaryFolder();
const out = temporaryFolder();
for (let nth = 0; nth < names; nth++) {
  // Not in the order of the names: no rival is to get them sorted already.
  const name = `file-${String((nth * 7919) % names).padStart(8, "0")}.dat`;
  closeSync(openSync(join(folder.path, name), "w"));
}
console.log(`${names} empty files in one folder; ${machineLine()}`);
const server = await serv6("s6", SERV6_ENTRY, []).start(folder.path);
const listers = listersOf(server.port);
for (const lister of rounds > 0 ? listers : []) await check(lister);
for (let round = 0; round < rounds; round++) {
  for (const lister of listers) lister.seconds.push(await timed(lister.command, lister.pings));
}
const rsync = listers.find(({ name }) => name.startsWith("rsync"));
for (const { name, seconds, pings } of rounds > 0 ? listers : []) {
  const ratio = rsync === undefined ? "" : `  ${ratioOf(seconds, rsync.seconds)} x rsync`;
  console.log(`  ${name.padEnd(28)} ${median(seconds).toFixed(2)} s${ratio}  ${pingLine(pings)}`);
}
memory("after these");
for (const kind of ["list", "json", "html", "list", "json", "html"]) await through(kind, server);
if (clients > 0) await crowd(server);
await server.stop();

/** What is compared, as far as it is installed. */
function listersOf(port: number): Lister[] {
  const ls = [process.execPath, "--config=/dev/null", "--no-env-file", CLI6, "ls"];
  const url = `s6://127.0.0.1:${port}/`;
  const path = `${folder.path}/`;
  const last = (line: string): string => line.slice(line.lastIndexOf(" ") + 1);
  const all: Lister[] = [
    { name: "cli6 ls", command: [...ls, url], seconds: [], pings: [], nameIn: last },
    { name: "cli6 ls -1", command: [...ls, "-1", url], seconds: [], pings: [], nameIn: last },
    {
      name: "rsync --list-only",
      command: ["rsync", "--list-only", path],
      seconds: [],
      pings: [],
      nameIn: (line) => (line.endsWith(" .") ? "" : last(line)),
    },
    {
      name: "find -printf (no network)",
      command: ["find", path, "-mindepth", "1", "-printf", "%y %s %T@ %P\\n"],
      seconds: [],
      pings: [],
      nameIn: last,
    },
  ];
  return all.filter(({ command }) => Bun.which(command[0] ?? "") !== null);
}

/** Throws unless `lister` writes every name of the folder once. */
async function check({ name, command, nameIn }: Lister): Promise<void> {
  await timed(command, []);
  const lines = readFileSync(join(out.path, "out"), "latin1").split("\n");
  const got = lines.map(nameIn).filter((it) => it !== "");
  if (!Bun.deepEquals(got.sort(), readdirSync(folder.path).sort())) {
    throw new Error(`${name} wrote ${got.length} names, not those ${names}`);
  }
}

/** Seconds that `command` takes; meanwhile the server is pinged, in milliseconds, into `into`. */
async function timed(command: readonly string[], into: number[]): Promise<number> {
  const fd = sys.connectLoopback(server.port, 1_000);
  const file = openSync(join(out.path, "out"), "w");
  const from = performance.now();
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: file,
    stderr: "inherit",
  });
  let running = true;
  const ended = child.exited.then((code) => {
    running = false;
    if (code !== 0) throw new Error(`${command.join(" ")}: status ${code}`);
    return (performance.now() - from) / 1000;
  });
  while (running) {
    const sent = performance.now();
    ping(DOORS.s6, fd);
    into.push(performance.now() - sent);
    await Bun.sleep(PING_MS);
  }
  sys.closeSocket(fd);
  closeSync(file);
  return ended;
}

/** One client goes through all pages. */
async function through(kind: string, { port }: RunningServer): Promise<void> {
  resetPeakRss(server.pids());
  const beside: number[] = [];
  const program = [process.execPath, join(import.meta.dir, "wide", "pages.ts")];
  const seconds = await timed([...program, `${port}`, kind, `${names}`], beside);
  console.log(`  pages by ${kind}: ${seconds.toFixed(1)} s  ${pingLine(beside)}`);
  memory("after them");
}

async function crowd({ port }: RunningServer): Promise<void> {
  resetPeakRss(server.pids());
  const beside: number[] = [];
  const program = [process.execPath, join(import.meta.dir, "wide", "crowd.ts")];
  const seconds = await timed([...program, `${port}`, `${clients}`, `${names}`], beside);
  const each = (seconds / clients) * 1000;
  console.log(`  ${clients} clients at once: ${seconds.toFixed(1)} s, ${each.toFixed(1)} ms each`);
  console.log(`  ${pingLine(beside)}`);
  memory("after them");
}

function memory(when: string): void {
  const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MiB`;
  const { rssBytes } = userMemory(server.pids());
  console.log(`  server ${when}: ${mib(rssBytes)}, peak ${mib(peakRssBytes(server.pids()))}`);
}

function ratioOf(left: readonly number[], right: readonly number[]): string {
  return median(left.map((seconds, nth) => seconds / (right[nth] ?? Number.NaN))).toFixed(2);
}

function pingLine(all: readonly number[]): string {
  const sorted = all.toSorted((left, right) => left - right);
  const at = (part: number): string =>
    (sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN).toFixed(1);
  return `PING beside: p50 ${at(0.5)}  p99 ${at(0.99)}  max ${at(1)} ms`;
}
