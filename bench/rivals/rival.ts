/**
 * Owns what a rival is to the benchmark: a server somebody else wrote, or a bound to measure by.
 * Each one is a file of its own; `RIVALS` in run.ts is the only list of them.
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
  /** Why it can't run on this machine, or null. */
  unavailable(): string | null;
  start(root: string): Promise<RunningServer>;
}
