/**
 * The program `cli6`: runs a command, or prints files whose paths come from the command line, from
 * stdin or from a prompt. It turns flags into options and results into an exit status; client/ does
 * the fetching.
 */
import { type ServerAddress, type Target } from "../../client/address.ts";
import { ClientError } from "../../client/error.ts";
import { STALL_TIMEOUT_MS } from "../../client/stall.ts";
import { kernel } from "../../sys/kernel.ts";
import { EXIT } from "../output/exit.ts";
import { bytesOf } from "../../wire/bytes.ts";
import { printable } from "../../wire/printable.ts";
import { COMMANDS } from "./commands.ts";
import { connectionFlags, connectionSettingsOf, targetsOf } from "../flags/connection.ts";
import { COMPLETIONS_FLAG, CONNECTION, OUTPUT, QUIET_FLAG } from "../flags/general.ts";
import { choose, explainUnknown, loaded, meantCommand } from "./dispatch.ts";
import { type Fetcher, FramedFetcher, PlainFetcher } from "../../client/fetcher.ts";
import {
  type Command,
  type Environment,
  firstOperand,
  type FlagTable,
  type Operand,
  parseFlags,
  UnknownFlagError,
  UsageError,
  type Values,
} from "../flags/flags.ts";
import { answerTo, renderHelp } from "../flags/help.ts";
import { pathLines } from "./pathlines.ts";
import { ContentOutput } from "../output/content.ts";
import { catAll } from "../commands/cat.ts";
import { stateFile } from "../flags/statefile.ts";
import { Report } from "../output/report.ts";
import { printAnswer } from "../output/text.ts";
import { ClientsByServer } from "../../client/clients.ts";
import type { ShellOptions } from "../prompt/shell.ts";
import type { Subcommand } from "../flags/subcommand.ts";

const STDIN = 0;

const { timeout: TIMEOUT, ...BASE } = connectionFlags(STALL_TIMEOUT_MS);

const FLAGS = {
  ...BASE,
  timeout: {
    type: "string",
    group: CONNECTION,
    valueHint: TIMEOUT.valueHint,
    reader: TIMEOUT.reader,
    // Without a default here: the prompt's `hash` has a longer one, which holds unless this is
    // given.
    description: `${TIMEOUT.description}; default: ${TIMEOUT.default}`,
  },
  plain: {
    type: "boolean",
    group: CONNECTION,
    description: "speak bare paths, for servers that know nothing else",
  },
  binary: { type: "boolean", group: OUTPUT, description: "print binary content to a terminal too" },
  history: {
    type: "boolean",
    group: OUTPUT,
    description: "keep what is typed at the prompt; --no-history keeps none",
    default: true,
  },
  quiet: QUIET_FLAG,
  completions: COMPLETIONS_FLAG,
} as const satisfies FlagTable;

/** The command line of cli6. */
export const CLI6: Command<typeof FLAGS> = {
  name: "cli6",
  summary: "Prints files of a serv6 server, complete or with an error.",
  flags: FLAGS,
  commands: [
    ...COMMANDS,
    { word: "help", summary: "the help of a command: cli6 help ls, or cli6 ls --help" },
  ],
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
    ["cli6 ls -s nas models", "a command; cli6 ls --help tells its flags"],
    ["cli6 ./ls -- -x", "files called ls and -x"],
    ["source <(cli6 --completions bash)", "Tab completes, from ~/.bashrc"],
  ],
  sections: [
    {
      title: "Exit status",
      lines: [
        "0 done        1 unexpected   2 usage           3 not found   4 denied      5 incomplete",
        "6 changed     7 no server    8 corrupt         9 local disk  10 timed out  11 protocol",
        "141 when the reader of the output went away, as in cli6 ls | head.",
        "Of several failures the first one's; the other paths are printed all the same.",
      ],
    },
  ],
};

const HELP = "help";

/** Runs the command and resolves to its exit status. `args` are bytes, one a character. */
export async function cli6(args: readonly string[], environment: Environment): Promise<number> {
  let subcommand: Subcommand = MAIN;
  try {
    const first = firstOperand(CLI6, args);
    if (first?.sure === true && first.text === HELP) {
      return await help(args.toSpliced(first.at, 1));
    }
    const chosen = await choose(CLI6, COMMANDS, args);
    subcommand = chosen?.subcommand ?? MAIN;
    return await start(subcommand, chosen?.args ?? args, environment);
  } catch (error) {
    return refuse(error, subcommand.command);
  }
}

// --- internal ---

