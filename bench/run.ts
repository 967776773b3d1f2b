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
 * In an open loop the load's core is always busy; the table says instead when it sent too late.
 *
 * Owns the order of things. Never measures and never formats. Exit status: 0 done, 1 a server or a
 * sample failed, 2 usage.
 */
import { writeFileSync } from "node:fs";
import { reasonOf, refuse, run, settle } from "./command.ts";
import { makeRoom } from "./descriptors.ts";
import { FILES, makeFiles } from "./files.ts";
import { HELP, type Options, parseFlags } from "./flags.ts";
import { DOORS } from "./load/door.ts";
import { tlsMissing } from "./load/tls.ts";
import { type Contender, type Findings, measure } from "./measure.ts";
import { title } from "./report.ts";
import { type BenchResult, checkResult, RESULT_SCHEMA, type ScenarioFacts } from "./result.ts";
import { RIVALS } from "./rivals/all.ts";
import { introduction } from "./rivals/rival.ts";
import { type Scenario, SCENARIOS } from "./scenario.ts";
import { BEFORE, serv6 } from "./server.ts";
import type { Folder } from "./temporary.ts";

/** Families of rivals in the quick run: the one to beat, and the bound. */
const QUICK_FAMILIES = ["nginx", "c"];

/** Servers for what is asked as it is, and others for what is asked by TLS, each by its name. */
type Way = "plain" | "secure";
type Running = Readonly<Record<Way, Map<string, Contender>>>;

function wayOf({ door }: Scenario): Way {
  return DOORS[door].tls === undefined ? "plain" : "secure";
}

async function main(): Promise<number> {
  const parsed = parseFlags(process.argv.slice(2));
  if ("error" in parsed) return refuse(parsed.error, HELP);
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
  } else return measureAll(options, scenarios);
  return 0;
}

/** Why a scenario's TLS can't be spoken here, or null. */
function noTls(scenario: Scenario): string | null {
  return wayOf(scenario) === "secure" ? tlsMissing() : null;
}

async function measureAll(options: Options, scenarios: readonly Scenario[]): Promise<number> {
  const { machine, network } = await settle(options.network);
  const began = new Date().toISOString();
  const folder = makeFiles([...scenarios.map(({ file }) => file), "empty"]);
  const running: Running = { plain: new Map(), secure: new Map() };
  const found: Findings = { servers: [], scenarios: [], samples: [], failures: [] };
  try {
    // First, since servers keep the limit they were started with.
    const cannot = new Map(scenarios.map((one) => [one, makeRoom(one.connections) ?? noTls(one)]));
    const possible = scenarios.filter((one) => cannot.get(one) === null);
    for (const way of ["plain", "secure"] as const) {
      const those = possible.filter((one) => wayOf(one) === way);
      if (those.length > 0) await startServers(options, those, folder, way, running, found);
    }
    for (const scenario of scenarios) {
      const skipped = cannot.get(scenario) ?? null;
      found.scenarios.push({ ...factsOf(scenario, options), ...(skipped !== null && { skipped }) });
      if (skipped !== null) {
        console.log(`\n${title(scenario)}\n  skipped: ${skipped}`);
        continue;
      }
      try {
        await measure(options, scenario, folder, running[wayOf(scenario)], found);
      } catch (error) {
        const reason = reasonOf(error);
        found.failures.push(`${scenario.name}: ${reason}`);
        console.error(`\n${title(scenario)}\n  FAILED: ${reason}`);
      }
    }
  } finally {
    const all = [...running.plain.values(), ...running.secure.values()];
    await Promise.allSettled(all.map(({ server }) => server.stop()));
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
  if (options.json !== null) write(options.json, result);
  return found.failures.length > 0 ? 1 : 0;
}

/** Writes it even when it is wrong, which is a mistake of ours, and then throws. */
function write(file: string, result: BenchResult): void {
  const json = JSON.stringify(result, null, 1);
  writeFileSync(file, `${json}\n`);
  const wrong = checkResult(JSON.parse(json));
  if (wrong.length > 0) throw new Error(`${file} is no result: ${wrong.slice(0, 5).join("; ")}`);
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
  way: Way,
  running: Running,
  found: Findings,
): Promise<void> {
  const named = new Set(scenarios.flatMap(({ rivals }) => rivals));
  const families = options.rivals ?? (options.mode === "quick" ? QUICK_FAMILIES : null);
  const wanted = RIVALS.filter(
    ({ name, family }) => named.has(name) && (families?.includes(family) ?? true),
  );
  const { entry, before, serv6Args } = options;
  const door = way === "secure" ? "https" : "s6";
  const ours = [serv6(door, entry, serv6Args)];
  if (before !== null) ours.push(serv6(door, before, serv6Args, BEFORE));
  for (const rival of [...ours, ...wanted]) {
    const { name } = rival;
    let skipped = rival.unavailable();
    try {
      if (skipped === null) {
        running[way].set(name, { rival, server: await rival.start(folder.path) });
      }
    } catch (error) {
      skipped = reasonOf(error);
    }
    console.log(introduction(rival, skipped));
    // One from before may know no TLS.
    const needed = rival.family === "serv6" && (way === "plain" || name !== BEFORE);
    if (skipped !== null && needed) throw new Error(skipped);
    if (found.servers.some((one) => one.name === name)) continue;
    const [version, about] = [rival.version(), introduction(rival, null)];
    found.servers.push({ name, version, about, skipped });
  }
}

await run(main);
