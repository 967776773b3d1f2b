/**
 * The interface of a command of cli6 (`ls`, `get`, ...). Each command is one file of commands/ that
 * exports one Subcommand; it has a row in cli6/commands.ts and is imported only when its word is
 * given.
 */
import type { Command, Environment, FlagTable, Given } from "./flags.ts";

/**
 * A command of cli6.
 *
 *   const FLAGS = { ...connectionFlags(60_000), json: {...} } as const satisfies FlagTable;
 *   export const STAT: Subcommand<typeof FLAGS> = { command: {...}, async run({ values }) {...} };
 *
 * The command line is parsed by `command.flags` before `run` is called, and --help and --version
 * are answered: `run` sees only what is meant.
 */
export interface Subcommand<Table extends FlagTable = FlagTable> {
  /** Its name is "cli6 WORD"; flags, operands and examples as of any program. */
  readonly command: Command<Table>;
  /**
   * Runs it and resolves to the exit status; contents go to stdout, everything else to stderr.
   * Operands are bytes, one a character. It throws UsageError for what only it can know to be
   * wrong (status 2, one line); other failures it reports itself. `environment` is for what is no
   * flag (NO_COLOR, COLUMNS). `stop` is given at the prompt: its abort is Ctrl-C, and ends the
   * command instead of the process.
   */
  run(given: Given<Table>, environment: Environment, stop?: AbortSignal): Promise<number>;
}

/** One row of the table of commands. */
export interface SubcommandRow {
  /** As the first operand it selects the command; a file of that name is asked for as ./word. */
  readonly word: string;
  /** One line of `cli6 --help`. */
  readonly summary: string;
  /** Imports the command; missing: the word is kept for a command to come. */
  readonly load?: () => Promise<Subcommand>;
}
