/**
 * The text of --help: usage, examples, then every option in its group with its environment variable
 * and default. citty formats the lines of the options, from the same table that is parsed.
 */
import type { ArgsDef } from "citty";
import { COMMIT, VERSION } from "../../server/version.ts";
import { type Command, COMMON_FLAGS, flagsOf, variableOf } from "./flags.ts";

/** The answer to --help or --version of `command`, the latter being `program`'s. */
export async function answerTo(
  asks: "help" | "version",
  command: Command,
  program: Command = command,
): Promise<string> {
  return asks === "help" ? await renderHelp(command) : versionLine(program);
}

/** `cli6 0.1.0 (commit 0123456789ab, Bun 1.4.5)`, or `(source, Bun 1.4.5)`. */
export function versionLine(command: Command): string {
  const origin = COMMIT === null ? "source" : `commit ${COMMIT}`;
  return `${command.name} ${VERSION} (${origin}, Bun ${Bun.version})`;
}

/** The help of `command`, plain text without a final line break. */
export async function renderHelp(command: Command): Promise<string> {
  // Imported here alone, so that no other run of a program waits for it to load.
  const { renderUsage } = await import("citty");
  const render = async (args: ArgsDef): Promise<string[]> => {
    const meta = { name: command.name, version: VERSION, description: command.summary };
    return Bun.stripANSI(await renderUsage({ meta, args })).split("\n");
  };
  const { name, description } = command.operands;
  const head = await render({ [name]: { type: "positional", required: false, description } });
  const lines = [
    `${command.name} ${VERSION}`,
    command.summary,
    "",
    ...usage(head),
    "",
    "EXAMPLES",
    "",
  ];
  lines.push(...columns(command.examples), "", ...below(head, "ARGUMENTS"));
  if (command.commands !== undefined) {
    const rows = command.commands.map(({ word, summary }) => [word, summary] as const);
    lines.push("", "COMMANDS", "", ...columns(rows));
  }
  for (const [group, args] of groups(command)) {
    // citty also negates the letter, "--no-c, --no-continue", which parseFlags() does not know.
    const options = below(await render(args), "OPTIONS")
      .slice(1)
      .map((line) => line.replace(/--no-[a-z], (?=--no-)/, (letter) => " ".repeat(letter.length)));
    lines.push("", group.toUpperCase(), ...options);
  }
  for (const { title, lines: text } of command.sections ?? []) {
    lines.push("", title.toUpperCase(), "", ...text.map((line) => `  ${line}`));
  }
  return lines.map((line) => line.trimEnd()).join("\n");
}

// --- internal ---

function usage(rendered: readonly string[]): string[] {
  return rendered.filter((line) => line.startsWith("USAGE "));
}

/** The part of citty's text from `heading` on. */
function below(rendered: readonly string[], heading: string): string[] {
  const lines = rendered.slice(rendered.indexOf(heading));
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The options by group, in the table's order, each with its environment variable. */
function groups(command: Command): Map<string, ArgsDef> {
  const byGroup = new Map<string, ArgsDef>();
  for (const [name, flag] of Object.entries(flagsOf(command))) {
    const args = byGroup.get(flag.group) ?? {};
    const variable = variableOf(command.name, name);
    const silent = Object.hasOwn(COMMON_FLAGS, name) || flag.momentary === true;
    const told = silent ? "" : ` [${variable}]`;
    args[name] = { ...flag, description: `${flag.description ?? ""}${told}` };
    byGroup.set(flag.group, args);
  }
  return byGroup;
}

function columns(rows: Command["examples"]): string[] {
  const width = Math.max(...rows.map(([line]) => line.length));
  return rows.map(([line, does]) => `  ${line.padEnd(width)}  ${does}`);
}
