/**
 * The prompt: a person types paths, their contents appear, over one connection for as long as it lasts. The prompt
 * and all messages go to stderr, so that `cli6 > FILE` gets contents alone. History is in memory.
 */
import { bareTarget, type Server, urlOf } from "../client/address.ts";
import { bytesOf } from "../wire/escape.ts";
import type { Fetcher } from "./fetch.ts";
import type { Output } from "./output.ts";
import { printOne } from "./print.ts";
import type { Report } from "./report.ts";

const PROMPT = "serv6> ";

/** Exit status of a program that Ctrl-C ended: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/** Asks for paths on `server` until `quit`, Ctrl-D or the end of input. Ctrl-C ends the program. */
export async function converse(
  server: Server,
  fetcher: Fetcher,
  output: Output,
  report: Report,
): Promise<void> {
  try {
    await fetcher.greet(server);
  } catch (error) {
    report.fail(error);
    return;
  }
  report.say(`${urlOf(server)}: type a path to print the file; quit or Ctrl-D ends`);
  // Only here: no other use of the program waits for it.
  const { createInterface } = await import("node:readline");
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: PROMPT });
  lines.on("SIGINT", () => process.exit(INTERRUPTED));
  lines.prompt();
  for await (const line of lines) {
    const path = line.trim();
    if (path === "quit") break;
    if (path !== "") await printOne(bareTarget(bytesOf(path), server), fetcher, output, report);
    output.freshLine();
    lines.prompt();
  }
  lines.close();
}
