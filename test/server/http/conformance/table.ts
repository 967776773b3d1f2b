/** The whole table, by what the rows are about. */
import type { Case } from "./case.ts";
import { CONDITIONS } from "./conditions.ts";
import { CONNECTIONS } from "./connections.ts";
import { FIELDS, FIRST_LINES, TARGETS } from "./heads.ts";
import { METHODS } from "./methods.ts";
import { RANGES } from "./ranges.ts";

export const TABLE: readonly (readonly [about: string, cases: readonly Case[]])[] = [
  ["Methods", METHODS],
  ["Targets", TARGETS],
  ["First lines", FIRST_LINES],
  ["Fields", FIELDS],
  ["Connections", CONNECTIONS],
  ["Ranges", RANGES],
  ["Conditions", CONDITIONS],
];
