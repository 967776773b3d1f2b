/** `cli6 ping`: round-trip times of PING requests over one lasting connection. */
import { parseServer, type ServerAddress, urlOf } from "../../client/address.ts";
import {
  openWireClient,
  type ConnectionSettings,
  type WireClient,
} from "../../client/wireclient.ts";
import { ClientError } from "../../client/error.ts";
import { kernel } from "../../sys/kernel.ts";
import { isIgnored } from "../../sys/signals.ts";
import { printableText } from "../../wire/printable.ts";
import { connectionFlags, meant, connectionSettingsOf, s6TargetsOf } from "../flags/connection.ts";
import { OUTPUT, QUIET_FLAG } from "../flags/general.ts";
import { type Command, type FlagTable, type Operand } from "../flags/flags.ts";
import { TextOutput } from "../output/text.ts";
import { Report } from "../output/report.ts";
import { PingStatistics } from "./pingstatistics.ts";
import type { Subcommand } from "../flags/subcommand.ts";
import { count, duration } from "../flags/values.ts";

/** Milliseconds without an answer after which a ping counts as failed. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Pings where stdout is no terminal, so that nobody may be there to press Ctrl-C. */
const COUNT_DEFAULT = 5;

const SENDING = "Sending";
const STDOUT = 1;

const FLAGS = {
  count: {
    type: "string",
    alias: "c",
    group: SENDING,
    valueHint: "n",
    reader: count({ min: 1, max: 1_000_000_000 }),
    description: `so many; default: until Ctrl-C on a terminal, else ${COUNT_DEFAULT}`,
  },
  interval: {
    type: "string",
    alias: "i",
    group: SENDING,
    valueHint: "time",
    reader: duration({ min: 1, max: 3_600_000 }),
    description: "from one to the next",
    default: "1",
  },
  ...connectionFlags(ANSWER_TIMEOUT_MS),
  json: {
    type: "boolean",
    group: OUTPUT,
    description: "the summary alone, as one JSON object; times in ms",
  },
  quiet: { ...QUIET_FLAG, description: "nothing but the status (and --json, when asked for)" },
} as const satisfies FlagTable;

const COMMAND: Command<typeof FLAGS> = {
  name: "cli6 ping",
  summary: "Measures round trips to a server, over one connection; the connecting apart.",
  flags: FLAGS,
  operands: { name: "url|host:port", description: "the server, instead of --server", max: 1 },
  examples: [
    ["cli6 ping nas", "until Ctrl-C, then the summary"],
    ["cli6 ping -c 100 -i 10ms s6://nas:7000", "a hundred, a second in all"],
    ["cli6 ping -c 1 -q nas", "is it up? The status tells"],
    ["cli6 ping --json -c 20 nas | jq .p99Ms", "for programs"],
  ],
  sections: [
    {
      title: "Failures",
      lines: [
        "A ping that fails is counted, and the next one connects anew. The status is the first",
        "failure's; a server that can't be reached at all ends it at once.",
      ],
    },
  ],
};

/** The command. */
export const PING: Subcommand<typeof FLAGS> = {
  command: COMMAND,
  async run({ values, operands }) {
    const server = serverOf(operands, values.server);
    const report = new Report(values.quiet);
    const pinging = new Pinging(server, connectionSettingsOf(values), report, formOf(values));
    const most = values.count ?? (kernel.isTerminal(STDOUT) ? Infinity : COUNT_DEFAULT);
    const stop = (): void => pinging.stop();
    if (!isIgnored("SIGINT")) process.once("SIGINT", stop);
    try {
      await pinging.run(most, values.interval);
    } catch (error) {
      report.fail(error);
    } finally {
      process.off("SIGINT", stop);
    }
    return report.status;
  },
};

// --- internal ---

function serverOf(operands: readonly Operand[], server: ServerAddress): ServerAddress {
  const text = operands[0]?.text;
  if (text === undefined) return server;
  if (!text.includes("://")) return meant(() => parseServer(text));
  const [target] = s6TargetsOf(operands.slice(0, 1), server, "answer a PING");
  return target?.server ?? server;
}

/** What is written to stdout. */
type PingFormat = "lines" | "json" | "nothing";

function formOf({ json, quiet }: { readonly json: boolean; readonly quiet: boolean }): PingFormat {
  if (json) return "json";
  return quiet ? "nothing" : "lines";
}

/** One run of the command. */
class Pinging {
  readonly #server: ServerAddress;
  readonly #settings: ConnectionSettings;
  readonly #report: Report;
  readonly #form: PingFormat;
  readonly #output = new TextOutput();
  readonly #trips = new PingStatistics();
  readonly #stopped = Promise.withResolvers<null>();
  #stopping = false;
  #client: WireClient | null = null;

  constructor(
    server: ServerAddress,
    settings: ConnectionSettings,
    report: Report,
    form: PingFormat,
  ) {
    this.#server = server;
    this.#settings = settings;
    this.#report = report;
    this.#form = form;
  }

  /** Ends the run; the summary is still printed. */
  stop(): void {
    this.#stopping = true;
    this.#stopped.resolve(null);
  }

  /** Rejects with ClientError when the server can't be reached at first, or stdout is closed. */
  async run(most: number, intervalMs: number): Promise<void> {
    const client = await this.#until(this.#connected());
    for (let nth = 1; client !== null && nth <= most; nth++) {
      const due = performance.now() + intervalMs;
      await this.#one(nth);
      if (this.#stopping) break;
      const restMs = due - performance.now();
      if (nth < most && restMs > 0) await this.#until(Bun.sleep(restMs));
      if (this.#stopping) break;
    }
    this.#client?.close();
    if (this.#form === "json") this.#output.print(`${this.#trips.json()}\n`);
    // On a terminal the summary starts below the ^C that it shows.
    else this.#say(`${this.#stopping && this.#output.terminal ? "\n" : ""}${this.#trips.text()}`);
  }

  // --- internal ---

  /** The result of `promise`, or null when stop() comes first. */
  async #until<T>(promise: Promise<T>): Promise<T | null> {
    return Promise.race([promise, this.#stopped.promise]);
  }

  async #one(nth: number): Promise<void> {
    try {
      const client = this.#client?.open === true ? this.#client : await this.#connected();
      const start = performance.now();
      const pong = await this.#until(client.ping());
      if (pong === null) return;
      const ms = performance.now() - start;
      this.#trips.add(ms);
      this.#say(`${nth}: ${ms.toFixed(3)} ms\n`);
    } catch (error) {
      // Stdout was closed: that is no failed ping.
      if (!(error instanceof ClientError) || error.kind === "local") throw error;
      this.#trips.fail();
      this.#report.fail(error);
    }
  }

  async #connected(): Promise<WireClient> {
    const start = performance.now();
    const client = await openWireClient(this.#server, this.#settings);
    const ms = performance.now() - start;
    this.#client = client;
    // The first round trip is not counted: on both sides it may include the loading of code.
    const { server, version } = await client.ping();
    this.#trips.connected(ms);
    const who = printableText(`${server} ${version}`).trim();
    this.#say(`${urlOf(this.#server)}: ${who}, connected in ${ms.toFixed(3)} ms\n`);
    return client;
  }

  #say(line: string): void {
    if (this.#form === "lines") this.#output.print(line);
  }
}
