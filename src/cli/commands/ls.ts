/** `cli6 ls`: what is in a folder, page by page as the server sends it. */
import { parseTarget, type Target, urlOf } from "../../client/address.ts";
import { ClientError, usageError } from "../../client/error.ts";
import type { NamedEntry } from "../../client/exchange.ts";
import { STALL_TIMEOUT_MS } from "../../client/stall.ts";
import { about } from "../../client/message.ts";
import { printable } from "../../wire/printable.ts";
import { connectionFlags, connectionSettingsOf, s6TargetsOf } from "../flags/connection.ts";
import { JSON_FLAG, OUTPUT, QUIET_FLAG } from "../flags/general.ts";
import {
  entryJson,
  entryLine,
  type Place,
  SIZE_COLUMNS,
  SIZE_COLUMNS_HUMAN,
  sizeColumn,
} from "../output/entries.ts";
import { type Command, type FlagTable, UsageError, type Values } from "../flags/flags.ts";
import { LeftOut } from "../../download/left.ts";
import { type EntryOrder, listing, type ListingOptions } from "../../download/listing.ts";
import { TextOutput } from "../output/text.ts";
import { bounded } from "../output/message.ts";
import { Report } from "../output/report.ts";
import { ClientsByServer } from "../../client/clients.ts";
import type { Subcommand } from "../flags/subcommand.ts";
import type { ByteString } from "../../wire/bytes.ts";

const ORDER = "Order";

const FLAGS = {
  ...connectionFlags(STALL_TIMEOUT_MS),
  recursive: {
    type: "boolean",
    alias: "R",
    group: OUTPUT,
    description: "also all folders below, each entry with its path",
  },
  long: {
    type: "boolean",
    alias: "l",
    group: OUTPUT,
    description: "type, size, time and name of each: what happens anyway",
  },
  "human-readable": {
    type: "boolean",
    alias: "h",
    group: OUTPUT,
    description: "sizes with units of 1024 in the lines for a person",
  },
  "by-size": { type: "boolean", alias: "S", group: ORDER, description: "the largest first" },
  "by-time": { type: "boolean", alias: "t", group: ORDER, description: "the newest first" },
  reverse: { type: "boolean", alias: "r", group: ORDER, description: "the other way round" },
  json: JSON_FLAG,
  names: { type: "boolean", alias: "1", group: OUTPUT, description: "names alone, one a line" },
  null: {
    type: "boolean",
    alias: "0",
    group: OUTPUT,
    description: "names alone, each ended by a NUL byte instead of a line break",
  },
  quiet: QUIET_FLAG,
} as const satisfies FlagTable;

const COMMAND: Command<typeof FLAGS> = {
  name: "cli6 ls",
  summary: "Lists folders, sorted by the bytes of the names, or by size or time.",
  flags: FLAGS,
  operands: {
    name: "path|url...",
    description: "folders, or files to tell of; without any, the server's root",
    max: Infinity,
  },
  examples: [
    ["cli6 ls", "the root of the server on this machine"],
    ["cli6 ls -s nas models", "type, size in bytes, local time, name"],
    ["cli6 ls -R s6://nas/models", "everything below, each with its path"],
    ["cli6 ls -hS s6://nas/models", "the largest first, as 1.4 GiB"],
    ["cli6 ls -tr s6://nas/models", "the newest last"],
    ["cli6 ls --json models | jq -r 'select(.size > 1e9).path'", "for programs"],
    ["cli6 ls -1R -s nas models | grep -v '/$' | cli6 -s nas", "names feed the next command"],
  ],
  sections: [
    {
      title: "Forms",
      lines: [
        "Folders end in /. For a person, what could move a cursor is escaped as \\xHH or \\u{H}.",
        "--names: raw bytes into a pipe or file, escaped on a terminal. With -R they are paths from",
        "the root. A name with a line break is left out with status 2: --null takes every name.",
        "--json: type, name, path, size, mtime (nanoseconds since 1970), etag. path has %XX for odd",
        "bytes and stands behind s6://HOST:PORT as it is; a name that is no UTF-8 has them too, and",
        '"escaped":true. Numbers are exact, which readers that know only doubles do not keep.',
        "A listing that breaks off says so, and the status is the failure's. Names that are there and",
        "can't be had (links out of the folder, devices) are told on stderr, and the status stays 0.",
        "-S, -t and -r hold a folder until all of it has come, up to 1,000,000 entries; with -R each",
        "folder is sorted by itself, and what is in a folder stands behind it.",
      ],
    },
  ],
};

/** How entries are written. */
export type Form = "lines" | "json" | "names" | "null";

/** What a listing needs. */
export interface LsOptions {
  readonly form: Form;
  readonly recursive: boolean;
  /** Sizes with units, in lines. */
  readonly human: boolean;
  /** Null: by the bytes of the names. */
  readonly order: EntryOrder | null;
}

