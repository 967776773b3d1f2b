/**
 * The command line, parsed strictly. A command declares its options once, in a table of citty's
 * definitions; the parser here, the names of the environment variables and the help (help.ts) come
 * from that table. Order of precedence: flag, environment, file, default.
 *
 * Nothing is ignored: an unknown flag, a missing or bad value, a flag given twice throw a
 * UsageError that names it.
 */
import { parseArgs } from "node:util";
// Of citty the definitions and the help are used, not its parser: that one accepts unknown flags.
import type { BooleanArgDef, StringArgDef } from "citty";
import { bytesOf } from "../../wire/bytes.ts";
import { printable } from "../../wire/printable.ts";
import { nearest } from "./suggestion.ts";
import { type Reader, yesOrNo } from "./values.ts";

/** What a value flag and a switch have in common. */
interface Grouped {
  /** The heading under which the help lists it. */
  readonly group: string;
  /** One letter. */
  readonly alias?: string;
  /** It has no environment variable. */
  readonly momentary?: true;
}

/** `--name VALUE`. Its default is text too, so that the help shows what a person would write. */
export interface ValueFlag<T> extends StringArgDef, Grouped {
  readonly type: "string";
  readonly alias?: string;
  readonly valueHint: string;
  readonly reader: Reader<T>;
  /** It may be given several times; from the environment its values are separated by spaces. */
  readonly many?: boolean;
}

/** `--name` and `--no-name`. */
export interface SwitchFlag extends BooleanArgDef, Grouped {
  readonly type: "boolean";
  readonly alias?: string;
  /** Not said is neither: the value is then undefined, and the program decides. */
  readonly undecided?: true;
}

/** A command's options by name. Declare it `as const satisfies FlagTable`. */
export type FlagTable = Readonly<Record<string, ValueFlag<unknown> | SwitchFlag>>;

/** The value of each option of a table, with its type; `unknown` where the table is not known. */
export type Values<Table extends FlagTable> = string extends keyof Table
  ? Readonly<Record<string, unknown>>
  : {
      readonly [Name in keyof Table]: Table[Name] extends ValueFlag<infer T>
        ? Table[Name] extends { readonly many: true }
          ? readonly T[]
          : Table[Name] extends { readonly default: string }
            ? T
            : T | undefined
        : Table[Name] extends { readonly undecided: true }
          ? boolean | undefined
          : boolean;
    };

/** A program or one of its commands: all that its command line and its help need. */
export interface Command<Table extends FlagTable = FlagTable> {
  /**
   * As it is called: "cli6", "cli6 ls". Its first word in capitals is the prefix of its environment
   * variables, so that CLI6_SERVER holds for every command of cli6.
   */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly flags: Table;
  /** What stands behind the flags, as the usage line shows it: "ROOT", "PATH|URL...". */
  readonly operands: { readonly name: string; readonly description: string; readonly max: number };
  /** The words that select a command of this program, for its help. */
  readonly commands?: readonly { readonly word: string; readonly summary: string }[];
  /** What to type and what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Further parts of the help, below the options. */
  readonly sections?: readonly { readonly title: string; readonly lines: readonly string[] }[];
}

/** What was said for a flag, and by whom. */
export interface Said {
  readonly by: "flag" | "environment" | "file" | "default";
  /** The values as they were written, bytes one a character; none where nothing was said. */
  readonly texts: readonly string[];
}

/** What is said elsewhere than on the command line and in the environment, and what is wrong. */
export interface Beside {
  /** By flag, the values that a file gives, as a person would type them: bytes, one a character. */
  readonly filed?: ReadonlyMap<string, readonly string[]>;
  /**
   * Told each variable that is wrong, instead of the first being thrown: its flag has the value
   * that it has without it.
   */
  readonly wrong?: (error: UsageError) => void;
}

/** Something behind the flags. */
export interface Operand {
  readonly text: string;
  /** It stands behind `--`, so that it is no command's word. */
  readonly literal: boolean;
}

/** What the command line asks for. */
export type Invocation<Table extends FlagTable> =
  | { readonly asks: "help" | "version" }
  | ({ readonly asks: "run"; readonly said: ReadonlyMap<string, Said> } & Given<Table>);

/** What a command is given to run with. */
export interface Given<Table extends FlagTable = FlagTable> {
  readonly values: Values<Table>;
  readonly operands: readonly Operand[];
}

/** The command line was wrong. `message` is one printable line without the program's name. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** A flag that the command does not have; another one may. */
export class UnknownFlagError extends UsageError {
  /** As it was given, printable: "--algo", "-c". */
  readonly flag: string;

