/**
 * The command line, strictly, for both programs. Options are declared once, as a table of citty's definitions; from
 * it come the parser, the environment's names and the help. An unknown flag, a missing or bad value, a flag given
 * twice end in one line that names what was given and what it takes: nothing is swallowed, nothing guessed.
 *
 * citty's own parser is not used: it takes unknown flags and drops repeated ones. Order: flag, environment,
 * default. The default of an option is the caller's: a reader answers undefined when nothing was given.
 */
import { parseArgs } from "node:util";
import type { BooleanArgDef, StringArgDef } from "citty";
import { printableText } from "../wire/printable.ts";
import { type Bounds, count, duration, oneOf, type Reader, size, yesOrNo } from "./values.ts";

/** One option. `--name VALUE` when its type is "string", `--name` and `--no-name` when it is "boolean". */
export type Flag = (StringArgDef | BooleanArgDef) & {
  readonly type: "string" | "boolean";
  /** One letter. */
  readonly alias?: string;
  /** The heading of the help under which it stands. */
  readonly group: string;
  /** It may be given several times; from the environment its values are separated by spaces. */
  readonly repeat?: boolean;
};

/** A program's options by name. `help` and `version` are not read from the environment. */
export type Flags = Readonly<Record<string, Flag>>;

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The command line was wrong. `message` is one printable line without the program's name. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What was given for one option, and where: `--port`, `-p` or `SERV6_PORT`. */
interface Source {
  readonly shown: string;
  readonly texts: readonly string[];
}

/** What a command line and an environment gave. Its readers throw UsageError for a value that is none. */
export class Given {
  /** What stands behind the flags. */
  readonly words: readonly string[];
  /** Words from this index on stand behind `--`: they can't be meant as a command's name. */
  readonly literalFrom: number;
  readonly #sources: ReadonlyMap<string, Source>;

  /** For parseFlags(). */
  constructor(
    sources: ReadonlyMap<string, Source>,
    words: readonly string[],
    literalFrom: number = words.length,
  ) {
    this.#sources = sources;
    this.words = words;
    this.literalFrom = literalFrom;
  }

  /** A switch. */
  boolean(name: string, otherwise = false): boolean {
    return this.value(name, yesOrNo) ?? otherwise;
  }

  /** A whole number from `min` to `max`. */
  count(name: string, min: number, max: number): number | undefined {
    return this.value(name, count({ min, max }));
  }

  /** A time, in milliseconds. */
  duration(name: string, bounds?: Bounds): number | undefined {
    return this.value(name, duration(bounds));
  }

  /** Bytes. */
  size(name: string, bounds?: Bounds): number | undefined {
    return this.value(name, size(bounds));
  }

  /** One of `words`. */
  choice<Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word {
    return this.value(name, oneOf(words)) ?? otherwise;
  }

  /** What `reader` makes of it, or undefined when nothing was given. */
  value<T>(name: string, reader: Reader<T>): T | undefined {
    const source = this.#sources.get(name);
    const text = source?.texts[0];
    if (source === undefined || text === undefined) return undefined;
    const value = reader.read(text);
    if (value !== null) return value;
    throw new UsageError(`${source.shown} takes ${reader.takes}, not "${printableText(text)}"`);
  }

  /** Every value of an option that may be repeated, in order. */
  all(name: string): readonly string[] {
    return this.#sources.get(name)?.texts ?? [];
  }
}

/**
 * Parses `args`, which come without program and script, as text or as bytes one a character; `prefix` starts the
 * environment's names. Throws UsageError, except when help or the version is asked for: that wins over any mistake
 * beside it.
 */
export function parseFlags(
  args: readonly string[],
  flags: Flags,
  environment: Environment,
  prefix: string,
): Given {
  const tokens = tokensOf(flags, args);
  const asked = tokens.find((token) => token.kind === "option" && isQuestion(token.name));
  if (asked?.kind === "option") {
    return new Given(new Map([[asked.name, { shown: asked.rawName, texts: ["yes"] }]]), []);
  }
  const sources = environmentOf(flags, environment, prefix);
  const onLine = new Map<string, Source>();
  for (const token of tokens) if (token.kind === "option") takeOption(flags, token, onLine);
  for (const [name, source] of onLine) sources.set(name, source);
  const words = tokens.filter((token) => token.kind === "positional");
  const end = tokens.find((token) => token.kind === "option-terminator")?.index ?? args.length;
  const literalFrom = words.filter(({ index }) => index < end).length;
  return new Given(
    sources,
    words.map(({ value }) => value),
    literalFrom,
  );
}

/** The environment variable of an option: `SERV6` and `idle-timeout` give `SERV6_IDLE_TIMEOUT`. */
export function variableOf(prefix: string, name: string): string {
  return `${prefix}_${name}`.toUpperCase().replaceAll("-", "_");
}

// --- internal ---

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];
type OptionToken = Extract<Token, { kind: "option" }>;

function isQuestion(name: string): boolean {
  return name === "help" || name === "version";
}

function tokensOf(flags: Flags, args: readonly string[]): readonly Token[] {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { type, alias }]) => [
      name,
      alias === undefined ? { type } : { type, short: alias },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  return tokens;
}

/** Reads one flag of the command line. */
function takeOption(flags: Flags, token: OptionToken, given: Map<string, Source>): void {
  const shown = printableText(token.rawName);
  const negated = token.name.startsWith("no-") && !Object.hasOwn(flags, token.name);
  const name = negated ? token.name.slice(3) : token.name;
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (flag === undefined || (negated && flag.type !== "boolean")) {
    throw new UsageError(`unknown flag ${shown}`);
  }
  const before = given.get(name);
  if (before !== undefined && flag.repeat !== true) {
    throw new UsageError(`${shown} is given twice`);
  }
  const text =
    flag.type === "string" ? valueOf(flag, token, shown) : stateOf(token, negated, shown);
  given.set(name, { shown, texts: [...(before?.texts ?? []), text] });
}

function valueOf(flag: Flag, { value, inlineValue }: OptionToken, shown: string): string {
  const hint = flag.valueHint ?? "VALUE";
  if (value === undefined) throw new UsageError(`${shown} takes a ${hint}, and got nothing`);
  // `-p --hidden` is a forgotten value; one that starts with a dash is given as --flag=-value.
  if (!inlineValue && /^-./.test(value)) {
    throw new UsageError(`${shown} takes a ${hint}, and got the flag ${printableText(value)}`);
  }
  return value;
}

function stateOf({ value }: OptionToken, negated: boolean, shown: string): string {
  if (value === undefined) return negated ? "no" : "yes";
  if (negated) throw new UsageError(`${shown} takes no value`);
  return value;
}

/** What the environment gives. An empty variable counts as none. */
function environmentOf(
  flags: Flags,
  environment: Environment,
  prefix: string,
): Map<string, Source> {
  const sources = new Map<string, Source>();
  for (const [name, { repeat }] of Object.entries(flags)) {
    const shown = variableOf(prefix, name);
    const text = environment[shown] ?? "";
    if (text === "" || isQuestion(name)) continue;
    sources.set(name, { shown, texts: repeat === true ? text.trim().split(/\s+/) : [text] });
  }
  return sources;
}
