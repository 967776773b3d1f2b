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
import { FILES, makeFiles } from "./files.ts";
import { HELP, type Options, parseFlags } from "./flags.ts";
import { DOORS } from "./load/door.ts";
import { verify } from "./load/fetch.ts";
import { enterNetwork } from "./network.ts";
import { machineFacts, machineLine } from "./proc.ts";
import { scenarioBlock, title } from "./report.ts";
import {
  type BenchResult,
  type NamedSample,
  RESULT_SCHEMA,
  type Sample,
  type ScenarioFacts,
  type ServerFacts,
} from "./result.ts";
import { RIVALS } from "./rivals/all.ts";
import type { Rival } from "./rivals/rival.ts";
import { takeSample } from "./sample.ts";
import { type Scenario, SCENARIOS } from "./scenario.ts";
import { serv6 } from "./server.ts";
import type { RunningServer } from "./spawn.ts";
import { shuffled } from "./stats.ts";
import { countSyscalls } from "./syscalls.ts";
import type { Folder } from "./temporary.ts";

/** Families of rivals in the quick run: the one to beat, and the bound. */
const QUICK_FAMILIES = ["nginx", "c"];

/** Thrown away at the begin of each sample, and once for each server and scenario. */
const WARMUP_SECONDS = 0.15;
const FIRST_WARMUP_SECONDS = 0.5;

interface Contender {
  readonly rival: Rival;
  readonly server: RunningServer;
}

/** What a run has found out so far. */
interface Findings {
  readonly servers: ServerFacts[];
  readonly scenarios: ScenarioFacts[];
  readonly samples: NamedSample[];
  readonly failures: string[];
}

async function main(): Promise<number> {
  const parsed = parseFlags(process.argv.slice(2));
  if ("error" in parsed) {
    console.error(`bench: ${parsed.error}\n\n${HELP}`);
    return 2;
  }
  const { options } = parsed;
  const scenarios = SCENARIOS.filter(({ name, run }) =>
    options.only.length === 0
      ? run === "quick" || options.mode === "full"
      : options.only.some((part) => name.includes(part)),
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
  const began = new Date().toISOString();
  const machine = machineFacts();
  console.log(`${machineLine(machine)}\nnetwork: ${network}`);
  const folder = makeFiles([...scenarios.map(({ file }) => file), "empty"]);
  const running = new Map<string, Contender>();
  const found: Findings = { servers: [], scenarios: [], samples: [], failures: [] };
  try {
    await startServers(options, scenarios, folder, running, found);
    for (const scenario of scenarios) {
      found.scenarios.push(factsOf(scenario, options));
      try {
        await measure(options, scenario, folder, running, found);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        found.failures.push(`${scenario.name}: ${reason}`);
        console.error(`\n${title(scenario)}\n  FAILED: ${reason}`);
      }
    }
  } finally {
    await Promise.allSettled([...running.values()].map(({ server }) => server.stop()));
    folder.remove();
  }
  const command = ["bun bench/run.ts", ...process.argv.slice(2)].join(" ");
  const { mode } = options;
  const result: BenchResult = {
    schema: RESULT_SCHEMA,
    began,
    mode,
    machine,
    network,
    command,
    ...found,
  };
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(result, null, 1)}\n`);
  return found.failures.length > 0 ? 1 : 0;
}

function factsOf(scenario: Scenario, { seconds }: Options): ScenarioFacts {
  const { name, series, axis, connections, depth, ratePerSecond, mustReach, file } = scenario;
  const common = { name, series, axis, connections, depth, ratePerSecond, mustReach, seconds };
  return { ...common, title: title(scenario), fileBytes: FILES[file] };
}

/** Starts ours at each door that is asked for, and every rival that a scenario names. */
async function startServers(
  options: Options,
  scenarios: readonly Scenario[],
  folder: Folder,
  running: Map<string, Contender>,
  found: Findings,
): Promise<void> {
  const named = new Set(scenarios.flatMap(({ rivals }) => rivals));
  const families = options.rivals ?? (options.mode === "quick" ? QUICK_FAMILIES : null);
  const wanted = RIVALS.filter(
    ({ name, family }) => named.has(name) && (families?.includes(family) ?? true),
  );
  for (const rival of [serv6("s6", options.entry, options.serv6Args), ...wanted]) {
    const { name, about } = rival;
    const skipped = rival.unavailable();
    console.log(`${name}: ${skipped === null ? about : `skipped: ${skipped}`}`);
    const version = /\d+(?:\.\d+)+/.exec(about)?.[0] ?? null;
    found.servers.push({ name, version, about, skipped });
    if (skipped !== null && rival.family === "serv6") throw new Error(skipped);
    if (skipped === null) {
      running.set(name, { rival, server: await rival.start(folder.path) });
    }
  }
}

/** One scenario: a check of the bytes and a warm-up for each server, then rounds of samples. */
async function measure(
  options: Options,
  scenario: Scenario,
  folder: Folder,
  running: ReadonlyMap<string, Contender>,
  found: Findings,
): Promise<void> {
  const path = `/${scenario.file}`;
  const { connections, depth, ratePerSecond } = scenario;
  const { procs, seconds } = options;
  const order = {
    path,
    bodyLength: FILES[scenario.file],
    connections,
    depth,
    ratePerSecond,
    procs,
  };
  const orderFor = ({ rival }: Contender, measured: number) => ({
    ...order,
    door: rival.family === "serv6" ? scenario.door : rival.door,
    warmupSeconds: WARMUP_SECONDS,
    seconds: measured,
  });
  const contenders: Contender[] = [];
  const syscalls = new Map<Contender, number | null>();
  for (const name of ["serv6", ...scenario.rivals]) {
    const contender = running.get(name);
    if (contender === undefined) continue;
    const { server } = contender;
    const trial = orderFor(contender, FIRST_WARMUP_SECONDS);
    try {
      verify(DOORS[trial.door], server.port, path, join(folder.path, scenario.file));
      await takeSample(server, trial);
      syscalls.set(contender, await countSyscalls(server, trial));
      contenders.push(contender);
    } catch (error) {
      if (name === "serv6") throw error;
      // A rival that can't do it is told of, and the others go on.
      const reason = error instanceof Error ? error.message : String(error);
      found.failures.push(`${scenario.name}, ${name}: ${reason}`);
      console.error(`  ${scenario.name}, ${name}: FAILED: ${reason}`);
    }
  }
  const results = new Map<string, Sample[]>(contenders.map(({ rival }) => [rival.name, []]));
  for (let round = 1; round <= options.samples; round++) {
    for (const contender of shuffled(contenders, Math.random)) {
      const taken = await takeSample(contender.server, orderFor(contender, seconds));
      const sample = { ...taken, syscallsPerRequest: syscalls.get(contender) ?? null };
      const { name } = contender.rival;
      results.get(name)!.push(sample);
      found.samples.push({ scenario: scenario.name, server: name, round, ...sample });
    }
  }
  console.log(`\n${scenarioBlock(scenario, results)}`);
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