/** The command. */
export const LS: Subcommand<typeof FLAGS> = {
  command: COMMAND,
  async run({ values, operands }) {
    const { server, recursive, quiet, "human-readable": human } = values;
    const form = formOf(values);
    const options = { form, recursive, human, order: orderOf(values) };
    const given = s6TargetsOf(operands, server, "list a folder");
    const targets = given.length > 0 ? given : [parseTarget("/", server)];
    const servers = new ClientsByServer(connectionSettingsOf(values));
    const report = new Report(quiet);
    const printer = new TextOutput();
    const titled = targets.length > 1 && form === "lines" && !recursive;
    for (const [nth, target] of targets.entries()) {
      const title = `${nth > 0 ? "\n" : ""}${urlOf(target.server)}${printable(target.path)}:\n`;
      try {
        if (titled) printer.print(title);
        await list(servers, target, options, printer, report);
      } catch (error) {
        report.fail(error);
      }
      if (report.ended) break;
    }
    return report.status;
  },
};

/**
 * Prints what `target` is: a folder's entries, or the one entry of a file. Throws ClientError when
 * it can't go on; what is left out goes to `report`.
 */
export async function list(
  servers: ClientsByServer,
  target: Target,
  options: LsOptions,
  printer: TextOutput,
  report: Report,
): Promise<void> {
  const { recursive, order } = options;
  const lines = new Lines(options, target, printer, report);
  const failed = (error: ClientError): void => report.fail(error);
  const out = new LeftOut();
  const left: ListingOptions["left"] = (name, path) => out.add(name, recursive ? path : name.name);
  try {
    for await (const page of listing(servers, target, { recursive, order, failed, left }))
      lines.print(page);
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== "ENOTDIR" || lines.begun) throw error;
    const entry = await servers.ask(target, (client, path) => client.stat(path));
    if (entry.type === "dir") throw error; // It became one meanwhile.
    const name = target.path.slice(target.path.lastIndexOf("/") + 1);
    lines.print([{ entry, name, path: target.path }]);
  } finally {
    const told = out.lines(target.server, target.path);
    for (const { text } of told) report.say(`cli6: ${bounded(text)}`);
  }
}

// --- internal ---

function formOf({ json, names, null: ended, long }: Values<typeof FLAGS>): Form {
  if (long && (json || names || ended)) {
    throw new UsageError("-l excludes --json and names alone");
  }
  if (json && (names || ended)) throw new UsageError("--json and names alone exclude each other");
  if (json) return "json";
  if (ended) return "null";
  return names ? "names" : "lines";
}

function orderOf(values: Values<typeof FLAGS>): EntryOrder | null {
  const { "by-size": bySize, "by-time": byTime, reverse } = values;
  if (bySize && byTime) throw new UsageError("-S and -t exclude each other");
  if (!bySize && !byTime && !reverse) return null;
  const keyOf = ({ size, mtime }: NamedEntry): bigint => (bySize ? size : byTime ? mtime : 0n);
  const order: EntryOrder = (a, b) => compared(keyOf(b), keyOf(a)) || compared(a.name, b.name);
  return reverse ? (a, b) => order(b, a) : order;
}

function compared<T extends bigint | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Pages as text, each written when it is there. */
class Lines {
  begun = false;
  readonly #form: Form;
  readonly #recursive: boolean;
  readonly #human: boolean;
  readonly #target: Target;
  readonly #printer: TextOutput;
  readonly #report: Report;
  /** It grows with what comes: of a listing without end the widest size is not known before. */
  #sizeColumns: number;

  constructor(
    { form, recursive, human }: LsOptions,
    target: Target,
    printer: TextOutput,
    report: Report,
  ) {
    this.#form = form;
    this.#recursive = recursive;
    this.#human = human;
    this.#sizeColumns = human ? SIZE_COLUMNS_HUMAN : SIZE_COLUMNS;
    this.#target = target;
    this.#printer = printer;
    this.#report = report;
  }

  print(page: readonly Place[]): void {
    this.begun = true;
    switch (this.#form) {
      case "json":
        return this.#printer.print(page.map((place) => `${entryJson(place)}\n`).join(""));
      case "lines":
        return this.#printLines(page);
      case "names":
      case "null":
        return this.#printNames(page);
    }
  }

  // --- internal ---

  #printLines(page: readonly Place[]): void {
    for (const { entry } of page) {
      this.#sizeColumns = Math.max(this.#sizeColumns, sizeColumn(entry, this.#human).length);
    }
    const rows = page.map((place) => {
      const shown = this.#recursive ? { ...place, name: place.path } : place;
      return `${entryLine(shown, this.#sizeColumns, this.#human)}\n`;
    });
    this.#printer.print(rows.join(""));
  }

  #printNames(page: readonly Place[]): void {
    const names = page.map(({ entry, name, path }) => {
      const shown = this.#recursive ? path : name;
      return entry.type === "dir" ? `${shown}/` : shown;
    });
    if (this.#form === "null") this.#printer.printBytes(names.map((name) => `${name}\0`).join(""));
    else if (this.#printer.terminal) {
      this.#printer.print(names.map((name) => `${printable(name)}\n`).join(""));
    } else {
      const fitting = names.filter((name) => this.#fits(name));
      this.#printer.printBytes(fitting.map((name) => `${name}\n`).join(""));
    }
  }

  /** A name with a line break would be read as two. */
  #fits(name: ByteString): boolean {
    if (!name.includes("\n")) return true;
    const text = "a name with a line break is left out (--null takes it)";
    this.#report.fail(usageError(about(text, this.#target.server, name)));
    return false;
  }
}
