/**
 * `bun run bench`: our server against its rivals, side by side. `--help` names the flags.
 *
 * For each scenario (scenario.ts) every server is checked first: two whole replies on a connection
 * must be the bytes on the disk. One round is thrown away as warm-up. Then come rounds of one short
 * sample for each server, in random order, so that what the machine does besides hits all alike; a
 * ratio compares samples of one round. Servers and load are processes of their own; all rivals get
 * the same load generator (load/), connections and depth, each by its own door.
 *
 * Read the columns "server" and "load" (share of one core) before the ratio: a sample measures the
 * server only where the server is the busy side. "us/req" is the server's CPU time per request.
 *
 * Owns the order of things. Never measures and never formats. Exit status: 0 done, 1 a server or a
 * sample failed, 2 usage.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { csendfile } from "./csendfile.ts";
import { FILES, makeFiles } from "./files.ts";
import { HELP, type Options, parseFlags } from "./flags.ts";
import { DOORS } from "./load/door.ts";
import { verify } from "./load/fetch.ts";
import { enterNetwork } from "./network.ts";
import { nginx, nginxRead } from "./nginx.ts";
import { machineLine } from "./proc.ts";
import { scenarioBlock, title } from "./report.ts";
import type { Rival } from "./rival.ts";
import { type Sample, takeSample } from "./sample.ts";
import { type Scenario, SCENARIOS } from "./scenario.ts";
import { serv6 } from "./server.ts";
import type { RunningServer } from "./spawn.ts";
import { shuffled } from "./stats.ts";
import type { Folder } from "./temporary.ts";

export const RIVALS: readonly Rival[] = [nginx, nginxRead, csendfile];

/** Thrown away at the begin of each sample, and once for each server and scenario. */
const WARMUP_SECONDS = 0.15;
const FIRST_WARMUP_SECONDS = 0.5;

interface Contender {
  readonly rival: Rival;
  readonly server: RunningServer;
}

/** A sample as `--json` writes it. */
interface NamedSample extends Sample {
  readonly scenario: string;
  readonly server: string;
  readonly round: number;
}

async function main(): Promise<number> {
  const parsed = parseFlags(process.argv.slice(2));
  if ("error" in parsed) {
    console.error(`bench: ${parsed.error}\n\n${HELP}`);
    return 2;
  }
  const { options } = parsed;
  const scenarios = SCENARIOS.filter(
    ({ name }) => options.only.length === 0 || options.only.some((part) => name.includes(part)),
  );
  if (options.help) console.log(HELP);
  else if (options.list) for (const scenario of scenarios) console.log(title(scenario));
  else if (scenarios.length === 0) {
    console.error(`bench: no scenario is called ${options.only.join(" or ")}; --list names them`);
    return 2;
  } else return measureAll(options, scenarios, await enterNetwork(options.network));
  return 0;
}

async function measureAll(
  options: Options,
  scenarios: readonly Scenario[],
  network: string,
): Promise<number> {
  const machine = machineLine();
  console.log(`${machine}\nnetwork: ${network}`);
  const folder = makeFiles(scenarios.map(({ file }) => file));
  const servers = new Map<string, Contender>();
  const all: NamedSample[] = [];
  let failures = 0;
  try {
    await startRivals(options, scenarios, folder, servers);
    for (const scenario of scenarios) {
      try {
        all.push(...(await measure(options, scenario, folder, servers)));
      } catch (error) {
        failures++;
        const reason = error instanceof Error ? error.message : String(error);
        console.error(`\n${title(scenario)}\n  FAILED: ${reason}`);
      }
    }
  } finally {
    await Promise.allSettled([...servers.values()].map(({ server }) => server.stop()));
    folder.remove();
  }
  const written = { machine, network, flags: process.argv.slice(2), samples: all };
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(written, null, 1)}\n`);
  return failures > 0 ? 1 : 0;
}

/** Starts ours and every rival that a scenario names, and says what each is. */
async function startRivals(
  options: Options,
  scenarios: readonly Scenario[],
  folder: Folder,
  servers: Map<string, Contender>,
): Promise<void> {
  const named = new Set(scenarios.flatMap(({ rivals }) => rivals));
  const wanted = RIVALS.filter(
    ({ name, family }) => named.has(name) && (options.rivals?.includes(family) ?? true),
  );
  for (const rival of [serv6("s6", options.entry, options.serv6Args), ...wanted]) {
    const reason = rival.unavailable();
    console.log(`${rival.name}: ${reason === null ? rival.about : `skipped: ${reason}`}`);
    if (reason === null) {
      servers.set(rival.name, { rival, server: await rival.start(folder.path) });
    } else if (rival.family === "serv6") {
      throw new Error(reason);
    }
  }
}

async function measure(
  options: Options,
  scenario: Scenario,
  folder: Folder,
  servers: ReadonlyMap<string, Contender>,
): Promise<NamedSample[]> {
  const names = ["serv6", ...scenario.rivals].filter((name) => servers.has(name));
  const contenders = names.map((name) => ({ name, ...servers.get(name)! }));
  const path = `/${scenario.file}`;
  const { connections, depth } = scenario;
  const { procs, seconds } = options;
  const order = { path, bodyLength: FILES[scenario.file], connections, depth, procs };
  const warmupSeconds = WARMUP_SECONDS;
  const take = (contender: (typeof contenders)[number], measured: number): Promise<Sample> => {
    const door = contender.name === "serv6" ? scenario.door : contender.rival.door;
    return takeSample(contender.server, { ...order, door, warmupSeconds, seconds: measured });
  };
  for (const contender of contenders) {
    const door = contender.name === "serv6" ? scenario.door : contender.rival.door;
    try {
      verify(DOORS[door], contender.server.port, path, join(folder.path, scenario.file));
      await take(contender, FIRST_WARMUP_SECONDS);
    } catch (error) {
      throw new Error(`${contender.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const samples = new Map<string, Sample[]>(names.map((name) => [name, []]));
  const all: NamedSample[] = [];
  for (let round = 1; round <= options.samples; round++) {
    for (const contender of shuffled(contenders, Math.random)) {
      const sample = await take(contender, seconds);
      samples.get(contender.name)!.push(sample);
      all.push({ scenario: scenario.name, server: contender.name, round, ...sample });
    }
  }
  console.log(`\n${scenarioBlock(scenario, samples)}`);
  return all;
}

for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  process.on(signal, () => process.exit(status));
}
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
