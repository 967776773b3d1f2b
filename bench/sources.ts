/**
 * `bun bench/sources.ts [--rounds N] [--mib N] [--rate SIZE] [--entry FILE]`: one file from several
 * servers of a bounded rate each, by `cli6 get`. After each download every byte is compared, before
 * its time counts; where one of the servers lies it must have been named, and nobody else.
 *
 * Rates are of the whole process, its start and the sync included, and of the time in which bytes
 * came. Owns the order of things. Exit status: 0 done, 1 something was wrong, 2 usage.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parsed, refuse, run, settle } from "./command.ts";
import { type Corpus, checkBytes, makeFile } from "./download/corpus.ts";
import { SERV6_ENTRY, serv6 } from "./server.ts";
import { type RunningServer, startServer } from "./spawn.ts";
import { median } from "./stats.ts";
import { type Folder, temporaryFolder } from "./temporary.ts";

const USAGE = "bun bench/sources.ts [--rounds N] [--mib N] [--rate SIZE] [--entry FILE]";
const CLI6_ENTRY = join(import.meta.dir, "..", "src", "cli6.ts");
const OPTIONS = {
  rounds: { type: "string", default: "7" },
  mib: { type: "string", default: "1024" },
  rate: { type: "string", default: "100MB" },
  entry: { type: "string", default: CLI6_ENTRY },
} as const;

/** One way to bring the file. */
interface Row {
  readonly title: string;
  readonly scheme: "s6" | "http";
  /** Ports of the servers, in the order of naming. */
  readonly ports: readonly number[];
  /** The one that must be named as a liar. */
  readonly liar: number | null;
}

/** Megabytes a second. */
interface Rates {
  readonly whole: number;
  readonly arriving: number;
}

async function main(): Promise<number> {
  const flags = parsed(() => parseArgs({ options: OPTIONS }).values);
  if ("error" in flags) return refuse(flags.error, USAGE);
  const values = flags.options;
  const [rounds, mib] = [Number(values.rounds), Number(values.mib)];
  if (!(rounds >= 1 && mib >= 1)) return refuse("a count is a number from 1 on", USAGE);
  await settle("private");
  const folder = temporaryFolder();
  const servers: RunningServer[] = [];
  try {
    const corpus = makeFile(folder.path, "file", mib);
    const rows = await rowsOf(folder, values.rate, servers);
    console.log(`${mib} MiB, each server bounded by --rate ${values.rate}, ${rounds} rounds`);
    for (const row of rows) {
      const rates: Rates[] = [];
      for (let round = 0; round < rounds; round++) {
        rates.push(await bring(row, corpus, folder, values.entry));
      }
      console.log(
        `${row.title.padEnd(42)} ${text(rates, "whole")}, arriving ${text(rates, "arriving")}`,
      );
    }
    return 0;
  } finally {
    await Promise.allSettled(servers.map((server) => server.stop()));
    folder.remove();
  }
}

/** Starts what the rows need. */
async function rowsOf(folder: Folder, rate: string, servers: RunningServer[]): Promise<Row[]> {
  const start = async (): Promise<number> => {
    const server = await serv6("s6", SERV6_ENTRY, ["--rate", rate]).start(folder.path);
    servers.push(server);
    return server.port;
  };
  const [a, b, c] = [await start(), await start(), await start()];
  const tamper = join(import.meta.dir, "sources", "tamper.ts");
  const liar = await startServer([process.execPath, "--config=/dev/null", tamper, String(c)]);
  servers.push(liar);
  const row = (title: string, ports: readonly number[], scheme: Row["scheme"] = "s6"): Row => ({
    ...{ title, scheme, ports },
    liar: ports.includes(liar.port) ? liar.port : null,
  });
  return [
    row("one server", [a]),
    row("two servers", [a, b]),
    row("three, the last one tampers with bodies", [a, b, liar.port]),
    row("three, the first one tampers with bodies", [liar.port, a, b]),
    row("one server, by HTTP", [a], "http"),
    row("two servers, by HTTP", [a, b], "http"),
  ];
}

/** Brings the file once. Throws unless it is right and the liar, and nobody else, was named. */
async function bring(row: Row, corpus: Corpus, folder: Folder, entry: string): Promise<Rates> {
  const to = join(folder.path, "to");
  rmSync(to, { recursive: true, force: true });
  const urls = row.ports.map((port) => `${row.scheme}://127.0.0.1:${port}/${corpus.name}`);
  const program = [process.execPath, "--config=/dev/null", "--no-env-file", entry];
  const began = performance.now();
  const child = Bun.spawn([...program, "get", "--progress", "json", "-P", to, ...urls], {
    ...{ stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  });
  const words = await new Response(child.stderr).text();
  const status = await child.exited;
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`${row.title}: status ${status}: ${words.trim().slice(-500)}`);
  checkBytes(corpus, join(folder.path, corpus.name), join(to, corpus.name));
  const events = words
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
  const named = events.filter(({ message }) => message?.includes(" is left out: ") === true);
  const due = row.liar === null ? [] : [`s6://127.0.0.1:${row.liar}/`];
  const right =
    named.length === due.length &&
    named.every(({ message = "" }, nth) => message.startsWith(due[nth] ?? "-"));
  if (!right) throw new Error(`${row.title}: named were ${JSON.stringify(named)}`);
  const { bytes } = corpus;
  const end = events.find(({ event }) => event === "end");
  return { whole: bytes / 1e6 / seconds, arriving: bytes / 1e3 / (end?.elapsedMs ?? NaN) };
}

/** A line of `--progress json`, as far as it is looked at. */
interface Event {
  readonly event: string;
  readonly message?: string;
  readonly elapsedMs?: number;
}

function text(rates: readonly Rates[], key: keyof Rates): string {
  const all = rates.map((one) => one[key]);
  const range = `${Math.min(...all).toFixed(1)}-${Math.max(...all).toFixed(1)}`;
  return `${median(all).toFixed(1)} MB/s (${range})`;
}

await run(main);
