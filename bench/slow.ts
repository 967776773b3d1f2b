/**
 * `bun bench/slow.ts`: slowhttptest against our server, with honest clients beside it: a PING every
 * 4 ms on one connection, and newcomers by HTTP every 20 ms, whose bytes are compared. Attackers
 * come from 127.0.0.1, honest clients from 127.0.0.2; the server has 2,048 descriptors, so that the
 * attackers want more than the share of one address. Then its own probe, which comes from the same
 * address, may find no room: "it sees the server" is its view. The first row is the server
 * without an attack.
 *
 * Owns the order of things. Invariant: each attack meets a server that was just started. Exit
 * status: 0 honest clients were served, or slowhttptest is not installed; 1 not all were; 2 usage.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PingingProcess, type PingSummary } from "../test/abuse/pinging.ts";
import { parsed, refuse, run, settle } from "./command.ts";
import { makeRoom } from "./descriptors.ts";
import { makeFiles } from "./files.ts";
import { cpuSeconds, peakRssBytes } from "./proc.ts";
import { table } from "./report.ts";
import { versionFrom } from "./rivals/rival.ts";
import { SERV6_ENTRY } from "./server.ts";
import {
  outcomeOf,
  rampSeconds,
  SLOW_ATTACKS,
  type SlowAttack,
  slowCommand,
  type SlowOutcome,
} from "./slow/slowhttptest.ts";
import { type Visits, visit } from "./slow/visitor.ts";
import { startServer } from "./spawn.ts";
import { NETWORKS, oneOf, whole } from "./value.ts";

const NAME = "bench/slow.ts";
const HELP = `bun bench/slow.ts [flags]    slowhttptest, and what honest clients see beside it
  --entry FILE            our server's entry file (src/serv6.ts)
  --before FILE           the same of another checkout, attacked as well
  --connections N         of the attacker (1500)
  --seconds N             of each attack, from when its connections are made (10)
  --network private|host  a network namespace of its own where allowed (private)
  --help                  this text`;

/** Of the server: 1,472 connections, 1,104 of them for one address. */
const DESCRIPTORS = 2048;
const HONEST = "127.0.0.2";
const MIB = 1024 ** 2;

interface Row {
  readonly name: string;
  /** Null where nobody attacked. */
  readonly attacker: SlowOutcome | null;
  readonly pings: PingSummary;
  readonly visits: Visits;
  readonly cpuShare: number;
  readonly peakRssBytes: number;
}

async function main(): Promise<number> {
  const flags = parsed(parse);
  if ("error" in flags) return refuse(flags.error, HELP, NAME);
  const { help, entries, connections, seconds, network } = flags.options;
  if (help) {
    console.log(HELP);
    return 0;
  }
  const missing = Bun.which("slowhttptest") === null ? "slowhttptest is not installed" : null;
  if (missing !== null) {
    console.log(`skipped: ${missing}; make bench-rivals installs it`);
    return 0;
  }
  await settle(network);
  const tooMany = makeRoom(connections);
  if (tooMany !== null) throw new Error(tooMany);
  console.log(`slowhttptest ${versionFrom(["slowhttptest", "-h"])}, ${connections} connections`);
  const folder = makeFiles(["1k", "16k", "1m"]);
  const rows: Row[] = [];
  try {
    for (const entry of entries) {
      for (const attack of [null, ...SLOW_ATTACKS]) {
        const row = await measure(entry, folder.path, attack, connections, seconds);
        rows.push(entries.length === 1 ? row : { ...row, name: `${row.name}, ${entry}` });
      }
    }
  } finally {
    folder.remove();
  }
  console.log(`\n${slowTable(rows)}`);
  const wrong = rows.flatMap(({ name, visits, pings }) =>
    [pings.pingsWrong, visits.why].flatMap((why) => (why === null ? [] : [`${name}: ${why}`])),
  );
  for (const line of wrong) console.error(`${NAME}: ${line}`);
  return wrong.length === 0 ? 0 : 1;
}

async function measure(
  entry: string,
  root: string,
  attack: SlowAttack | null,
  connections: number,
  seconds: number,
): Promise<Row> {
  const server = await startServer([
    ...["sh", "-c", `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`],
    ...[process.execPath, "--config=/dev/null", "--no-env-file", entry],
    ...[root, "-p", "0", "-b", "127.0.0.1", "--log", "off"],
  ]);
  const { port } = server;
  const pids = server.pids();
  const pinger = new PingingProcess(port, HONEST);
  const attacker = attack === null ? null : slowCommand(attack, port, connections, seconds);
  let child: Bun.Subprocess<"ignore", "pipe", "inherit"> | null = null;
  try {
    await pinger.ready;
    if (attacker !== null) {
      child = Bun.spawn(attacker, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
      await Bun.sleep(rampSeconds(connections) * 1000);
    }
    const said = child?.stdout.text();
    const before = cpuSeconds(pids);
    pinger.start();
    const visits = await visit(port, HONEST, "/1k", readFileSync(join(root, "1k")), seconds);
    const cpuShare = (cpuSeconds(pids) - before) / seconds;
    const pings = await pinger.stop();
    const text = await said;
    const name = attack?.name ?? "no attack";
    const outcome = text === undefined ? null : outcomeOf(text);
    return { name, attacker: outcome, pings, visits, cpuShare, peakRssBytes: peakRssBytes(pids) };
  } finally {
    child?.kill("SIGKILL");
    pinger.end();
    await server.stop();
  }
}

function slowTable(rows: readonly Row[]): string {
  const head = ["", "held", "closed", "it sees the server", "PING p50 ms", "p99", "max", "lost"];
  const more = ["GET p50 ms", "p99", "max", "failed", "server", "RSS MiB"];
  const cells = rows.map(({ name, attacker, pings, visits, cpuShare, peakRssBytes: peak }) => {
    const ms = (fraction: number): string => digits(visits.served.quantile(fraction) / 1e6);
    return [
      ...[name, String(attacker?.connected ?? ""), String(attacker?.closed ?? "")],
      attacker?.available ?? "",
      ...[digits(pings.pingP50), digits(pings.pingP99), digits(pings.pingMax)],
      String(pings.pingsLost),
      ...[ms(0.5), ms(0.99), ms(1), String(visits.failed)],
      `${Math.round(cpuShare * 100)} %`,
      String(Math.round(peak / MIB)),
    ];
  });
  return table([[...head, ...more], ...cells]);
}

function digits(ms: number): string {
  return ms >= 100 ? Math.round(ms).toLocaleString("en-US") : ms.toFixed(2);
}

function parse() {
  const { values } = parseArgs({
    options: {
      entry: { type: "string", default: SERV6_ENTRY },
      before: { type: "string" },
      connections: { type: "string", default: "1500" },
      seconds: { type: "string", default: "10" },
      network: { type: "string", default: "private" },
      help: { type: "boolean", default: false },
    },
    strict: true,
    allowPositionals: false,
  });
  const { entry, before, help } = values;
  return {
    help,
    entries: before === undefined ? [entry] : [entry, before],
    // slowhttptest has room for that many; the rest of the range is the server's.
    connections: whole("--connections", values.connections, 1, 20_000),
    seconds: whole("--seconds", values.seconds, 1, 3600),
    network: oneOf("--network", values.network, NETWORKS),
  };
}

await run(main, NAME);
