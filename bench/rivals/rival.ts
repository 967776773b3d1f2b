/**
 * Owns what a rival is to the benchmark: a server somebody else wrote, or a bound to measure by.
 * Each one is a file of its own; all.ts is the only list of them.
 * Invariant: a rival serves the same files from the same folder, and says how it was configured.
 */
import type { DoorName } from "../load/door.ts";
import type { RunningServer } from "../spawn.ts";

export interface Rival {
  /** Its name in scenarios and tables. */
  readonly name: string;
  /** What `--rival` selects it by; variants of one server share it. */
  readonly family: string;
  readonly door: DoorName;
  /** The configuration, in a line for the reader of the table. */
  readonly about: string;
  /** Asks the program, which takes it some ms; null where it has none or is not there. */
  version(): string | null;
  /** Why it can't run on this machine, or null. */
  unavailable(): string | null;
  start(root: string): Promise<RunningServer>;
}

/** Who takes part, in a line: name, version, configuration; or why it does not, if `skipped`. */
export function introduction(rival: Rival, skipped = rival.unavailable()): string {
  if (skipped !== null) return `${rival.name}: skipped: ${skipped}`;
  const version = rival.version();
  return `${rival.name}${version === null ? "" : ` ${version}`}: ${rival.about}`;
}

/** The version that `command` prints on either output, as digits and dots; null where none is. */
export function versionFrom(command: readonly string[]): string | null {
  const { stdout, stderr } = Bun.spawnSync([...command]);
  return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? null;
}
