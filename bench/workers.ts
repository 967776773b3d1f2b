/**
 * `bun bench/workers.ts [rates] [reloads] [kills] [SECONDS]`: a server of several processes. Rates,
 * balance and memory of one and two workers beside nginx with as many, in turns; reloads under a
 * load that compares every byte, one behind the other; a random worker killed each second under the
 * same load, with downloads by cli6 that are compared. All three when none is named; SECONDS, 60
 * unless said, are for each of the last two. The status is 1 where a byte was wrong, or where a
 * reload cut a reply.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { refuse, run, settle } from "./command.ts";
import { FILES, type FileName, makeFiles } from "./files.ts";
import { cpuSeconds, userMemory } from "./proc.ts";
import { nginxOf } from "./rivals/nginx.ts";
import type { Rival } from "./rivals/rival.ts";
import { type Order, takeSample } from "./sample.ts";
import { serv6, SERV6_ENTRY } from "./server.ts";
import { median } from "./stats.ts";
import { temporaryFolder } from "./temporary.ts";
import { Served } from "./workers/served.ts";

const HELP = "bench/workers.ts [rates] [reloads] [kills] [SECONDS]";
const ROUNDS = 5;
const WARMUP_SECONDS = 0.5;
const SECONDS = 1.5;
const MIB = 1024 * 1024;

/** What is asked, and by which of nginx's two ways to send it is the faster one. */
const WORK = [
  { file: "1k", connections: 64, sending: "read" },
  { file: "10m", connections: 8, sending: "sendfile" },
] as const satisfies readonly { file: FileName; connections: number; sending: string }[];

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  const parts = words.filter((word) => ["rates", "reloads", "kills"].includes(word));
  const numbers = words.filter((word) => /^[1-9][0-9]{0,4}$/.test(word));
  if (parts.length + numbers.length < words.length || numbers.length > 1) {
    return refuse("a part, or seconds", HELP, "bench/workers.ts");
  }
  const asked = (part: string): boolean => parts.length === 0 || parts.includes(part);
  const seconds = Number(numbers[0] ?? 60);
  await settle("private");
  if (asked("rates")) await rates();
  let bad = 0;
  if (asked("reloads")) bad += await reloads(seconds);
  if (asked("kills")) bad += await kills(seconds);
  return bad > 0 ? 1 : 0;
}

async function rates(): Promise<void> {
  const folder = makeFiles(WORK.map(({ file }) => file));
  try {
    for (const { file, connections, sending } of WORK) {
      console.log(`\n${file}, ${connections} connections, median of ${ROUNDS} rounds`);
      const contenders = [1, 2].flatMap((workers) => [
        serv6("http", SERV6_ENTRY, ["--workers", String(workers)], `serv6 x${workers}`),
        nginxOf(workers, sending),
      ]);
      const order: Order = {
        ...{ door: "http", path: `/${file}`, bodyLength: FILES[file], connections, depth: 1 },
        ...{ ratePerSecond: null, procs: 1, warmupSeconds: WARMUP_SECONDS, seconds: SECONDS },
      };
      const seen = contenders.map((): Seen[] => []);
      for (let round = 0; round < ROUNDS; round++) {
        for (const [nth, contender] of contenders.entries()) {
          seen[nth]!.push(await see(contender, folder.path, order));
        }
      }
      for (const [nth, { name }] of contenders.entries()) console.log(line(name, seen[nth]!));
    }
  } finally {
    folder.remove();
  }
}

interface Seen {
  readonly requests: number;
  readonly bytes: number;
  /** Processor time of each process, and its memory, the first one first. */
  readonly cpuSeconds: readonly number[];
  readonly pssBytes: readonly number[];
}

