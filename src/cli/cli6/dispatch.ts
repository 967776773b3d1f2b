/**
 * Chooses the command that a command line means. The command's word is the first operand; flags may
 * stand before it. A flag that cli6 itself does not know may be the command's, with a value behind
 * it: then each command whose word is among the arguments parses them, and the one for which its
 * own word is the first operand is meant.
 */
import {
  type Command,
  firstOperand,
  hasFlag,
  longForms,
  type Operand,
  UnknownFlagError,
  UsageError,
} from "../flags/flags.ts";
import type { Subcommand, SubcommandRow } from "../flags/subcommand.ts";
import { nearest } from "../flags/suggestion.ts";

/** A command and its arguments. */
export interface ChosenCommand {
  readonly subcommand: Subcommand;
  /** The arguments without the command's word. */
  readonly args: readonly string[];
}

/**
 * The command that `args` select, or null: then they are `main`'s own. Throws UsageError for a word
 * that is kept for a command to come.
 */
export async function choose(
  main: Command,
  rows: readonly SubcommandRow[],
  args: readonly string[],
): Promise<ChosenCommand | null> {
  const first = firstOperand(main, args);
  if (first === null) return null;
  if (!first.sure) {
    for (const row of rows) {
      // A command whose word is not given can't be meant, and is not loaded.
      const subcommand = args.includes(row.word) ? await row.load?.() : undefined;
      if (subcommand === undefined) continue;
      const own = firstOperand(subcommand.command, args);
      if (own?.sure === true && own.text === row.word) return choice(subcommand, args, own.at);
    }
  }
  const row = rows.find(({ word }) => word === first.text);
  return row === undefined ? null : choice(await loaded(row), args, first.at);
}

/**
 * The command that `first`, the first operand, was probably meant to be, or null. A word with a dot
 * or a slash is a file's name, and so is one behind `--`.
 */
export function meantCommand(
  first: Operand | undefined,
  rows: readonly SubcommandRow[],
): string | null {
  if (first === undefined || first.literal || !/^[A-Za-z]+$/.test(first.text)) return null;
  return nearest(
    first.text,
    rows.map(({ word }) => word),
  );
}

/** The command of `row`. Throws UsageError when it does not exist yet. */
export async function loaded({ word, load }: SubcommandRow): Promise<Subcommand> {
  if (load !== undefined) return load();
  const instead = `a file of that name is asked for as ./${word}`;
  throw new UsageError(`the command ${word} does not exist yet; ${instead}`);
}

/** The error for a flag that `command` does not have: it names the commands that have it. */
export async function explainUnknown(
  error: UnknownFlagError,
  command: Command,
  main: Command,
  rows: readonly SubcommandRow[],
): Promise<UsageError> {
  const owners: string[] = [];
  const nearby: string[] = [];
  for (const { load } of rows) {
    const other = (await load?.())?.command;
    if (other === undefined) continue;
    if (hasFlag(other, error.flag)) owners.push(other.name);
    const meant = nearest(error.flag, longForms(other.flags));
    if (meant !== null) nearby.push(`${meant} of ${other.name}`);
  }
  if (hasFlag(main, error.flag)) owners.unshift(`${main.name} ${main.operands.name}`.toUpperCase());
  if (owners.length === 0) {
    // A flag of this command that is nearly called so has been named already.
    const [first] = command === main && !error.message.endsWith("?") ? nearby : [];
    return first === undefined ? error : new UnknownFlagError(error.flag, first);
  }
  const named = owners.map((owner) => owner.replace(main.name.toUpperCase(), main.name));
  return new UsageError(`${error.flag} is a flag of ${listOf(named)}, not of ${command.name}`);
}

// --- internal ---

function choice(subcommand: Subcommand, args: readonly string[], at: number): ChosenCommand {
  return { subcommand, args: args.toSpliced(at, 1) };
}

function listOf(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
