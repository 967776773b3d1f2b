/**
 * The prompt: reads lines from a terminal and executes them in a Shell, over one lasting
 * connection. The prompt and all messages go to stderr, so that `cli6 > FILE` gets contents alone.
 */
import { urlOf } from "../../client/address.ts";
import type { Interface } from "node:readline";
import { EXIT } from "../output/exit.ts";
import { complete, type Completions } from "./completer.ts";
import { type History, HISTORY_LINES_MAX } from "./history.ts";
import { Keyboard } from "./keyboard.ts";
import { Shell, SHELL_WORDS, type ShellOptions } from "./shell.ts";

/** What a prompt needs beside its shell. */
export interface PromptOptions extends ShellOptions {
  readonly history: History;
}

/**
 * Executes lines until `quit`, Ctrl-D or the end of input, and gives the exit status: what failed
 * in between was seen by the person and is no failure of the program. Ctrl-C stops the command that
 * is running, or drops the line that is typed; it does not end the prompt.
 */
export async function converse(options: PromptOptions): Promise<number> {
  const { fetcher, report, server } = options;
  try {
    await fetcher.greet(server);
  } catch (error) {
    report.fail(error);
    return report.status;
  }
  report.say(`${urlOf(server)}: type a path to print the file; help tells more, quit ends`);
  const broken = report.over.then(() => report.status);
  return Promise.race([broken, answer(options)]);
}

// --- internal ---

async function answer(options: PromptOptions): Promise<number> {
  // Only here: no other use of the program waits for it.
  const { createInterface } = await import("node:readline");
  const shell = new Shell(options);
  const keyboard = new Keyboard(process.stdin);
  const lines = createInterface({
    input: keyboard,
    output: process.stderr,
    prompt: shell.prompt,
    history: options.history.read(),
    historySize: HISTORY_LINES_MAX,
    completer: (line: string, done: (error: null, found: Completions) => void) => {
      const { server, servers } = options;
      const resolve = shell.resolve.bind(shell);
      const found = complete(line, { server, servers, resolve, commands: SHELL_WORDS });
      void keyboard.during(found.then((completions) => done(null, completions)));
    },
  });
  lines.on("SIGINT", () => {
    process.stderr.write("^C");
    // The prompt comes back when the command has ended.
    if (shell.stop()) process.stderr.write("\n");
    else {
      dropLine(lines);
      lines.prompt();
    }
  });
  // Gives the terminal back as it was, also when something else ends the program.
  process.once("exit", () => lines.close());
  lines.prompt();
  for await (const line of lines) {
    options.history.add(line);
    if (!(await shell.execute(line))) return leave(lines, keyboard);
    options.output.freshLine();
    lines.setPrompt(shell.prompt);
    lines.prompt();
  }
  // Ctrl-D, which the terminal does not show: the shell's prompt gets a line of its own.
  process.stderr.write("\n");
  return leave(lines, keyboard);
}

function leave(lines: Interface, keyboard: Keyboard): number {
  lines.close();
  keyboard.close();
  return EXIT.done;
}

/** Empties the line and begins a new one, as Node's own REPL does it (lib/repl.js). */
function dropLine(lines: Interface): void {
  (lines as Interface & { clearLine(): void }).clearLine();
}