async function see(rival: Rival, root: string, order: Order): Promise<Seen> {
  const server = await rival.start(root);
  try {
    await Bun.sleep(300);
    const pids = server.pids();
    const before = pids.map((pid) => cpuSeconds([pid]));
    const sample = await takeSample(server, order);
    return {
      requests: sample.requestsPerSecond,
      bytes: sample.bodyBytesPerSecond,
      cpuSeconds: pids.map((pid, nth) => cpuSeconds([pid]) - before[nth]!),
      pssBytes: pids.map((pid) => userMemory([pid]).pssBytes),
    };
  } finally {
    await server.stop();
  }
}

function line(name: string, seen: readonly Seen[]): string {
  const requests = Math.round(median(seen.map((one) => one.requests)));
  const bytes = median(seen.map((one) => one.bytes));
  const last = seen.at(-1)!;
  const each = (values: readonly number[], digits: number): string =>
    values.map((value) => value.toFixed(digits)).join(" + ");
  return (
    `  ${name.padEnd(9)} ${requests.toLocaleString("en").padStart(9)} requests/s ` +
    `${(bytes / 1e9).toFixed(2).padStart(6)} GB/s; processor ${each(last.cpuSeconds, 2)} s, ` +
    `memory ${each(
      last.pssBytes.map((one) => one / MIB),
      1,
    )} MiB`
  );
}

/** Reloads, each as soon as the one before is done: replies that were cut or wrong. */
async function reloads(seconds: number): Promise<number> {
  const folder = temporaryFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, crypto.getRandomValues(new Uint8Array(1024)));
  const served = new Served(folder.path, 2);
  await served.port();
  let over = false;
  const loading = served.load(seconds, file).finally(() => (over = true));
  let asked = 0;
  while (!over) {
    served.reload();
    asked += 1;
    while (!over && served.count(/ reloaded in /) < asked) await Bun.sleep(5);
    await Bun.sleep(100);
  }
  const counts = await loading;
  const done = served.count(/ reloaded in /);
  console.log(`\n${done} reloads in ${seconds} s: ${JSON.stringify(counts)}`);
  await served.stop();
  folder.remove();
  return counts.cut + counts.wrong;
}

/** A random worker killed each second: replies, and downloads by cli6, that were wrong. */
async function kills(seconds: number): Promise<number> {
  const folder = temporaryFolder();
  const target = temporaryFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, crypto.getRandomValues(new Uint8Array(1024)));
  const large = Buffer.alloc(64 * MIB);
  for (let at = 0; at < large.length; at += 65_536) {
    crypto.getRandomValues(large.subarray(at, at + 65_536));
  }
  writeFileSync(join(folder.path, "large"), large);
  const served = new Served(folder.path, 2);
  const url = `s6://127.0.0.1:${await served.port()}/large`;
  let over = false;
  const loading = served.load(seconds, file).finally(() => (over = true));
  const gets = { whole: 0, failed: 0, wrong: 0 };
  const getting = (async (): Promise<void> => {
    while (!over) {
      const path = join(target.path, "large");
      const child = Bun.spawn(
        [process.execPath, join(SERV6_ENTRY, "../cli6.ts"), "get", url, "-o", path, "-q"],
        { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
      );
      if ((await child.exited) !== 0) gets.failed += 1;
      else if (large.equals(Buffer.from(await Bun.file(path).arrayBuffer()))) gets.whole += 1;
      else gets.wrong += 1;
      rmSync(path, { force: true });
    }
  })();
  let killed = 0;
  while (!over) {
    await Bun.sleep(1000);
    const { workers } = served;
    const worker = workers[Math.floor(Math.random() * workers.length)];
    if (worker === undefined) continue;
    try {
      process.kill(worker, "SIGKILL");
      killed += 1;
    } catch {
      // It has ended by itself.
    }
  }
  const counts = await loading;
  await getting;
  const again = served.count(/started again/);
  console.log(
    `\n${killed} workers killed in ${seconds} s, ${again} started again: ${JSON.stringify(counts)}` +
      `\n64 MiB by cli6 meanwhile: ${JSON.stringify(gets)}`,
  );
  await served.stop();
  for (const one of [folder, target]) one.remove();
  return counts.wrong + gets.wrong + gets.failed;
}

await run(main, "bench/workers.ts");
