/**
 * The command `cli6`: its options, and which of its three forms is meant: paths on the command
 * line, paths from a pipe, or a prompt. Fetching is client/'s; this file only turns flags into
 * options and results into a status.
 */
import { isatty } from "node:tty";
import { parseServer, parseTarget, type Server, type Target } from "../client/address.ts";
import { CONNECT_TIMEOUT_MS } from "../client/dial.ts";
import { ClientError } from "../client/error.ts";
import { STALL_TIMEOUT_MS } from "../client/stall.ts";
import { writeFully } from "../flow/sink.ts";
import { EXIT, type ExitStatus } from "../wire/errors.ts";
import { PORT_DEFAULT } from "../wire/vocabulary.ts";
import { type Fetcher, FramedFetcher, PlainFetcher } from "./fetch.ts";
import {
  type Command,
  type Environment,
  type FlagTable,
  type Operand,
  parseFlags,
  UsageError,
  type Values,
} from "./flags.ts";
import { renderHelp, versionLine } from "./help.ts";
import { pathLines } from "./lines.ts";
import { Output } from "./output.ts";
import { printAll } from "./print.ts";
import { converse } from "./prompt.ts";
import { Report } from "./report.ts";
import { duration, parsed } from "./values.ts";

const STDIN = 0;
const STDOUT = 1;
const CONNECTION = "Connection";
const OUTPUT = "Output";

/** Milliseconds: a day outlasts any transfer's pause. */
const WAIT = { min: 1, max: 86_400_000 };

const FLAGS = {
  server: {
    type: "string",
    alias: "s",
    group: CONNECTION,
    valueHint: "host:port",
    reader: parsed("HOST, HOST:PORT or [IPv6]:PORT (TLS is not supported yet)", parseServer),
    description: "server for paths that are no URL",
    default: `127.0.0.1:${PORT_DEFAULT}`,
  },
  plain: {
    type: "boolean",
    group: CONNECTION,
    description: "speak bare paths, for servers that know nothing else",
  },
  "connect-timeout": {
    type: "string",
    group: CONNECTION,
    valueHint: "time",
    reader: duration(WAIT),
    description: "give up connecting after this time",
    default: `${CONNECT_TIMEOUT_MS / 1000}`,
  },
  timeout: {
    type: "string",
    group: CONNECTION,
    valueHint: "time",
    reader: duration(WAIT),
    description: "give up when nothing has come for this time",
    default: `${STALL_TIMEOUT_MS / 1000}`,
  },
  binary: { type: "boolean", group: OUTPUT, description: "print binary content to a terminal too" },
  quiet: {
    type: "boolean",
    alias: "q",
    group: OUTPUT,
    description: "no messages, only the status",
  },
} as const satisfies FlagTable;

/** The command line of cli6. */
export const CLI6: Command<typeof FLAGS> = {
  name: "cli6",
  summary: "Prints files of a serv6 server, complete or with an error.",
  flags: FLAGS,
  operands: {
    name: "path|url...",
    description: "what to print; without any, paths are read from standard input, one a line",
    max: Infinity,
  },
  examples: [
    ["cli6 README.md", "from the server on this machine"],
    ["cli6 s6://nas/a.txt s6://nas:7000/b.txt", "from others; a URL's %XX stands for a byte"],
    ["cli6 -s nas:6464 big.iso > big.iso", "exit status 0 only if every byte arrived"],
    ["find . -type f | cli6 -s nas > all", "one path a line, in order, over one connection"],
    ["cli6 -s nas", "asks for paths until Ctrl-D"],
    ["cli6 --plain -s other:9000 notes.txt", "a server that knows only bare paths"],
    ["cli6 ./get -- -x", "files called get and -x"],
  ],
  sections: [
    {
      title: "Exit status",
      lines: [
        "0 done        1 unexpected   2 usage           3 not found   4 denied      5 incomplete",
        "6 changed     7 no server    8 corrupt         9 local disk  10 timed out  11 protocol",
        "Of several failures the first one's; the other paths are printed all the same.",
      ],
    },
  ],
};

/** Words that are, or will be, commands: as the first operand they never name a file. */
const RESERVED = ["get", "ls", "stat", "hash", "mirror", "ping"];

/** Runs the command and resolves to its exit status. `args` are bytes, one a character. */
export async function cli6(args: readonly string[], environment: Environment): Promise<ExitStatus> {
  try {
    const invocation = parseFlags(CLI6, args, environment);
    if (invocation.asks !== "run") {
      return show(invocation.asks === "help" ? await renderHelp(CLI6) : versionLine(CLI6));
    }
    return await run(invocation.values, invocation.operands);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    new Report(false).say(`cli6: ${error.message} (try cli6 --help)`);
    return EXIT.usage;
  }
}

// --- internal ---

function show(told: string): ExitStatus {
  return writeFully(STDOUT, Buffer.from(`${told}\n`)) < 0 ? EXIT.localDisk : EXIT.done;
}

async function run(
  values: Values<typeof FLAGS>,
  operands: readonly Operand[],
): Promise<ExitStatus> {
  const { server } = values;
  const targets = targetsOf(operands, server);
  const fetcher = fetcherOf(values);
  const report = new Report(values.quiet);
  const output = new Output(values.binary);
  if (targets.length > 0) await printAll(targets, fetcher, output, report);
  else if (isatty(STDIN)) return converse(server, fetcher, output, report);
  else await printLines(server, fetcher, output, report);
  return report.status;
}

function fetcherOf(values: Values<typeof FLAGS>): Fetcher {
  const patience = {
    connectTimeoutMs: values["connect-timeout"],
    stallTimeoutMs: values.timeout,
  };
  return values.plain ? new PlainFetcher(patience) : new FramedFetcher(patience);
}

async function printLines(
  server: Server,
  fetcher: Fetcher,
  output: Output,
  report: Report,
): Promise<void> {
  try {
    await printAll(pathLines(Bun.stdin.stream(), server), fetcher, output, report);
  } catch (error) {
    report.fail(error);
  }
}

/** All targets, or UsageError for the first that is none: then nothing is fetched. */
function targetsOf(operands: readonly Operand[], server: Server): Target[] {
  const [first] = operands;
  if (first !== undefined && !first.literal && RESERVED.includes(first.text)) {
    const instead = `a file of that name is asked for as ./${first.text}`;
    throw new UsageError(`the command ${first.text} does not exist yet; ${instead}`);
  }
  try {
    return operands.map(({ text }) => parseTarget(text, server));
  } catch (error) {
    throw error instanceof ClientError ? new UsageError(error.message) : error;
  }
}
