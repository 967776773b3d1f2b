/**
 * Owns how one scenario is measured: who is fit for it, then rounds of one sample each in random
 * order. Never decides what is measured or who is there. Invariant: a rival that fails is named and
 * the others go on; ours failing is an Error, since there is nothing to compare with.
 */
import { join } from "node:path";
import { reasonOf } from "./command.ts";
import { FILES } from "./files.ts";
import type { Options } from "./flags.ts";
import { DOORS } from "./load/door.ts";
import { verify } from "./load/fetch.ts";
import { scenarioBlock } from "./report.ts";
import type { NamedSample, Sample, ScenarioFacts, ServerFacts } from "./result.ts";
import type { Rival } from "./rivals/rival.ts";
import { type Order, takeSample } from "./sample.ts";
import type { Scenario } from "./scenario.ts";
import { BEFORE } from "./server.ts";
import type { RunningServer } from "./spawn.ts";
import { shuffled } from "./stats.ts";
import { countSyscalls } from "./syscalls.ts";
import type { Folder } from "./temporary.ts";

/** Thrown away at the begin of each sample, and once for each server and scenario. */
const WARMUP_SECONDS = 0.15;
/** For an open loop, whose percentiles would show the load's own code being compiled. */
const OPEN_WARMUP_SECONDS = 0.4;
const FIRST_WARMUP_SECONDS = 0.5;

/** A server that runs. */
export interface Contender {
  readonly rival: Rival;
  readonly server: RunningServer;
}

/** What a run has found out so far. */
export interface Findings {
  readonly servers: ServerFacts[];
  readonly scenarios: ScenarioFacts[];
  readonly samples: NamedSample[];
  readonly failures: string[];
}

/** Someone who passed the check for a scenario. */
interface Fit extends Contender {
  readonly order: Order;
  readonly syscallsPerRequest: number | null;
}

/** Measures `scenario` on those of `running` that it names, into `found`; prints its table. */
export async function measure(
  options: Options,
  scenario: Scenario,
  folder: Folder,
  running: ReadonlyMap<string, Contender>,
  found: Findings,
): Promise<void> {
  const fit = new Map<string, Fit>();
  const drop = (name: string, error: unknown): void => {
    if (name === "serv6") throw error;
    fit.delete(name);
    found.failures.push(`${scenario.name}, ${name}: ${reasonOf(error)}`);
    console.error(`  ${scenario.name}, ${name}: FAILED: ${reasonOf(error)}`);
  };
  for (const name of ["serv6", BEFORE, ...scenario.rivals]) {
    const contender = running.get(name);
    try {
      if (contender) fit.set(name, await prepare(contender, scenario, options, folder));
    } catch (error) {
      drop(name, error);
    }
  }
  const results = new Map<string, Sample[]>([...fit.keys()].map((name) => [name, []]));
  for (let round = 1; round <= options.samples; round++) {
    for (const [name, { server, order, syscallsPerRequest }] of shuffled([...fit], Math.random)) {
      try {
        const sample = { ...(await takeSample(server, order)), syscallsPerRequest };
        results.get(name)!.push(sample);
        found.samples.push({ scenario: scenario.name, server: name, round, ...sample });
      } catch (error) {
        drop(name, error);
      }
    }
  }
  // A ratio needs every round of both; who was dropped stays in the result, but not in the table.
  for (const name of results.keys()) if (!fit.has(name)) results.delete(name);
  console.log(`\n${scenarioBlock(scenario, results)}`);
}

// --- internal ---

/** The check of its bytes, a warm-up that nobody sees, and the count of its system calls. */
async function prepare(
  contender: Contender,
  scenario: Scenario,
  { procs, seconds }: Options,
  folder: Folder,
): Promise<Fit> {
  const { rival, server } = contender;
  const { connections, depth, ratePerSecond, file } = scenario;
  const asAsked = rival.family === "serv6" || DOORS[scenario.door].tls !== undefined;
  const door = asAsked ? scenario.door : rival.door;
  const path = `/${file}`;
  const order: Order = {
    ...{ door, path, bodyLength: FILES[file], connections, depth, ratePerSecond, procs, seconds },
    warmupSeconds: ratePerSecond === null ? WARMUP_SECONDS : OPEN_WARMUP_SECONDS,
  };
  verify(DOORS[door], server.port, path, join(folder.path, file));
  const trial = { ...order, seconds: FIRST_WARMUP_SECONDS };
  await takeSample(server, trial);
  return { ...contender, order, syscallsPerRequest: await countSyscalls(server, trial) };
}