async function start(
  subcommand: Subcommand,
  args: readonly string[],
  environment: Environment,
  stop?: AbortSignal,
): Promise<number> {
  const { command } = subcommand;
  const invocation = parseFlags(command, args, environment);
  if (invocation.asks === "run") return subcommand.run(invocation, environment, stop);
  return printAnswer(await answerTo(invocation.asks, command, CLI6));
}

/** `cli6 help [WORD]`. */
async function help(args: readonly string[]): Promise<number> {
  const topic = firstOperand(CLI6, args)?.text;
  if (topic === undefined || topic === HELP) return printAnswer(await renderHelp(CLI6));
  const row = COMMANDS.find(({ word }) => word === topic);
  if (row === undefined) {
    const meant = meantCommand({ text: topic, literal: false }, COMMANDS);
    const hint = meant === null ? "" : `: did you mean ${meant}?`;
    throw new UsageError(`there is no command ${printable(topic)}${hint}`);
  }
  return printAnswer(await renderHelp((await loaded(row)).command));
}

async function refuse(error: unknown, command: Command): Promise<number> {
  if (!(error instanceof UsageError)) throw error;
  const { message } =
    error instanceof UnknownFlagError
      ? await explainUnknown(error, command, CLI6, COMMANDS)
      : error;
  new Report(false).say(`cli6: ${message} (try ${command.name} --help)`);
  return EXIT.usage;
}

/** `cli6` without a command: prints files. */
const MAIN: Subcommand<typeof FLAGS> = {
  command: CLI6,
  run: ({ values, operands }, environment) => print(values, operands, environment),
};

async function print(
  values: Values<typeof FLAGS>,
  operands: readonly Operand[],
  environment: Environment,
): Promise<number> {
  const { server, completions } = values;
  if (completions !== undefined) {
    const { completionScript } = await import("../flags/completions.ts");
    return printAnswer(await completionScript(completions, CLI6, COMMANDS));
  }
  const targets = targetsOf(operands, server);
  const settings = connectionSettingsOf({ ...values, timeout: values.timeout ?? STALL_TIMEOUT_MS });
  const servers = values.plain ? null : new ClientsByServer(settings);
  const fetcher = servers === null ? new PlainFetcher(settings) : new FramedFetcher(servers);
  const report = new Report(values.quiet);
  const output = new ContentOutput(values.binary);
  if (targets.length > 0) {
    const meant = meantCommand(operands[0], COMMANDS);
    const hint = (target: Target, error: unknown): void => {
      const missing = error instanceof ClientError && error.code === "ENOENT";
      if (meant === null || !missing || target !== targets[0]) return;
      report.say(`cli6: there is no command ${operands[0]?.text}: did you mean cli6 ${meant}?`);
    };
    await catAll(targets, fetcher, output, report, hint);
  } else if (kernel.isTerminal(STDIN)) {
    const { converse } = await import("../prompt/prompt.ts");
    const asked = { timeoutMs: values.timeout ?? null, runner: runnerOf(values, environment) };
    const { History } = await import("../prompt/history.ts");
    const history = new History(values.history ? stateFile("cli6", "history", environment) : null);
    return converse({ server, servers, fetcher, output, report, history, ...asked });
  } else await printLines(server, fetcher, output, report);
  return report.status;
}

/** Which of this run's flags the prompt's `get` and `mirror` have too, where they are given. */
const HANDED_ON = ["pin", "ca", "cert", "key", "token-file"] as const;

/** The prompt's `get` and `mirror` run the commands, with this run's timeouts, trust and token. */
function runnerOf(values: Values<typeof FLAGS>, environment: Environment): ShellOptions["runner"] {
  return async (word, flags, operands, stop) => {
    const { timeout, "connect-timeout": connecting } = values;
    const times = [`--connect-timeout=${connecting}ms`];
    if (timeout !== undefined) times.push(`--timeout=${timeout}ms`);
    const shown = HANDED_ON.flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [`--${name}=${bytesOf(value)}`];
    });
    if (values["insecure-auth"]) shown.push("--insecure-auth");
    const row = COMMANDS.find((each) => each.word === word) ?? { word, summary: "" };
    await start(
      await loaded(row),
      [...times, ...shown, ...flags, "--", ...operands],
      environment,
      stop,
    );
  };
}

async function printLines(
  server: ServerAddress,
  fetcher: Fetcher,
  output: ContentOutput,
  report: Report,
): Promise<void> {
  try {
    await catAll(pathLines(Bun.stdin.stream(), server), fetcher, output, report);
  } catch (error) {
    report.fail(error);
  }
}
