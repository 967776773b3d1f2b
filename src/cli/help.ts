/**
 * The part of a program's help that is made from its table of options: each in its group, with its default and its
 * environment variable. Plain text, so that it can go anywhere.
 */
import { type Flag, type Flags, variableOf } from "./flags.ts";

/** Where descriptions start, and where lines end. */
const INDENT_COLUMNS = 28;
const LINE_COLUMNS = 98;

/** The options of `flags` by group, in the table's order. It starts with a line break and ends without one. */
export function describeFlags(flags: Flags, prefix: string): string {
  const groups = new Map<string, string[]>();
  for (const [name, flag] of Object.entries(flags)) {
    const lines = groups.get(flag.group) ?? [];
    lines.push(describe(name, flag, prefix));
    groups.set(flag.group, lines);
  }
  let text = "";
  for (const [group, lines] of groups) text += `\n${group}:\n${lines.join("\n")}\n`;
  return text.trimEnd();
}

// --- internal ---

function describe(name: string, flag: Flag, prefix: string): string {
  const short = flag.alias === undefined ? "    " : `-${flag.alias}, `;
  const value = flag.type === "string" ? ` ${flag.valueHint ?? "VALUE"}` : "";
  const left = `  ${short}--${name}${value}`;
  const variable = name === "help" || name === "version" ? "" : ` [${variableOf(prefix, name)}]`;
  const words = `${flag.description ?? ""}${variable}`.split(" ");
  const lines: string[] = [];
  // An option too long for its column gets a line of its own.
  let line = left.length < INDENT_COLUMNS ? left.padEnd(INDENT_COLUMNS - 1) : left;
  if (line === left) {
    lines.push(line);
    line = " ".repeat(INDENT_COLUMNS - 1);
  }
  for (const word of words) {
    if (line.length + 1 + word.length > LINE_COLUMNS) {
      lines.push(line);
      line = " ".repeat(INDENT_COLUMNS - 1);
    }
    line += ` ${word}`;
  }
  lines.push(line);
  return lines.join("\n");
}
