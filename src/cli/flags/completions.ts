/**
 * Completion scripts for shells, generated from the flag tables: commands, flags, and the values of
 * flags that take one of a few words. Paths on a server are not completed: each Tab would connect
 * to it.
 */
import { type Command, flagsOf, type FlagTable } from "./flags.ts";
import type { SubcommandRow } from "./subcommand.ts";

/** Shells that a script can be made for. */
export type ShellName = "bash" | "zsh" | "fish";

/** The script for `shell` that completes `main` and the commands in `rows`. */
export async function completionScript(
  shell: ShellName,
  main: Command,
  rows: readonly SubcommandRow[] = [],
): Promise<string> {
  const commands = [{ word: "", summary: "", command: main }];
  for (const { word, summary, load } of rows) {
    const command = (await load?.())?.command;
    if (command !== undefined) commands.push({ word, summary, command });
  }
  const described = commands.map(({ word, summary, command }) => ({
    word,
    summary,
    flags: Object.entries(flagsOf(command)).map(describe),
  }));
  switch (shell) {
    case "bash":
      return bash(main.name, described);
    case "zsh":
      return zsh(main.name, described);
    case "fish":
      return fish(main.name, described);
  }
}

// --- internal ---

interface Flag {
  /** "--name" and perhaps "-n". */
  readonly forms: readonly string[];
  readonly takesValue: boolean;
  /** What the value may be; none when that is not a few words. */
  readonly words: readonly string[];
  readonly description: string;
}

/** A command's flags; word "" is the program without a command. */
interface Described {
  readonly word: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
}

function describe([name, flag]: [string, FlagTable[string]]): Flag {
  const negated = flag.type === "boolean" && flag.default === true;
  const long = negated ? `--no-${name}` : `--${name}`;
  const other = flag.type === "boolean" && flag.undecided === true ? [`--no-${name}`] : [];
  return {
    forms: [long, ...other, ...(flag.alias === undefined ? [] : [`-${flag.alias}`])],
    takesValue: flag.type === "string",
    words: flag.type === "string" ? (flag.reader.words ?? []) : [],
    description: flag.description ?? "",
  };
}

function bash(name: string, commands: readonly Described[]): string {
  const words = commands.map(({ word }) => word).filter((word) => word !== "");
  const valued = new Set(
    commands.flatMap(({ flags }) => flags.filter((it) => it.takesValue).flatMap((it) => it.forms)),
  );
  const lines = [
    `_${name}_words() {`,
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i",
    "  COMPREPLY=()",
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    "    case ${COMP_WORDS[i]} in",
    `      ${[...valued].join("|")}) ((i++)) ;;`,
    "      -*) ;;",
    ...(words.length === 0
      ? []
      : [`      ${words.join("|")}) command=\${COMP_WORDS[i]}; break ;;`]),
    "      *) command=-; break ;;",
    "    esac",
    "  done",
    "  case $command:$prev in",
    ...commands.flatMap(({ word, flags }) =>
      flags.filter((it) => it.takesValue).map((flag) => valueCase(word, flag)),
    ),
    "  esac",
    "  case $command:$cur in",
    ...commands.map(({ word, flags }) => {
      const forms = flags.flatMap((flag) => flag.forms).join(" ");
      return `    ${pattern(word, "-*")}) COMPREPLY=($(compgen -W '${forms}' -- "$cur")) ;;`;
    }),
    ...(words.length === 0
      ? ['    *) COMPREPLY=($(compgen -f -- "$cur")) ;;']
      : [`    :*) COMPREPLY=($(compgen -W '${words.join(" ")} help' -- "$cur")) ;;`]),
    "  esac",
    "}",
    `complete ${words.length === 0 ? "-o filenames " : ""}-F _${name}_words ${name}`,
  ];
  return lines.join("\n");
}

/**
 * zsh runs bash's completions by itself. The text may be sourced, or lie as `_NAME` in a folder of
 * $fpath: then zsh takes it for the function that answers, and runs it at the first Tab.
 */
function zsh(name: string, commands: readonly Described[]): string {
  const script = bash(name, commands);
  const options = script.slice(script.lastIndexOf("\ncomplete ")).trim().split(" ").slice(1, -1);
  return [
    `#compdef ${name}`,
    "autoload -U +X bashcompinit && bashcompinit",
    script,
    `if [[ \${funcstack[1]} = _${name} ]]; then _bash_complete ${options.join(" ")}; fi`,
  ].join("\n");
}

/** The line of bash's `case` for what may follow a flag that takes a value. */
function valueCase(word: string, { forms, words }: Flag): string {
  const patterns = forms.map((form) => pattern(word, form)).join("|");
  const reply =
    words.length === 0 ? "" : `COMPREPLY=($(compgen -W '${words.join(" ")}' -- "$cur")); `;
  return `    ${patterns}) ${reply}return ;;`;
}

/** `command:rest`. The program's own flags are offered behind a path too (`command` is "-"). */
function pattern(word: string, rest: string): string {
  return word === "" ? `:${rest}|-:${rest}` : `${word}:${rest}`;
}

function fish(name: string, commands: readonly Described[]): string {
  const words = commands.map(({ word }) => word).filter((word) => word !== "");
  const lines = words.length === 0 ? [] : [`complete -c ${name} -f`];
  for (const { word, summary, flags } of commands) {
    const none =
      words.length === 0 ? "" : ` -n 'not __fish_seen_subcommand_from ${words.join(" ")}'`;
    const where = word === "" ? none : ` -n '__fish_seen_subcommand_from ${word}'`;
    if (word !== "") lines.push(`complete -c ${name}${none} -a ${word} -d ${fishText(summary)}`);
    for (const { forms, takesValue, words: values, description } of flags) {
      const [long = "", short] = forms;
      const letter = short === undefined ? "" : ` -s ${short.slice(1)}`;
      const value = takesValue ? ` -x${values.length > 0 ? ` -a '${values.join(" ")}'` : ""}` : "";
      lines.push(
        `complete -c ${name}${where} -l ${long.slice(2)}${letter}${value} -d ${fishText(description)}`,
      );
    }
  }
  return lines.join("\n");
}

function fishText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
