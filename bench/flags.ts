/**
 * Owns the command line of `bun run bench`. Pure: it never prints and never exits.
 * Invariant: an option that is not known, or a value out of its range, is an error in words.
 */
import { parseArgs } from "node:util";
import { type Parsed, parsed } from "./command.ts";
import { RIVALS } from "./rivals/all.ts";
import { SERV6_ENTRY } from "./server.ts";
import { NETWORKS, number, oneOf, whole, words } from "./value.ts";

export interface Options {
  /** Parts of scenario names; none means all. */
  readonly only: readonly string[];
  readonly seconds: number;
  readonly samples: number;
  /** Processes that make the load. */
  readonly procs: number;
  /** Families of rivals; null means all. */
  readonly rivals: readonly string[] | null;
  readonly serv6Args: readonly string[];
  readonly entry: string;
  /** The entry file of another commit of ours, measured beside it; null for none. */
  readonly before: string | null;
  readonly network: "private" | "host";
  readonly json: string | null;
  /** Which scenarios, unless `only` names some, and what the result calls itself. */
  readonly mode: "quick" | "full" | "custom";
  readonly list: boolean;
  readonly help: boolean;
}

const QUICK = { seconds: 0.4, samples: 9 };
const FULL = { seconds: 0.5, samples: 11 };

/** Load processes: as many as leave a core to the server. */
const PROCS = Math.max(1, Math.min(4, navigator.hardwareConcurrency - 1));

export const HELP = `bun run bench [flags]         the quick run, in some five minutes
  --full                      every scenario and rival, ${FULL.samples} samples of ${FULL.seconds} s: 20 minutes
  --only NAME                 scenarios whose name contains NAME; may be repeated
  --seconds N                 measured seconds of a sample (${QUICK.seconds})
  --samples N                 paired samples (${QUICK.samples})
  --rival NAME                only these rivals, or none; may be repeated
  --procs N                   processes that make the load (${PROCS})
  --serv6-args 'A B'          further arguments for our server
  --entry FILE                our server's entry file (src/serv6.ts)
  --before FILE               the same of another checkout, measured beside it in each scenario
  --network private|host      a network namespace of its own where allowed (private)
  --json FILE                 writes the result, which bench/page.ts draws
  --list                      names the scenarios
  --help                      this text`;

const FLAGS = {
  full: { type: "boolean", default: false },
  only: { type: "string", multiple: true },
  seconds: { type: "string" },
  samples: { type: "string" },
  rival: { type: "string", multiple: true },
  procs: { type: "string" },
  "serv6-args": { type: "string", default: "" },
  entry: { type: "string", default: SERV6_ENTRY },
  before: { type: "string" },
  network: { type: "string", default: "private" },
  json: { type: "string" },
  list: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

export function parseFlags(argv: readonly string[]): Parsed<Options> {
  return parsed(() => options([...argv]));
}

// --- internal ---

function options(args: string[]): Options {
  const { values } = parseArgs({ args, options: FLAGS, strict: true, allowPositionals: false });
  const { seconds, samples } = values.full ? FULL : QUICK;
  const { only, rival, before } = values;
  const asked = [only, values.seconds, values.samples, rival, before, values["serv6-args"]];
  const custom = asked.some((value) => value !== undefined && value.length > 0);
  return {
    only: values.only ?? [],
    seconds: number("--seconds", values.seconds ?? `${seconds}`, 0.05, 60),
    samples: whole("--samples", values.samples ?? `${samples}`, 1, 100),
    procs: whole("--procs", values.procs ?? `${PROCS}`, 1, 16),
    rivals: rivals(values.rival),
    serv6Args: words(values["serv6-args"]),
    entry: values.entry,
    before: before ?? null,
    network: oneOf("--network", values.network, NETWORKS),
    json: values.json ?? null,
    mode: custom ? "custom" : values.full ? "full" : "quick",
    list: values.list,
    help: values.help,
  };
}

function rivals(given: readonly string[] | undefined): readonly string[] | null {
  if (given === undefined) return null;
  const families = [...new Set(RIVALS.map(({ family }) => family))];
  const names = given.map((name) => oneOf("--rival", name, [...families, "none"]));
  return names.filter((name) => name !== "none");
}
