/**
 * The prompt: a person types paths, their contents appear, over one connection for as long as it
 * lasts. The prompt and all messages go to stderr, so that `cli6 > FILE` gets contents alone.
 * History is in memory.
 */
import { bareTarget, type Server, urlOf } from "../client/address.ts";
import { EXIT, type ExitStatus } from "../wire/errors.ts";
import { bytesOf } from "../wire/escape.ts";
import type { Fetcher } from "./fetch.ts";
import type { Output } from "./output.ts";
import { printOne } from "./print.ts";
import type { Report } from "./report.ts";

const PROMPT = "serv6> ";

/** Exit status of a program that Ctrl-C ended: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/**
 * Asks for paths on `server` until `quit`, Ctrl-D or the end of input, and gives the exit status:
 * what failed in between was seen by the person and is no failure of the program. Ctrl-C ends it at
 * once.
 */
export async function converse(
  server: Server,
  fetcher: Fetcher,
  output: Output,
  report: Report,
): Promise<ExitStatus> {
  try {
    await fetcher.greet(server);
  } catch (error) {
    report.fail(error);
    return report.status;
  }
  report.say(`${urlOf(server)}: type a path to print the file; quit or Ctrl-D ends`);
  const broken = report.over.then(() => report.status);
  return Promise.race([broken, answer(server, fetcher, output, report)]);
}

// --- internal ---

async function answer(
  server: Server,
  fetcher: Fetcher,
  output: Output,
  report: Report,
): Promise<ExitStatus> {
  // Only here: no other use of the program waits for it.
  const { createInterface } = await import("node:readline");
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: PROMPT });
  lines.on("SIGINT", () => {
    lines.close(); // Gives the terminal back as it was.
    process.exit(INTERRUPTED);
  });
  lines.prompt();
  for await (const line of lines) {
    const word = line.trim();
    if (word === "quit") break;
    if (word !== "") await printOne(bareTarget(bytesOf(line), server), fetcher, output, report);
    output.freshLine();
    lines.prompt();
  }
  lines.close();
  return EXIT.done;
}
