/**
 * What goes with the programs and is no program: manual pages and completions, made from the tables
 * that the programs themselves read.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLI6 } from "../../src/cli/cli6/cli6.ts";
import { COMMANDS } from "../../src/cli/cli6/commands.ts";
import { completionScript } from "../../src/cli/flags/completions.ts";
import { CACHE } from "../../src/cli/serv6/cache.ts";
import { SERV6 } from "../../src/cli/serv6/serv6.ts";
import { SIGN } from "../../src/cli/serv6/sign.ts";
import { VERSION } from "../../src/server/version.ts";
import { manualPage } from "./man.ts";

/** The pages' sources. `date`: YYYY-MM-DD. */
export async function manuals(date: string): Promise<{ serv6: string; cli6: string }> {
  const loaded = await Promise.all(COMMANDS.map(({ load }) => load?.()));
  const commands = loaded.flatMap((subcommand) => subcommand?.command ?? []);
  const told = { version: VERSION, date };
  return {
    serv6: manualPage({
      ...told,
      main: SERV6,
      commands: [SIGN, CACHE],
      variables: [
        ["SERV6_TOKEN", "A token that may read everything, instead of a file of them."],
        [
          "XDG_STATE_HOME",
          "The keys of --tls-self and of links are kept in serv6 below it; by default that is .local/state below HOME.",
        ],
      ],
      seeAlso: ["cli6(1)", "curl(1)", "nc(1)"],
    }),
    cli6: manualPage({
      ...told,
      main: CLI6,
      commands,
      variables: [
        ["NO_COLOR", "When it is set and not empty, nothing is coloured."],
        ["TERM", "When it is dumb or unset, there is no progress bar."],
        ["CLI6_TOKEN", "The token that is shown to a server."],
        [
          "XDG_STATE_HOME",
          "History, known certificates and saved tokens are kept in cli6 below it; by default that is .local/state below HOME.",
        ],
      ],
      seeAlso: ["serv6(1)", "curl(1)", "rsync(1)", "sha256sum(1)"],
    }),
  };
}

/** Writes them all: man/serv6.1, completions/bash/serv6, completions/fish/serv6.fish, zsh/_serv6. */
export async function writeTexts(folder: string, date: string): Promise<void> {
  const pages = await manuals(date);
  mkdirSync(join(folder, "man"), { recursive: true });
  for (const shell of ["bash", "fish", "zsh"] as const) {
    mkdirSync(join(folder, "completions", shell), { recursive: true });
  }
  for (const [command, rows] of [
    [SERV6, []],
    [CLI6, COMMANDS],
  ] as const) {
    const { name } = command;
    writeFileSync(join(folder, "man", `${name}.1`), pages[name as keyof typeof pages]);
    const files = { bash: name, fish: `${name}.fish`, zsh: `_${name}` } as const;
    for (const shell of ["bash", "fish", "zsh"] as const) {
      const script = await completionScript(shell, command, rows);
      writeFileSync(join(folder, "completions", shell, files[shell]), `${script}\n`);
    }
  }
}
