/**
 * The prompt: reads lines from a terminal and executes them in a Shell, over one lasting
 * connection. The prompt and all messages go to stderr, so that `cli6 > FILE` gets contents alone.
 */
import { urlOf } from "../../client/address.ts";
import { EXIT, type ExitStatus } from "../output/exit.ts";
import { complete, type Completions } from "./completer.ts";
import { Shell, SHELL_WORDS, type ShellOptions } from "./shell.ts";

/** Exit status of a program that Ctrl-C ended: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/** Lines of history. */
const HISTORY_LINES_MAX = 500;

/**
 * Asks for lines until `quit`, Ctrl-D or the end of input, and gives the exit status: what failed
 * in between was seen by the person and is no failure of the program. Ctrl-C ends it at once.
 */
export async function converse(options: ShellOptions): Promise<ExitStatus> {
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

async function answer(options: ShellOptions): Promise<ExitStatus> {
  // Only here: no other use of the program waits for it.
  const { createInterface } = await import("node:readline");
  const shell = new Shell(options);
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    prompt: shell.prompt,
    historySize: HISTORY_LINES_MAX,
    completer: (line: string, done: (error: null, found: Completions) => void) => {
      const { server, servers } = options;
      const resolve = shell.resolve.bind(shell);
      void complete(line, { server, servers, resolve, commands: SHELL_WORDS }).then((found) =>
        // Typed on meanwhile: what was found belongs to another line.
        done(null, lines.line.startsWith(line) ? found : [[], line]),
      );
    },
  });
  lines.on("SIGINT", () => {
    lines.close(); // Gives the terminal back as it was.
    process.exit(INTERRUPTED);
  });
  lines.prompt();
  for await (const line of lines) {
    if (!(await shell.execute(line))) break;
    options.output.freshLine();
    lines.setPrompt(shell.prompt);
    lines.prompt();
  }
  lines.close();
  return EXIT.done;
}
