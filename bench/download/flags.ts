/**
 * Owns the command line of `bun bench/download.ts`. Pure: it never prints and never exits.
 * Invariant: an option that is not known, or a value out of its range, is an error in words.
 */
import { parseArgs } from "node:util";
import { join } from "node:path";
import { type Parsed, parsed } from "../command.ts";
import { NETWORKS, number, oneOf, whole } from "../value.ts";

export interface Options {
  /** Letters of scenarios. */
  readonly only: readonly string[];
  /** Rounds; null leaves it to the scenario. */
  readonly samples: number | null;
  /** Parts of contenders' names; none means all. */
  readonly contenders: readonly string[];
  readonly rivalsOnly: boolean;
  /** What sizes and numbers of files are multiplied by. */
  readonly scale: number;
  readonly seed: number;
  readonly entry: string;
  /** The entry file of another commit of ours, measured beside it; null for none. */
  readonly before: string | null;
  readonly network: "private" | "host";
  readonly json: string | null;
  readonly help: boolean;
}

const ENTRY = join(import.meta.dir, "..", "..", "src", "cli6.ts");

export const HELP = `bun bench/download.ts [flags]
  --only A|B|C|D|E|F   A one file, B many files, C a long thin link; over that an older version:
                       D 1 % changed, E 10 % appended, F all changed; may be repeated (A and B)
  --samples N          paired samples (5; C to F 3)
  --contender PART     only those whose name contains PART; may be repeated
  --rivals-only        without cli6
  --scale X            times the sizes and the number of files (1)
  --seed N             of the losses in C, and of the order (1)
  --entry FILE         cli6's entry file (src/cli6.ts)
  --before FILE        the same of another checkout, measured beside it
  --network private|host
  --json FILE          writes every sample
  --help               this text
Files come from and go to a folder in TMPDIR. After a run of B, ext4 is slow to make files for some
minutes, since it passes over inodes just freed: TMPDIR=/dev/shm leaves the disk out of it.`;

const FLAGS = {
  only: { type: "string", multiple: true },
  samples: { type: "string" },
  contender: { type: "string", multiple: true },
  "rivals-only": { type: "boolean", default: false },
  scale: { type: "string", default: "1" },
  seed: { type: "string", default: "1" },
  entry: { type: "string", default: ENTRY },
  before: { type: "string" },
  network: { type: "string", default: "private" },
  json: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

export function parseFlags(argv: readonly string[]): Parsed<Options> {
  return parsed(() => options([...argv]));
}

// --- internal ---

function options(args: string[]): Options {
  const { values } = parseArgs({ args, options: FLAGS, strict: true, allowPositionals: false });
  const only = values.only ?? ["A", "B"];
  return {
    only: only.map((letter) => oneOf("--only", letter, ["A", "B", "C", "D", "E", "F"])),
    samples: values.samples === undefined ? null : whole("--samples", values.samples, 1, 100),
    contenders: values.contender ?? [],
    rivalsOnly: values["rivals-only"],
    scale: number("--scale", values.scale, 0.0001, 16),
    seed: whole("--seed", values.seed, 0, 2 ** 31),
    entry: values.entry,
    before: values.before ?? null,
    network: oneOf("--network", values.network, NETWORKS),
    json: values.json ?? null,
    help: values.help,
  };
}
