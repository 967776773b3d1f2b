/**
 * Owns the command line of `make bench-abuse`. Pure: it never prints and never exits.
 * Invariant: an option that is not known, or a value out of its range, is an Error in words.
 */
import { parseArgs } from "node:util";
import { SERV6_ENTRY } from "../server.ts";
import { NETWORKS, number, oneOf } from "../value.ts";

export interface AbuseOptions {
  /** Parts of names of attacks; none means all. */
  readonly only: readonly string[];
  /** An attack goes on so long, and longer while the commands beside it do. */
  readonly seconds: number;
  /** A command beside an attack is given up after so long. */
  readonly patienceSeconds: number;
  readonly entry: string;
  /** The server to compare with, or null. */
  readonly entryBefore: string | null;
  /** Whether each attack is also made on another server, with the honest clients at one at rest. */
  readonly machine: boolean;
  /** Whether server and attacker have a core each, and the pinger goes before the attacker. */
  readonly apart: boolean;
  readonly network: (typeof NETWORKS)[number];
  readonly json: string | null;
  readonly list: boolean;
  readonly help: boolean;
}

export const ABUSE_HELP = `bun bench/abuse.ts [flags]    what honest clients see beside attackers
  --entry FILE            our server's entry file (src/serv6.ts)
  --entry-before FILE     another one: both are attacked, in turns
  --machine               attacks another server too, beside honest clients of one at rest:
                          what sharing the machine's cores alone costs them
  --apart                 as on machines of their own: the server has core 0 alone, attacker and
                          commands share core 1, where the pinger goes before them (needs root)
  --only NAME             attacks whose name contains NAME; may be repeated
  --seconds N             of each attack (2); it goes on while a command beside it does
  --patience N            seconds until such a command is given up (10)
  --network private|host  a network namespace of its own where allowed (private)
  --json FILE             writes the result
  --list                  names the attacks
  --help                  this text`;

/** What `argv` asks for; throws. */
export function parseAbuseFlags(argv: readonly string[]): AbuseOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      entry: { type: "string", default: SERV6_ENTRY },
      "entry-before": { type: "string" },
      machine: { type: "boolean", default: false },
      apart: { type: "boolean", default: false },
      only: { type: "string", multiple: true },
      seconds: { type: "string", default: "2" },
      patience: { type: "string", default: "10" },
      network: { type: "string", default: "private" },
      json: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
    strict: true,
    allowPositionals: false,
  });
  return {
    only: values.only ?? [],
    seconds: number("--seconds", values.seconds, 0.1, 3600),
    patienceSeconds: number("--patience", values.patience, 0.1, 3600),
    entry: values.entry,
    entryBefore: values["entry-before"] ?? null,
    machine: values.machine,
    apart: values.apart,
    network: oneOf("--network", values.network, NETWORKS),
    json: values.json ?? null,
    list: values.list,
    help: values.help,
  };
}
