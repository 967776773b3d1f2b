/**
 * `bun bench/abuse.ts`: what honest clients see beside each attack of test/abuse, on our server and
 * on the one before (`--entry-before`), in turns: the round trip of PING every 4 ms, a get of 3 MB
 * whose bytes are compared, a list of a small folder, and what is left when the attacker has gone.
 * Server, attacker, pinger and commands are processes of their own, pinned to nothing without
 * `--apart`.
 *
 * Owns the order of things. Invariant: each attack meets a server that was just started; a byte
 * that differs is an Error.
 */
import { writeFileSync } from "node:fs";
import { ATTACKS } from "../test/abuse/attacks/all.ts";
import type { Attack } from "../test/abuse/attack.ts";
import {
  Besieged,
  type Observation,
  type Placement,
  type Times,
  TOGETHER,
} from "../test/abuse/beside.ts";
import { makeServed } from "../test/abuse/served.ts";
import { ABUSE_HELP, type AbuseOptions, parseAbuseFlags } from "./abuse/flags.ts";
import { type AbuseRow, abuseTable, commandCell, leftCell, pingCell } from "./abuse/report.ts";
import { parsed, refuse, run, settle } from "./command.ts";
import { temporaryFolder } from "./temporary.ts";

/** As when it was found: a page of these costs 40 ms. */
const WIDE_NAMES = 120_000;

/**
 * What the attacker takes of the machine is no fault of the server, and from another machine it
 * would take nothing: the pinger is woken before whatever runs on its core (chrt(1), SCHED_FIFO).
 * The server has to do with nice(1), since the kernel halts a SCHED_FIFO that fills its core for
 * 50 ms a second (sched(7)).
 */
const APART: Placement = {
  server: ["nice", "-n", "-20", "taskset", "-c", "0"],
  others: ["nice", "-n", "-20", "taskset", "-c", "1"],
  pinger: ["taskset", "-c", "1", "chrt", "-f", "1"],
};

const NAME = "bench/abuse.ts";

async function main(): Promise<number> {
  const flags = parsed(() => parseAbuseFlags(process.argv.slice(2)));
  if ("error" in flags) return refuse(flags.error, ABUSE_HELP, NAME);
  const { options } = flags;
  const { only, help, list } = options;
  const asked = (name: string): boolean => only.some((part) => name.includes(part));
  const attacks = ATTACKS.filter(({ name }) => only.length === 0 || asked(name));
  if (help) console.log(ABUSE_HELP);
  else if (list) attacks.forEach(({ name, does }) => console.log(`${name.padEnd(20)} ${does}`));
  else await attackAll(attacks, options);
  return 0;
}

async function attackAll(attacks: readonly Attack[], options: AbuseOptions): Promise<void> {
  const { machine } = await settle(options.network);
  const folder = temporaryFolder();
  try {
    makeServed(folder.path, WIDE_NAMES);
    const rows = await measureAll(attacks, options, folder.path);
    console.log(`\n${abuseTable(rows)}`);
    if (options.json !== null) {
      const facts = { machine, seconds: options.seconds, rows };
      writeFileSync(options.json, `${JSON.stringify(facts, null, 2)}\n`);
    }
  } finally {
    folder.remove();
  }
}

async function measureAll(
  attacks: readonly Attack[],
  options: AbuseOptions,
  root: string,
): Promise<AbuseRow[]> {
  const { entry, entryBefore, machine: alone } = options;
  const rows: AbuseRow[] = [];
  for (const attack of attacks) {
    console.log(`\n${attack.name}: ${attack.does}`);
    const measured = (side: string, from: string): Promise<Observation> =>
      measure(side, attack, from, root, options);
    let before: Observation | null = null;
    // Each side is first as often as second.
    const first = rows.length % 2 === 0;
    if (entryBefore !== null && first) before = await measured("before", entryBefore);
    const now = await measured("now", entry);
    if (entryBefore !== null && !first) before = await measured("before", entryBefore);
    const machine = alone ? await measureMachine(attack, entry, root, options) : null;
    rows.push({ attack: attack.name, does: attack.does, machine, before, now });
  }
  return rows;
}

async function measure(
  side: string,
  attack: Attack,
  entry: string,
  root: string,
  options: AbuseOptions,
): Promise<Observation> {
  await using besieged = await Besieged.start(entry, root, placementOf(options));
  const seen = await besieged.beside(attack, timesOf(options));
  tell(side, seen);
  for (const { status, wrong } of [seen.get, seen.ls]) {
    if (status === 0 && wrong !== "") throw new Error(`${attack.name}, ${side}: ${wrong}`);
  }
  return seen;
}

/** What honest clients of a server at rest see while another one is attacked. */
async function measureMachine(
  attack: Attack,
  entry: string,
  root: string,
  options: AbuseOptions,
): Promise<Observation> {
  await using target = await Besieged.start(entry, root, placementOf(options));
  await using atRest = await Besieged.start(entry, root, placementOf(options));
  const seen = await atRest.beside(attack, timesOf(options), target);
  tell("machine", seen);
  return seen;
}

function placementOf({ apart }: AbuseOptions): Placement {
  return apart ? APART : TOGETHER;
}

function timesOf({ seconds, patienceSeconds }: AbuseOptions): Times {
  return { attackMs: seconds * 1000, commandMsMax: patienceSeconds * 1000 };
}

function tell(side: string, seen: Observation): void {
  const cells = [`PING ${pingCell(seen)} ms`, `get ${commandCell(seen.get)}`];
  cells.push(`ls ${commandCell(seen.ls)}`, `left: ${leftCell(seen)}`);
  console.log(`  ${side.padEnd(7)} ${cells.join("; ")}`);
}

await run(main, NAME);
