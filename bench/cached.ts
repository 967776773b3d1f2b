/**
 * `bun bench/cached.ts [ROUNDS]`: objects through a cache. Hits beside the same file of a disk, by
 * the same program; misses beside plain fetch of the object from its store; and how often the store
 * is asked when 100 clients want one cold object. Pairs are measured by turns, bytes are counted.
 * Where AWS_ENDPOINT_URL, S3_BUCKET and the keys name a real store, misses of its objects come
 * last: one object a round is put there, and removed in the end.
 *
 * Owns the order of things. Exit status: 0 done, 1 a reply was short, or the store was asked twice.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cpuSeconds, machineLine } from "./proc.ts";
import { table } from "./report.ts";
import { SERV6_ENTRY } from "./server.ts";
import { type RunningServer, startServer } from "./spawn.ts";
import { median, pairedRatio } from "./stats.ts";
import { temporaryFolder } from "./temporary.ts";

const MIB = 1024 ** 2;
const PROGRAM = [process.execPath, "--config=/dev/null", "--no-env-file"];
const CLIENTS = 100;
const QUIET = ["-p", "0", "--log", "off"];

/** Reads `url` to its end: bytes. */
async function read(url: string, range?: string): Promise<number> {
  const reply = await fetch(url, range === undefined ? {} : { headers: { range } });
  let count = 0;
  for await (const chunk of reply.body ?? []) count += chunk.length;
  return count;
}

/** What one turn took. */
interface Taken {
  readonly ms: number;
  /** Of the server, in ms; NaN where it is none of ours. */
  readonly cpuMs: number;
}

async function timed(
  urls: readonly string[],
  size: number,
  server?: RunningServer,
  range?: string,
): Promise<Taken> {
  const cpu = (): number => (server === undefined ? NaN : cpuSeconds(server.pids()));
  const before = cpu();
  const began = performance.now();
  for (const url of urls) {
    const got = await read(url, range);
    if (got !== size) throw new Error(`${url}: ${got} bytes, not ${size}`);
  }
  return { ms: performance.now() - began, cpuMs: 1000 * (cpu() - before) };
}

/** A row: both by turns, `rounds` times. */
async function pair(
  name: string,
  rounds: number,
  ours: (round: number) => Promise<Taken>,
  theirs: (round: number) => Promise<Taken>,
): Promise<string[]> {
  const a: Taken[] = [];
  const b: Taken[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0;
    if (first) a.push(await ours(round));
    b.push(await theirs(round));
    if (!first) a.push(await ours(round));
  }
  const ms = (all: Taken[]): number[] => all.map((taken) => taken.ms);
  const cpu = (all: Taken[]): number[] => all.map((taken) => taken.cpuMs);
  const { median: ratio, min, max } = pairedRatio(ms(a), ms(b));
  const spent = [median(cpu(a)), median(cpu(b))];
  return [
    name,
    ...[median(ms(a)), median(ms(b))].map((value) => value.toFixed(1)),
    `${ratio.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`,
    spent.some(Number.isNaN) ? "" : ((spent[0] ?? 0) / (spent[1] ?? 1)).toFixed(2),
  ];
}

/** A row of misses at the store that the environment names, beside its presigned addresses. */
async function realStore(rounds: number, folder: string): Promise<string[]> {
  const size = 32 * MIB;
  const { AWS_ENDPOINT_URL: endpoint = "", S3_BUCKET: bucket = "" } = process.env;
  const store = new Bun.S3Client({ endpoint, bucket });
  const keys = Array.from({ length: rounds }, (_, nth) => `bench-cached-${nth}`);
  const flags = ["--cache", join(folder, "real"), "--cache-size", "4G"];
  const server = await startServer([...PROGRAM, SERV6_ENTRY, `s3://${bucket}`, ...QUIET, ...flags]);
  try {
    for (const key of keys) await store.write(key, Buffer.alloc(size, key));
    const ours = (nth: number): Promise<Taken> =>
      timed([`http://127.0.0.1:${server.port}/${keys[nth]}`], size);
    const theirs = (nth: number): Promise<Taken> =>
      timed([store.presign(keys[nth] ?? "")], size, undefined, `bytes=0-${size - 1}`);
    return await pair("miss 32 MiB, of a real store: fetch", rounds, ours, theirs);
  } finally {
    await server.stop();
    for (const key of keys) await store.delete(key);
  }
}

async function main(): Promise<number> {
  const rounds = Number(process.argv[2] ?? 21);
  const folder = temporaryFolder();
  const sizes = [MIB, 100 * MIB];
  for (const size of sizes) writeFileSync(join(folder.path, `o${size}`), Buffer.alloc(size, 7));
  const origin = await startServer([...PROGRAM, join(import.meta.dir, "cached/origin.ts")]);
  const store = `http://127.0.0.1:${origin.port}`;
  const keys = ["env", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"];
  const cache = ["--cache", join(folder.path, "cache"), "--cache-size", "4G"];
  const cached = await startServer([
    ...keys,
    ...PROGRAM,
    SERV6_ENTRY,
    "s3://bucket",
    ...QUIET,
    "--s3-endpoint",
    store,
    ...cache,
  ]);
  const disk = await startServer([...PROGRAM, SERV6_ENTRY, folder.path, ...QUIET]);
  const at = (server: RunningServer, name: string): string =>
    `http://127.0.0.1:${server.port}/${name}`;
  const rows = [["", "cache ms", "beside ms", "ratio of times", "of processor"]];
  for (const size of sizes) {
    const times = size === MIB ? 50 : 1;
    const urls = (server: RunningServer): string[] => Array(times).fill(at(server, `o${size}`));
    await timed(urls(cached), size);
    const ours = (): Promise<Taken> => timed(urls(cached), size, cached);
    const theirs = (): Promise<Taken> => timed(urls(disk), size, disk);
    rows.push(await pair(`hit ${size / MIB} MiB x ${times}: disk`, rounds, ours, theirs));
  }
  const size = 32 * MIB;
  for (const rate of [0, 50, 200, 400]) {
    const key = rate === 0 ? "m" : `at${rate}-`;
    const ours = (nth: number): Promise<Taken> => timed([at(cached, `${key}${nth}-${size}`)], size);
    // By a range, as our server asks.
    const theirs = (nth: number): Promise<Taken> =>
      timed([`${store}/b/${key}${nth}-${size}`], size, undefined, `bytes=0-${size - 1}`);
    const line = rate === 0 ? "" : `, at ${rate} MB/s`;
    rows.push(await pair(`miss 32 MiB${line}: fetch`, rounds, ours, theirs));
  }
  const asked = async (): Promise<number> => Number(await (await fetch(`${store}/count`)).text());
  const before = await asked();
  const one = at(cached, `one-${8 * MIB}`);
  await Promise.all(Array.from({ length: CLIENTS }, () => timed([one], 8 * MIB)));
  const reads = (await asked()) - before;
  if (process.env["AWS_ENDPOINT_URL"] !== undefined)
    rows.push(await realStore(rounds, folder.path));
  console.log(machineLine());
  console.log(table(rows));
  console.log(`${CLIENTS} clients of one cold object: the store was asked ${reads} times`);
  for (const server of [cached, disk, origin]) await server.stop();
  folder.remove();
  return reads === 1 ? 0 : 1;
}

process.exitCode = await main();
