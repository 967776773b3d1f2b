/**
 * Owns what is measured: each scenario is one row of this table. Never how. A new door is new rows.
 * `mustReach` is what the project promises against a rival, as ours divided by the rival's.
 */
import type { FileName } from "./files.ts";
import type { DoorName } from "./load/door.ts";

export interface Scenario {
  readonly name: string;
  readonly door: DoorName;
  readonly file: FileName;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly depth: number;
  /** Names of the rivals it is measured against, each by the door that rival has. */
  readonly rivals: readonly string[];
  readonly mustReach: Readonly<Record<string, number>>;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    ...{ name: "s6-1k", door: "s6", file: "1k", connections: 64, depth: 1 },
    rivals: ["nginx", "nginx-read"],
    mustReach: { nginx: 1.3 },
  },
  {
    ...{ name: "s6-1k-x16", door: "s6", file: "1k", connections: 64, depth: 16 },
    rivals: ["nginx"],
    mustReach: { nginx: 4 },
  },
  {
    ...{ name: "s6-16k", door: "s6", file: "16k", connections: 64, depth: 1 },
    rivals: ["nginx"],
    mustReach: { nginx: 1.1 },
  },
  {
    ...{ name: "s6-100k", door: "s6", file: "100k", connections: 64, depth: 1 },
    rivals: ["nginx", "c"],
    mustReach: { nginx: 1.1 },
  },
  {
    ...{ name: "s6-1m", door: "s6", file: "1m", connections: 64, depth: 1 },
    rivals: ["nginx", "c"],
    mustReach: { nginx: 1.1 },
  },
  {
    ...{ name: "s6-100m", door: "s6", file: "100m", connections: 4, depth: 1 },
    rivals: ["nginx", "c"],
    mustReach: { nginx: 1, c: 0.95 },
  },
];
