/**
 * `cli6 login`: saves a token for one server, after that server has taken it. It is read from
 * --token-file or standard input, and on a terminal without being shown; `--forget` takes it away.
 */
import { parseServer, urlOf } from "../../client/address.ts";
import { STALL_TIMEOUT_MS } from "../../client/stall.ts";
import { openWireClient } from "../../client/wireclient.ts";
import { saveToken } from "../../identity/savedtokens.ts";
import { kernel } from "../../sys/kernel.ts";
import { printableText } from "../../wire/printable.ts";
import { isToken } from "../../wire/vocabulary.ts";
import { utf8Of } from "../../wire/bytes.ts";
import { connectionFlags, connectionSettingsOf, meant } from "../flags/connection.ts";
import { type Command, type FlagTable, UsageError } from "../flags/flags.ts";
import { QUIET_FLAG } from "../flags/general.ts";
import { stateFile } from "../flags/statefile.ts";
import type { Subcommand } from "../flags/subcommand.ts";
import { Report } from "../output/report.ts";
import { onSignals } from "./signals.ts";

const STDIN = 0;

const FLAGS = {
  ...connectionFlags(STALL_TIMEOUT_MS),
  forget: { type: "boolean", group: "Token", description: "take away what was saved" },
  quiet: QUIET_FLAG,
} as const satisfies FlagTable;

const COMMAND: Command<typeof FLAGS> = {
  name: "cli6 login",
  summary: "Saves a token for a server, readable by this user alone; it is shown to that one only.",
  flags: FLAGS,
  operands: { name: "server", description: "s6s://HOST[:PORT]", max: 1 },
  examples: [
    ["cli6 login s6s://nas", "asks for the token, and saves it when the server takes it"],
    ["cli6 login s6s://nas <token", "the same from a file"],
    ["cli6 login --forget s6s://nas", ""],
  ],
};

/** The command. */
export const LOGIN: Subcommand<typeof FLAGS> = {
  command: COMMAND,
  async run({ values, operands }, environment) {
    const [given] = operands;
    if (given === undefined) throw new UsageError("login needs a server, as s6s://HOST");
    const server = meant(() => parseServer(utf8Of(given.text)));
    const url = urlOf(server);
    const file = stateFile("cli6", "tokens", environment);
    if (file === null) throw new UsageError("tokens are saved below HOME, and there is none");
    const report = new Report(values.quiet);
    try {
      if (values.forget) {
        saveToken(file, url, "");
        report.say(`cli6: no token is saved for ${url} any more`);
        return report.status;
      }
      const settings = connectionSettingsOf(values);
      const fromFile = values["token-file"] === undefined ? undefined : settings.token;
      const token = typeof fromFile === "string" ? fromFile : await asked(url);
      if (!isToken(token)) throw new UsageError("a token is one line of visible ASCII");
      const client = await openWireClient(server, { ...settings, token });
      const asksToken = await client.ping().then(
        (pong) => pong.asksToken || pong.server !== "serv6",
        () => true,
      );
      client.close();
      saveToken(file, url, token);
      const taken = asksToken ? "takes the token" : "asks for no token, and takes any";
      report.say(`cli6: ${url} ${taken}; it is saved in ${printableText(file)}`);
    } catch (error) {
      report.fail(error);
    }
    return report.status;
  },
};

// --- internal ---

const ENTER = /[\r\n]/;
const CTRL_C = "\x03";
const CTRL_D = "\x04";
const DELETE = /[\b\x7f]/;

/** One line of standard input. */
async function asked(url: string): Promise<string> {
  if (!kernel.isTerminal(STDIN)) {
    const [line = ""] = (await Bun.stdin.text()).split(/\r?\n/);
    return line;
  }
  // The runtime puts the terminal in order at Ctrl-C and SIGTERM, and not at SIGHUP.
  const ignore = onSignals((status) => {
    try {
      process.stdin.setRawMode(false);
      process.stderr.write("\n");
    } finally {
      process.exit(status);
    }
  });
  // The other way round, what is typed as soon as the words are there would be shown.
  process.stdin.setRawMode(true);
  process.stderr.write(`token for ${url}: `);
  try {
    return await typed();
  } finally {
    ignore();
    process.stdin.setRawMode(false);
    process.stdin.pause();
    process.stderr.write("\n");
  }
}

/** What is typed up to Enter, none of which is shown. Throws UsageError for Ctrl-C. */
async function typed(): Promise<string> {
  let line = "";
  for await (const chunk of process.stdin) {
    for (const char of String(chunk)) {
      if (ENTER.test(char) || char === CTRL_D) return line;
      if (char === CTRL_C) throw new UsageError("no token was given");
      line = DELETE.test(char) ? line.slice(0, -1) : line + char;
    }
  }
  return line;
}