  /** `flag` is printable; `meant` is a flag that is nearly called so. */
  constructor(flag: string, meant: string | null) {
    super(`unknown flag ${flag}${meant === null ? "" : `: did you mean ${meant}?`}`);
    this.flag = flag;
  }
}

/** Options that every command has, at the end of its help. */
export const COMMON_FLAGS = {
  help: { type: "boolean", alias: "h", group: "Help", description: "this text" },
  version: { type: "boolean", alias: "V", group: "Help", description: "name and version" },
} as const satisfies FlagTable;

/**
 * The options of `command` and those of every command. A letter that the command has itself is its
 * own: `ls -h` is what every ls makes of it, and --help stays.
 */
export function flagsOf({ flags }: Command): FlagTable {
  const letters = new Set(Object.values(flags).map(({ alias }) => alias));
  const common = Object.entries<SwitchFlag>(COMMON_FLAGS).map(([name, { alias, ...flag }]) => {
    return [name, alias === undefined || letters.has(alias) ? flag : { ...flag, alias }];
  });
  return { ...flags, ...Object.fromEntries(common) };
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Parses `args` (without program and script; text, or bytes one a character) and `environment`, and
 * takes from a file what neither says. `--help` and `--version` win over any mistake beside them.
 * Throws UsageError.
 */
export function parseFlags<const Table extends FlagTable>(
  command: Command<Table>,
  args: readonly string[],
  environment: Environment,
  beside: Beside = {},
): Invocation<Table> {
  const table = flagsOf(command);
  const tokens = tokensOf(table, args);
  const asked = tokens.find(isQuestion);
  if (asked?.kind === "option") return { asks: asked.name === "help" ? "help" : "version" };
  const given = new Map<string, Taken>();
  for (const token of tokens) if (token.kind === "option") takeOption(table, token, given);
  const values: Record<string, unknown> = {};
  const said = new Map<string, Said>();
  for (const [name, flag] of Object.entries(command.flags)) {
    const taken = given.get(name) ?? fallback(command.name, name, flag, environment, beside);
    values[name] = taken.value;
    said.set(name, { by: taken.by, texts: taken.texts });
  }
  const operands = operandsOf(command, tokens);
  // Each value was read by the reader of its own flag.
  return { asks: "run", values: values as Values<Table>, operands, said };
}

/**
 * The environment variable of a flag: `cli6 ls` and `connect-timeout` give `CLI6_CONNECT_TIMEOUT`.
 */
export function variableOf(command: string, flag: string): string {
  const [program] = command.split(" ");
  return `${program}_${flag}`.toUpperCase().replaceAll("-", "_");
}

/** The first operand in front of any `--`: where a command's word may stand. */
export interface FirstOperand {
  readonly text: string;
  /** Its place in the arguments. */
  readonly at: number;
  /** All flags before it are known, so that it can't be the value of an unknown one. */
  readonly sure: boolean;
}

/** The first operand as `command` reads `args`, or null. Throws nothing. */
export function firstOperand(command: Command, args: readonly string[]): FirstOperand | null {
  const table = flagsOf(command);
  let sure = true;
  for (const token of tokensOf(table, args)) {
    if (token.kind === "option-terminator") return null;
    if (token.kind === "positional") return { text: token.value, at: token.index, sure };
    sure &&= flagOf(table, token) !== null;
  }
  return null;
}

/** The flags of `table` as they are typed in full: "--json", "--no-verify". */
export function longForms(table: FlagTable): string[] {
  return Object.entries(table).flatMap(([name, flag]) =>
    flag.type === "boolean" ? [`--${name}`, `--no-${name}`] : [`--${name}`],
  );
}

/** True when `command` has the flag that was given as `flag` ("--algo", "--no-json", "-c"). */
export function hasFlag(command: Command, flag: string): boolean {
  const names = flag.startsWith("--") ? [flag.slice(2), flag.replace(/^--no-/, "")] : [];
  return Object.entries(command.flags).some(
    ([name, { alias }]) => names.includes(name) || flag === `-${alias ?? ""}`,
  );
}

// --- internal ---

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];
type OptionToken = Extract<Token, { kind: "option" }>;

function tokensOf(table: FlagTable, args: readonly string[]): readonly Token[] {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { type, alias }]) => [
      name,
      alias === undefined ? { type } : { type, short: alias },
    ]),
  );
  const parsed = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  return parsed.tokens;
}

function isQuestion(token: Token): boolean {
  return token.kind === "option" && (token.name === "help" || token.name === "version");
}

/** The value of one flag, and who said it. */
interface Taken extends Said {
  readonly value: unknown;
}

