/**
 * The manual page of a program in man(7), from the same tables as its --help: a page that tells of a
 * flag that is not there can't be written. Pure: a text from definitions.
 */
import { type Command, COMMON_FLAGS, flagsOf, variableOf } from "../../src/cli/flags/flags.ts";

/** A program as its page tells of it. */
export interface Manual {
  readonly main: Command;
  /** Its commands, in the order of the help. */
  readonly commands: readonly Command[];
  /** Variables of the environment that are no flags: name, meaning. */
  readonly variables: readonly (readonly [name: string, meaning: string])[];
  readonly seeAlso: readonly string[];
  readonly version: string;
  /** YYYY-MM-DD. */
  readonly date: string;
}

/** What is told of every page's exit statuses, in the sections of the tables. */
const EXIT_STATUS = "Exit status";

/** Longest line of the source: mandoc's own advice. */
const COLUMNS_MAX = 79;

/** The page's source. */
export function manualPage(manual: Manual): string {
  const { main, commands, variables, seeAlso, version, date } = manual;
  const { name } = main;
  const lines = [
    `.TH ${name.toUpperCase()} 1 ${date} "${name} ${version}" "User Commands"`,
    ".SH NAME",
    `${name} \\- ${inline(lowered(main.summary))}`,
    ".SH SYNOPSIS",
    ...synopsis(main),
    ...commands.flatMap((command) => [".br", ...synopsis(command)]),
    ".SH DESCRIPTION",
    ...prose(main.summary),
    ...operands(main),
    ...sections(main).flatMap(({ title, lines: text }) => [
      `.SS ${inline(title)}`,
      ...prose(text.join(" ")),
    ]),
    ".SH OPTIONS",
    ...options(main),
  ];
  if (commands.length > 0) {
    lines.push(".SH COMMANDS", ...prose("Each has --help and --version too."));
  }
  for (const command of commands) lines.push(...commandPart(command));
  lines.push(".SH ENVIRONMENT", ...environment(main, commands), ...rows(variables));
  lines.push(".SH EXIT STATUS", ...exitStatus(main));
  lines.push(".SH EXAMPLES", ...examples(main), ".SH SEE ALSO");
  seeAlso.forEach((other, nth) => {
    const [page = "", section = ""] = other.split(/[()]/);
    lines.push(`.BR ${page} (${section})${nth < seeAlso.length - 1 ? " ," : ""}`);
  });
  return `${lines.join("\n")}\n`;
}

// --- internal: parts ---

function synopsis({ name, operands: { name: operand } }: Command): string[] {
  const shown = operand.toUpperCase().replace(/\.\.\.$/, "");
  const more = operand.endsWith("...") ? " .\\|.\\|." : "";
  return [`.B ${name}`, "[\\fIoptions\\fR]", `[\\fI${inline(shown)}\\fR${more}]`];
}

function operands({ operands: { name, description } }: Command): string[] {
  return [".TP", `.I ${inline(name.toUpperCase())}`, ...prose(`${capital(description)}.`)];
}

function commandPart(command: Command): string[] {
  return [
    `.SS ${inline(command.name)}`,
    ...prose(command.summary),
    ...operands(command),
    ".PP",
    "Options:",
    ...options(command, false),
    ...(command.sections ?? []).flatMap(({ title, lines }) => [
      ".PP",
      `.I ${inline(title)}`,
      ".br",
      ...prose(lines.join(" ")),
    ]),
    ".PP",
    "Examples:",
    ...examples(command),
  ];
}

/** The options in their groups, or without headings inside a command's part. */
function options(command: Command, headings = true): string[] {
  const groups = Map.groupBy(Object.entries(flagsOf(command)), ([, { group }]) => group);
  const lines: string[] = [];
  let group = "";
  for (const [name, flag] of [...groups.values()].flat()) {
    if (!headings && Object.hasOwn(COMMON_FLAGS, name)) continue;
    if (headings && flag.group !== group) lines.push(`.SS ${inline(flag.group)}`);
    group = flag.group;
    // Where the switch is not off by itself, the word that turns it off is told too.
    const off = flag.type === "boolean" && (flag.default === true || flag.undecided === true);
    const bold = (form: string): string => `\\fB${literal(form)}\\fR`;
    const value = flag.type === "string" ? `=\\fI${literal(flag.valueHint)}\\fR` : "";
    const forms = [
      ...(flag.alias === undefined ? [] : [bold(`-${flag.alias}`)]),
      bold(`--${name}`) + value,
      ...(off ? [bold(`--no-${name}`)] : []),
    ];
    lines.push(".TP", forms.join(", "), ...prose(described(command, name, flag)));
  }
  return lines;
}

