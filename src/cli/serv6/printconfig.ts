/**
 * What --print-config prints: each setting, and who said it. It is TOML, and as a file of --config
 * it means what it says. No secret is a setting; that there is one in the environment is told.
 */
import path from "node:path";
import { utf8Of } from "../../wire/bytes.ts";
import { printableText } from "../../wire/printable.ts";
import { type Environment, type FlagTable, type Said, variableOf } from "../flags/flags.ts";
import { pathIn } from "../flags/filedflags.ts";
import { versionLine } from "../flags/help.ts";
import { filePath } from "../flags/values.ts";
import { CONFIG_NAME } from "./configfile.ts";
import type { Configured } from "./configured.ts";
import type { SERV6 } from "./serv6.ts";

/** The text, without a final line break. */
export function configText(
  command: typeof SERV6,
  made: Configured,
  environment: Environment,
): string {
  const flags: FlagTable = command.flags;
  const lines = [`# ${versionLine(command)}`];
  if (made.file !== null) lines.push(`# file: ${printableText(made.file.path)}`);
  // The one secret that the environment may hold.
  if ((environment["SERV6_TOKEN"] ?? "") !== "") lines.push("# SERV6_TOKEN is set, and not shown");
  lines.push("");
  const { root, roots } = made.options;
  const by = made.servedBy === "flag" ? "ROOT" : made.servedBy;
  if (root !== undefined) lines.push(line("root", quoted(pathIn(process.cwd(), root)), by));
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.momentary === true || name === CONFIG_NAME) continue;
    const said = made.said.get(name) ?? { by: "default", texts: [] };
    lines.push(line(name, valueOf(flag, said), speakerOf(command.name, name, said)));
  }
  for (const [name, place] of Object.entries(roots ?? {})) {
    lines.push("", `[roots.${quoted(name)}]`, line("path", quoted(place), by));
  }
  return lines.join("\n");
}

// --- internal ---

/** Columns in front of who said it; longer lines have it right behind. */
const VALUE_COLUMNS = 32;

/** `value` null: nothing was said, and the program decides. */
function line(name: string, value: string | null, by: string): string {
  const setting = value === null ? `# ${name} is not set` : `${name} = ${value}`;
  return `${setting.padEnd(VALUE_COLUMNS)}  # ${by}`;
}

function speakerOf(command: string, name: string, { by }: Said): string {
  if (by === "flag") return `flag --${name}`;
  return by === "environment" ? `environment ${variableOf(command, name)}` : by;
}

/** As TOML; null where there is none. */
function valueOf(flag: FlagTable[string], { texts }: Said): string | null {
  const [first] = texts;
  if (first === undefined) return null;
  if (flag.type === "boolean") return first;
  const { reader } = flag;
  const values = texts.map(utf8Of).map((text) => {
    if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return text;
    return quoted(reader === filePath ? path.resolve(text) : withoutPassword(text));
  });
  return flag.many === true ? `[${values.join(", ")}]` : (values[0] ?? null);
}

/** A URL may have a name and a password in front of its host. */
function withoutPassword(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, "$1...@");
}

/** A basic string of TOML, of one line that is safe on a terminal. */
function quoted(text: string): string {
  const shown = [...text].map((character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    const code = character.codePointAt(0) ?? 0;
    if (printableText(character) === character) return character;
    return `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `"${shown.join("")}"`;
}