function takeOption(table: FlagTable, token: OptionToken, given: Map<string, Taken>): void {
  const shown = printable(token.rawName);
  const found = flagOf(table, token);
  if (found === null) throw new UnknownFlagError(shown, nearest(shown, longForms(table)));
  const { name, flag, negated } = found;
  const many = flag.type === "string" && flag.many === true;
  if (given.has(name) && !many) throw new UsageError(`${shown} is given twice`);
  const value =
    flag.type === "string" ? valueOf(flag, token, shown) : stateOf(token, negated, shown);
  const before = given.get(name);
  const text = flag.type === "string" ? (token.value ?? "") : String(value);
  given.set(name, {
    by: "flag",
    texts: [...(before?.texts ?? []), text],
    value: many ? [...(Array.isArray(before?.value) ? before.value : []), value] : value,
  });
}

/** What the token means in this table, or null. */
function flagOf(
  table: FlagTable,
  token: OptionToken,
): { name: string; flag: ValueFlag<unknown> | SwitchFlag; negated: boolean } | null {
  const negated = token.name.startsWith("no-") && !Object.hasOwn(table, token.name);
  const name = negated ? token.name.slice(3) : token.name;
  const flag = Object.hasOwn(table, name) ? table[name] : undefined;
  if (flag === undefined || (negated && flag.type !== "boolean")) return null;
  return { name, flag, negated };
}

function valueOf(flag: ValueFlag<unknown>, token: OptionToken, shown: string): unknown {
  const { value } = token;
  const needs = `${shown} takes ${flag.reader.takes}`;
  if (value === undefined) throw new UsageError(`${needs}, and got nothing`);
  // `-p --hidden` is a forgotten value; a value that starts with a dash is given as --flag=-value.
  if (!token.inlineValue && /^-./.test(value)) {
    throw new UsageError(`${needs}, and got the flag ${printable(value)}`);
  }
  return readValue(flag.reader, value, shown);
}

function stateOf(token: OptionToken, negated: boolean, shown: string): boolean {
  if (token.value === undefined) return !negated;
  if (negated) throw new UsageError(`${shown} takes no value`);
  return readValue(yesOrNo, token.value, shown);
}

function readValue<T>(reader: Reader<T>, text: string, shown: string): T {
  const value = reader.read(text);
  if (value !== null) return value;
  throw new UsageError(`${shown} takes ${reader.takes}, not "${printable(text)}"`);
}

/**
 * The environment's value, as bytes like an argument's, or the file's, or the default. An empty
 * variable counts as none.
 */
function fallback(
  command: string,
  name: string,
  flag: ValueFlag<unknown> | SwitchFlag,
  environment: Environment,
  { filed, wrong }: Beside,
): Taken {
  const variable = variableOf(command, name);
  const text = flag.momentary === true ? "" : bytesOf(environment[variable] ?? "");
  const many = flag.type === "string" && flag.many === true;
  const words = (all: string): string[] => (many ? all.split(/\s+/).filter(Boolean) : [all]);
  try {
    if (text !== "") return takenFrom("environment", flag, words(text), variable);
  } catch (error) {
    if (wrong === undefined || !(error instanceof UsageError)) throw error;
    wrong(error);
  }
  const written = filed?.get(name);
  if (written !== undefined) return takenFrom("file", flag, written, name);
  if (flag.type === "string") {
    const texts = flag.default === undefined ? [] : words(flag.default);
    return takenFrom("default", flag, texts, `--${name}`);
  }
  if (flag.undecided === true) return { by: "default", texts: [], value: undefined };
  const value = flag.default ?? false;
  return { by: "default", texts: [String(value)], value };
}

/** `texts` as the reader of `flag` reads them; `shown` is what an error calls them. */
function takenFrom(
  by: Said["by"],
  flag: ValueFlag<unknown> | SwitchFlag,
  texts: readonly string[],
  shown: string,
): Taken {
  const reader: Reader<unknown> = flag.type === "string" ? flag.reader : yesOrNo;
  const read = texts.map((text) => readValue(reader, text, shown));
  return { by, texts, value: flag.type === "string" && flag.many === true ? read : read[0] };
}

function operandsOf(command: Command, tokens: readonly Token[]): Operand[] {
  const end = tokens.find((token) => token.kind === "option-terminator")?.index ?? Infinity;
  const operands: Operand[] = [];
  for (const token of tokens) {
    if (token.kind !== "positional") continue;
    operands.push({ text: token.value, literal: token.index > end });
  }
  const surplus = operands[command.operands.max];
  if (surplus === undefined) return operands;
  throw new UsageError(`one too many: "${printable(surplus.text)}"`);
}
