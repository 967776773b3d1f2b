/**
 * The rules about test/FAULTS.md: the list of faults and the numbers in the titles of tests say the
 * same. Functions of paths and texts alone.
 */
import type { SourceFile } from "./source.ts";

/** Faults of the list: whoever adds one raises it. */
export const FAULTS = 119;

/** What stands in the last cell of a fault that has no test. */
const NONE = /^none: \S.{10,}$/;

/** A number, or several, at the start of a literal, as titles have them. */
const TITLE = /["'`](\d{1,3}(?:, \d{1,3})*): /g;

interface Row {
  readonly number: number;
  readonly cells: readonly string[];
}

/** What is wrong with `list` beside `tests`, each in a line; none for a list that is true. */
export function faultFindings(list: string, tests: readonly SourceFile[]): string[] {
  const rows = rowsOf(list);
  const known = new Map(tests.map(({ path, text }) => [nameOf(path), text]));
  return [
    ...orderFindings(rows),
    ...rows.flatMap((row) => rowFindings(row, known)),
    ...titleFindings(rows, known),
  ];
}

// --- internal ---

/** A file's name in the list. */
function nameOf(path: string): string {
  return path.replace(/^test\//, "").replace(/\.test\.ts$/, "");
}

function rowsOf(list: string): Row[] {
  return [...list.matchAll(/^\| *(\d+) *\|(.*)\|$/gm)].map(([, number = "", rest = ""]) => ({
    number: Number(number),
    cells: rest.split(" | ").map((cell) => cell.trim()),
  }));
}

/** Each number once, in order, to the last. */
function orderFindings(rows: readonly Row[]): string[] {
  const found = rows.map(({ number }) => number);
  const due = Array.from({ length: Math.max(FAULTS, found.length) }, (_, index) => index + 1);
  const at = due.findIndex((number, index) => found[index] !== number || number > FAULTS);
  if (at === -1) return [];
  if (at >= FAULTS) return [`FAULTS.md has ${found[at]}, and ends at ${FAULTS}`];
  return [`FAULTS.md has ${found[at] ?? "no more rows"} where ${due[at]} of ${FAULTS} is due`];
}

/** A row has a fault, an outcome, and tests that are there or a reason. */
function rowFindings({ number, cells }: Row, tests: ReadonlyMap<string, string>): string[] {
  const [fault = "", outcome = "", named = "", ...more] = cells;
  if (fault === "" || outcome === "" || named === "" || more.length > 0) {
    return [`${number}: write fault, outcome and tests, and no more cells`];
  }
  if (NONE.test(named)) return [];
  return named.split("; ").flatMap((item) => {
    const [, name = "", part] = /^`([^`]+)`(?: "(.+)")?$/.exec(item) ?? [];
    const text = tests.get(name);
    if (text === undefined) return [`${number}: name a test that is there, or why not: ${item}`];
    if (part === undefined) {
      if (numbersIn(text).has(number)) return [];
      return [`${number}: no title of ${name} has the number: quote a part of one`];
    }
    return text.includes(part) ? [] : [`${number}: ${name} has no title with "${part}"`];
  });
}

/** Each number of a title is in the list, in a row that names the title's file. */
function titleFindings(rows: readonly Row[], tests: ReadonlyMap<string, string>): string[] {
  const named = new Map(rows.map(({ number, cells }) => [number, cells.at(-1) ?? ""]));
  return [...tests].flatMap(([name, text]) =>
    [...numbersIn(text)]
      .filter((number) => !(named.get(number) ?? "").includes(`\`${name}\``))
      .map((number) => `${number}: its row does not name ${name}, which has it in a title`),
  );
}

function numbersIn(text: string): Set<number> {
  const numbers = [...text.matchAll(TITLE)].flatMap(([, list = ""]) => list.split(", "));
  return new Set(numbers.map(Number));
}
