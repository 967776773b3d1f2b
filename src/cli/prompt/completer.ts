/**
 * Tab completion at the prompt: commands, and names in the server's folders. It reads one page of a
 * folder at most, and offers only names that a person can type: none with control characters or
 * bytes that are not UTF-8.
 */
import type { ServerAddress, Target } from "../../client/address.ts";
import { ClientError } from "../../client/error.ts";
import type { NamedEntry } from "../../client/exchange.ts";
import { isName } from "../../wire/entry.ts";
import { printable } from "../../wire/printable.ts";
import { isUtf8 } from "../output/entries.ts";
import { joined } from "../../download/listing.ts";
import type { ClientsByServer } from "../../client/clients.ts";
import { quoted, wordsOf } from "./words.ts";
import { bytesOf, type ByteString, utf8Of } from "../../wire/bytes.ts";

/** Most names offered at once: more than a person reads. */
const OFFERED_MAX = 200;

/** Milliseconds until Tab gives up: a person expects its answer at once. */
const WAIT_MS = 1000;

/** Stands among the names when there are more: readline then finds no common prefix to insert. */
const MORE = "...";

/** The answer for readline: words to insert, and the part of the line that they replace. */
export type Completions = [offers: string[], replaced: string];

/** What completion needs to know of the prompt. */
export interface Surroundings {
  readonly servers: ClientsByServer | null;
  readonly server: ServerAddress;
  /** A typed path, relative to the current folder, from the root. */
  resolve(path: ByteString): ByteString;
  readonly commands: readonly string[];
}

/** What may follow `line`, which ends at the cursor. Never rejects. */
export async function complete(line: string, around: Surroundings): Promise<Completions> {
  const { words, continues } = wordsOf(line);
  const word = continues ? words.at(-1) : undefined;
  const typed = word?.text ?? "";
  const from = word?.from ?? line.length;
  const isFirst = words.length === (continues ? 1 : 0);
  const slash = typed.lastIndexOf("/") + 1;
  const [folder, prefix] = [typed.slice(0, slash), typed.slice(slash)];
  const names = await namesIn(folder, prefix, around);
  const offers = names.map((name) =>
    name === MORE ? name : quoted(folder + name, word?.quote ?? "", !name.endsWith("/")),
  );
  if (isFirst && word?.quote === "" && slash === 0) offers.unshift(...commandsOf(typed, around));
  if (isFirst && word === undefined) offers.unshift(...around.commands);
  return [offers, line.slice(from)];
}

// --- internal ---

function commandsOf(typed: string, { commands }: Surroundings): string[] {
  return commands.filter((command) => command.startsWith(typed)).map((command) => `${command} `);
}

/** Names in `folder` that start with `prefix`, folders with a "/". */
async function namesIn(folder: string, prefix: string, around: Surroundings): Promise<string[]> {
  const { servers, server } = around;
  if (servers === null) return [];
  const path = around.resolve(bytesOf(folder === "" ? "." : folder));
  const target = { server, path, literal: path };
  const wait = Promise.withResolvers<null>();
  const timer = setTimeout(() => wait.resolve(null), WAIT_MS);
  try {
    const found = await Promise.race([wait.promise, entriesIn(servers, target, prefix)]);
    return found ?? [];
  } catch (error) {
    // Completion only helps: the failure is reported when the line is entered.
    if (!(error instanceof ClientError)) throw error;
    return [];
  } finally {
    clearTimeout(timer);
  }
}

async function entriesIn(
  servers: ClientsByServer,
  target: Target,
  prefix: string,
): Promise<string[]> {
  const start = bytesOf(prefix);
  const page = servers.ask(target, (client, path) => client.list(path, start, OFFERED_MAX));
  // LIST after=PREFIX gives the names that sort behind the prefix; those that start with it come
  // first. It leaves out the prefix itself, which may be a name too: STAT asks for that one.
  const [listing, exact] = await Promise.all([page, exactly(servers, target, start)]);
  const entries = listing.entries.filter(({ name }) => name.startsWith(start));
  const more = listing.more && entries.length === listing.entries.length;
  const all = [...exact, ...entries].filter(isTypeable).map(textOf);
  return more ? [...all, MORE] : all;
}

async function exactly(
  servers: ClientsByServer,
  target: Target,
  name: ByteString,
): Promise<NamedEntry[]> {
  if (!isName(name)) return [];
  const path = joined(target.path, name);
  try {
    const entry = await servers.ask({ ...target, path }, (client, bytes) => client.stat(bytes));
    return [{ ...entry, name }];
  } catch (error) {
    if (error instanceof ClientError) return [];
    throw error;
  }
}

function isTypeable({ name }: NamedEntry): boolean {
  return isName(name) && isUtf8(name) && printable(name).replaceAll("\\\\", "") === textless(name);
}

/** `name` as text without its backslashes, which printable() doubles. */
function textless(name: ByteString): string {
  return utf8Of(name).replaceAll("\\", "");
}

function textOf({ name, type }: NamedEntry): string {
  const text = utf8Of(name);
  return type === "dir" ? `${text}/` : text;
}
