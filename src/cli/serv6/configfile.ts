/**
 * The configuration file, in TOML: the flags by their names, and what is served. What is not known
 * in it is a mistake.
 *
 *   port = 6464                      # as --port
 *   bind = ["0.0.0.0", "::"]         # a flag that may be repeated: one value, or a list
 *   idle-timeout = "5m"
 *   http = false                     # as --no-http
 *   tokens = "tokens.toml"           # paths are relative to this file
 *
 *   root = "/srv/data"               # as ROOT, or several:
 *   [roots.models]                   # /models
 *   path = "/data/models"
 */
import path from "node:path";
import { ROOTS_MAX, rootNameFault } from "../../store/namedroots.ts";
import { printableText } from "../../wire/printable.ts";
import { wrongFile } from "../flags/filecontent.ts";
import {
  type Filed,
  filedFlags,
  type FileTable,
  hasControls,
  pathIn,
  shownValue,
  unknownKey,
} from "../flags/filedflags.ts";
import { type Command, UsageError } from "../flags/flags.ts";
import { trustedText } from "./trustedfile.ts";

/** What a configuration file says. */
export interface ConfigFile {
  /** Its absolute path. */
  readonly path: string;
  readonly text: string;
  /** As Beside.filed. */
  readonly values: Filed["values"];
  /** What is served; nothing where it does not say, else one of the two. Absolute paths. */
  readonly served: ServedPlaces;
  /** Everything that is wrong with it, each naming the file and the key. */
  readonly wrong: readonly UsageError[];
}

/** One place at the top, or several under names. */
export interface ServedPlaces {
  readonly root?: string;
  readonly roots?: Readonly<Record<string, string>>;
}

/** The flag that names the file, and that no file has. */
export const CONFIG_NAME = "config";

/**
 * Reads `file` for the flags of `command`, or `text` as what it had when it was read. Throws
 * UsageError where it can't be read, may not be trusted or is no TOML; what is wrong within it is
 * told in what is returned.
 */
export function readConfig(
  file: string,
  command: Command,
  text = trustedText({ flag: `--${CONFIG_NAME}`, path: file }),
): ConfigFile {
  const absolute = path.resolve(file);
  const table = parsed(file, text);
  const folder = path.dirname(absolute);
  const place = { folder, others: ["root", "roots"], never: [CONFIG_NAME] };
  const { values, wrong } = filedFlags(command, table, place);
  const mistakes = [...wrong];
  const served = servedOf(table, folder, mistakes);
  return {
    path: absolute,
    text,
    values,
    served,
    wrong: mistakes.map((why) => new UsageError(`${printableText(file)}: ${why}`)),
  };
}

// --- internal ---

/** Lines of a file in which the one that is wrong is looked for: that parses it once for each. */
const LINES_SEARCHED_MAX = 1000;

function parsed(file: string, text: string): FileTable {
  const why = tomlFault(text);
  if (why === null) return Bun.TOML.parse(text) as FileTable;
  const place = lineOf(text, why);
  const shown = { flag: `--${CONFIG_NAME}`, path: file };
  throw wrongFile(shown, `is no TOML${place}${reasonOf(why)}`);
}

function tomlFault(text: string): string | null {
  try {
    Bun.TOML.parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Where it is wrong: as much of the file as is wrong in the same words (Bun tells no line). */
function lineOf(text: string, why: string): string {
  const lines = text.split("\n");
  if (lines.length > LINES_SEARCHED_MAX) return "";
  for (let count = 1; count <= lines.length; count++) {
    // With its line break: what ends there is another mistake without one.
    const start = count < lines.length ? `${lines.slice(0, count).join("\n")}\n` : text;
    if (tomlFault(start) === why) return ` in line ${count}`;
  }
  return "";
}

/** Bun's words as far as they quote nothing: it may have been given a file of secrets. */
function reasonOf(why: string): string {
  const [words = ""] = why
    .replace(/^TOML Parse error: /, "")
    .replace("'='", "=")
    .split(/["'`:;]/);
  return words.trim() === "" ? "" : `: ${printableText(words.trim())}`;
}

function servedOf(table: FileTable, folder: string, wrong: string[]): ServedPlaces {
  const { root, roots } = table;
  if (root !== undefined && roots !== undefined) {
    wrong.push("root is one place and roots are several: give one of them");
    return {};
  }
  if (roots !== undefined) return rootsIn(roots, folder, wrong);
  if (root === undefined) return {};
  if (isPath(root)) return { root: pathIn(folder, root) };
  wrong.push(`root takes the path of a folder or a file, not ${shownValue(root)}`);
  return {};
}

function rootsIn(roots: unknown, folder: string, wrong: string[]): ServedPlaces {
  if (!isTable(roots)) {
    wrong.push(`roots are tables, as [roots.models], not ${shownValue(roots)}`);
    return {};
  }
  const entries = Object.entries(roots);
  if (entries.length === 0 || entries.length > ROOTS_MAX) {
    wrong.push(`roots are 1 to ${ROOTS_MAX} tables, not ${entries.length}`);
    return {};
  }
  const places: [string, string][] = [];
  for (const [name, root] of entries) {
    const place = rootIn(name, root, wrong);
    if (place !== null) places.push([name, pathIn(folder, place)]);
  }
  return { roots: Object.fromEntries(places) };
}

/** The path of one root; null where something is wrong with it. */
function rootIn(name: string, root: unknown, wrong: string[]): string | null {
  const before = wrong.length;
  const key = `roots.${printableText(name)}`;
  const fault = rootNameFault(name);
  if (fault !== null) wrong.push(`${key} ${fault}`);
  if (!isTable(root)) {
    wrong.push(`${key} is a table with a path, not ${shownValue(root)}`);
    return null;
  }
  for (const odd of Object.keys(root)) {
    if (odd !== "path") wrong.push(`${key}: ${unknownKey(odd, ["path"])}`);
  }
  const { path: place } = root;
  if (isPath(place)) return wrong.length === before ? place : null;
  const got = place === undefined ? "nothing" : shownValue(place);
  wrong.push(`${key}.path takes the path of a folder or a file, not ${got}`);
  return null;
}

function isTable(value: unknown): value is FileTable {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !hasControls(value);
}