function described(
  command: Command,
  name: string,
  flag: ReturnType<typeof flagsOf>[string],
): string {
  const said = [`${capital(flag.description ?? "")}.`];
  if (flag.type === "boolean" && flag.default === true) said.push("On by default.");
  else if (flag.type === "string" && flag.default !== undefined) {
    said.push(`Default: ${flag.default}.`);
  }
  if (flag.type === "string" && flag.many === true) said.push("May be given several times.");
  if (flag.type === "string" && flag.reader.words === undefined) {
    said.push(`It takes ${flag.reader.takes}.`);
  }
  if (!Object.hasOwn(COMMON_FLAGS, name) && flag.momentary !== true) {
    said.push(`Environment: ${variableOf(command.name, name)}.`);
  }
  return said.join(" ");
}

function environment(main: Command, commands: readonly Command[]): string[] {
  const names = new Map<string, string>();
  for (const command of [main, ...commands]) {
    for (const [name, flag] of Object.entries(command.flags)) {
      if (flag.momentary !== true) names.set(variableOf(command.name, name), `--${name}`);
    }
  }
  return [
    ...prose(
      `Each option that is no question has a variable, which stands between the option and its default.
       A switch takes 1 or 0. An empty variable counts as none.`,
    ),
    ...rows([...names].map(([variable, flag]) => [variable, `As ${flag}.`] as const)),
  ];
}

function rows(pairs: Manual["variables"]): string[] {
  return pairs.flatMap(([name, meaning]) => [".TP", `.B ${literal(name)}`, ...prose(meaning)]);
}

function sections({ sections: all = [] }: Command) {
  return all.filter(({ title }) => title !== EXIT_STATUS);
}

/** The statuses stand in columns, `0 done   1 unexpected`; sentences may follow. */
function exitStatus({ sections: all = [] }: Command): string[] {
  const text = all.find(({ title }) => title === EXIT_STATUS)?.lines ?? [];
  const statuses = new Map<number, string>();
  const sentences: string[] = [];
  for (const line of text) {
    const cells = line.split(/ {2,}/);
    if (cells.length < 2 || !cells.every((it) => /^\d+ \S/.test(it))) sentences.push(line);
    else {
      for (const cell of cells) statuses.set(parseInt(cell), cell.replace(/^\d+ /, ""));
    }
  }
  const sorted = [...statuses].sort(([a], [b]) => a - b);
  return [
    ...sorted.flatMap(([status, meaning]) => [
      ".TP",
      `.B ${status}`,
      ...prose(`${capital(meaning)}.`),
    ]),
    ...(sentences.length === 0 ? [] : [".PP", ...prose(sentences.join(" "))]),
  ];
}

function examples({ examples: all }: Command): string[] {
  return all.flatMap(([line, does]) => [
    ".TP",
    `.B ${literal(line)}`,
    ...prose(does === "" ? "The same." : `${capital(does)}.`),
  ]);
}

// --- internal: text ---

/** Text that stands as it is typed: no hyphen, quote or backslash of it becomes anything else. */
function literal(text: string): string {
  const escapes: Record<string, string> = {
    "\\": "\\e",
    "-": "\\-",
    "'": "\\(aq",
    "`": "\\(ga",
    "^": "\\(ha",
    "~": "\\(ti",
    '"': "\\(dq",
  };
  const escaped = text.replace(/[\\\-'`^~"]/g, (character) => escapes[character] ?? character);
  return escaped.replace(/^\./, "\\&.");
}

/** Prose in one line: options and what else starts with a dash are literal. */
function inline(text: string): string {
  return text
    .split(" ")
    .map((word) => (/(?:^|[([,])-|[\\'`^~"]/.test(word) ? literal(word) : word))
    .join(" ");
}

/** Paragraphs: a sentence begins a line, lines are folded, none is taken for a request. */
function prose(text: string): string[] {
  const words = text.trim().replace(/\.\.$/, ".").split(/\s+/);
  const lines: string[] = [];
  let line = "";
  for (const word of words.map(inline)) {
    const ends = /(?:[.!?]|[.!?]["')])$/.test(line) && !/(?:\.\.\.|\b[a-z]\.[a-z]\.)$/.test(line);
    if (line !== "" && (ends || line.length + 1 + word.length > COLUMNS_MAX)) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  lines.push(line);
  return lines.map((each) => each.replace(/^[.']/, "\\&$&"));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** As whatis(1) wants it: no capital, no full stop. */
function lowered(text: string): string {
  const [first = ""] = text.split(/\. /);
  return first.charAt(0).toLowerCase() + first.slice(1).replace(/\.$/, "");
}
