/**
 * Executes one line of the prompt: a command on the current folder of the server, or else a path
 * whose content is printed. A failure is reported and does not end the prompt.
 */
import { urlOf, bareTarget, type ServerAddress, type Target } from "../../client/address.ts";
import { ClientError, refusedError, usageError } from "../../client/error.ts";
import { about } from "../../client/message.ts";
import { textOf } from "../../wire/errors.ts";
import { escapePath } from "../../wire/escape.ts";
import { printable, printableText } from "../../wire/printable.ts";
import { factsText } from "../output/entries.ts";
import type { Fetcher } from "../../client/fetcher.ts";
import { HASH_TIMEOUT_MS, printHash } from "../commands/hash.ts";
import { list } from "../commands/ls.ts";
import { UsageError } from "../flags/flags.ts";
import type { ContentOutput } from "../output/content.ts";
import { TextOutput } from "../output/text.ts";
import type { Report } from "../output/report.ts";
import { ClientsByServer } from "../../client/clients.ts";
import { statOf } from "../commands/stat.ts";
import { nearest } from "../flags/suggestion.ts";
import { type Word, wordsOf } from "./words.ts";
import { bytesOf, type ByteString } from "../../wire/bytes.ts";

/**
 * Runs the command `word` of cli6 with `operands`, bytes, and `flags` in front of them, until it is
 * done or `stop` aborts. It reports its own failures.
 */
export type Runner = (
  word: "get" | "mirror",
  flags: readonly ByteString[],
  operands: readonly ByteString[],
  stop: AbortSignal,
) => Promise<void>;

/** What a prompt works with. */
export interface ShellOptions {
  readonly server: ServerAddress;
  /** Null with --plain: commands that need S6/1 then fail with a message. */
  readonly servers: ClientsByServer | null;
  readonly fetcher: Fetcher;
  readonly output: ContentOutput;
  readonly report: Report;
  /** --timeout in milliseconds; null: each command has its own default. */
  readonly timeoutMs: number | null;
  /** Runs what copies to this machine. */
  readonly runner: Runner;
}

/** The commands of the prompt with their help. */
const COMMANDS: Readonly<Record<string, readonly [usage: string, does: string]>> = {
  ls: ["ls [PATH]", "list a folder"],
  cd: ["cd [PATH]", "go to a folder; without PATH to the root"],
  pwd: ["pwd", "where am I?"],
  get: ["get PATH [LOCAL]", "copy a file to this machine"],
  mget: ["mget PATTERN...", "copy files that match: *, ?, [...], **"],
  mirror: ["mirror PATH [LOCAL]", "make a folder here equal to PATH"],
  cat: ["cat PATH", "print a file"],
  stat: ["stat PATH", "type, size, time, version"],
  hash: ["hash PATH", "sha256, computed by the server"],
  help: ["help", "this list"],
  quit: ["quit, exit, Ctrl-D", "end"],
};

/** Every word that is a command, in the order of the help. */
export const SHELL_WORDS: readonly string[] = [...Object.keys(COMMANDS), "exit"];

/** The state of one prompt: a server and a current folder on it. */
export class Shell {
  /** The current folder, from the root, starting with "/". */
  folder: ByteString = "/";
  readonly #options: ShellOptions;
  readonly #textOutput = new TextOutput();
  #hashing: ClientsByServer | null = null;
  /** Stops the command that is running; null between two lines. */
  #running: AbortController | null = null;

  constructor(options: ShellOptions) {
    this.#options = options;
  }

  /** The text of the prompt. */
  get prompt(): string {
    return `serv6:${printable(this.folder)}> `;
  }

  /** A typed path from the root: relative to the current folder, "." and ".." resolved here. */
  resolve(path: ByteString, folder: ByteString = this.folder): ByteString {
    const kept: ByteString[] = [];
    const from = path.startsWith("/") ? path : `${folder}/${path}`;
    for (const name of from.split("/")) {
      if (name === "..") kept.pop();
      else if (name !== "" && name !== ".") kept.push(name);
    }
    // A slash at the end asks for a folder, so that it is kept for the server.
    return `/${kept.join("/")}${kept.length > 0 && path.endsWith("/") ? "/" : ""}`;
  }

  /** Executes `line`; false for `quit`. Never rejects with a ClientError or a UsageError. */
  async execute(line: string): Promise<boolean> {
    const { words, open } = wordsOf(line);
    const [command] = words.map(({ text }) => text);
    if (command === undefined) return true;
    // A quoted first word is a name, whatever it spells.
    const isCommand = words[0]?.quote === "" && SHELL_WORDS.includes(command);
    if (isCommand && (command === "quit" || command === "exit")) return false;
    const running = new AbortController();
    this.#running = running;
    try {
      if (!isCommand) await this.#path(line, words);
      else if (open) throw usageError("a quote or a backslash has no end");
      else await this.#command(command, words.slice(1), running.signal);
    } catch (error) {
      // The person who stopped it knows why it failed.
      if (!running.signal.aborted) this.#fail(error);
    } finally {
      this.#running = null;
    }
    return true;
  }

  /** Ctrl-C: stops the command that is running; false when there is none. */
  stop(): boolean {
    const running = this.#running;
    if (running === null) return false;
    running.abort();
    this.#options.fetcher.stop();
    this.#options.servers?.close();
    this.#hashing?.close();
    return true;
  }

  // --- internal ---

  #fail(error: unknown): void {
    if (error instanceof UsageError) this.#options.report.say(`cli6: ${error.message}`);
    else this.#options.report.fail(error);
  }

  /** A line without a command is a path. */
  async #path(line: string, words: readonly Word[]): Promise<void> {
    try {
      await this.#cat(pathIn(line));
    } catch (error) {
      const [first] = words;
      const meant = first?.quote === "" ? nearest(first.text, SHELL_WORDS) : null;
      if (meant === null || !(error instanceof ClientError) || error.code !== "ENOENT") throw error;
      this.#fail(error);
      const typed = printableText(first?.text ?? "");
      this.#options.report.say(`cli6: there is no command ${typed}: did you mean ${meant}?`);
    }
  }

  async #command(word: string, operands: readonly Word[], stop: AbortSignal): Promise<void> {
    const [path = null, local = null] = operands.map(({ text }) => text);
    if (operands.length > mostOf(word)) throw usageError(`usage: ${COMMANDS[word]?.[0]}`);
    switch (word) {
      case "pwd":
        return this.#textOutput.print(`${urlOf(this.#options.server, this.folder)}\n`);
      case "help":
        return this.#help();
      case "ls":
        return this.#ls(path ?? ".");
      case "cd":
        return this.#cd(path ?? "/");
    }
    if (path === null) throw usageError(`usage: ${COMMANDS[word]?.[0]}`);
    switch (word) {
      case "cat":
        return this.#cat(path);
      case "stat":
        return this.#textOutput.print(
          factsText(await statOf(this.#framed(word), this.#target(path))),
        );
      case "hash":
        return this.#hash(path);
      case "get":
      case "mget":
      case "mirror":
        return this.#copy(word, operands, local, stop);
    }
  }

  #help(): void {
    const rows = Object.values(COMMANDS).map(([usage, does]) => `  ${usage.padEnd(18)}  ${does}\n`);
    this.#textOutput.print(
      `${rows.join("")}Any other line is a path whose content is printed.\n` +
        `Names with spaces: 'my file', "my file" or my\\ file; Tab completes.\n`,
    );
  }

  async #cat(path: string): Promise<void> {
    const { fetcher, output, server, servers } = this.#options;
    const typed = bytesOf(path);
    const target = servers === null ? bareTarget(typed, server) : this.#target(path);
    await fetcher.fetch(target, output.sink());
  }

  async #ls(path: string): Promise<void> {
    const options = { form: "lines", recursive: false, human: false, order: null } as const;
    const { report } = this.#options;
    await list(this.#framed("ls"), this.#target(path), options, this.#textOutput, report);
  }

  async #cd(path: string): Promise<void> {
    const target = this.#target(path);
    const { entry } = await statOf(this.#framed("cd"), target);
    if (entry.type === "dir") {
      this.folder = target.path.replace(/\/+$/, "") || "/";
      return;
    }
    throw refusedError("ENOTDIR", about(textOf("ENOTDIR"), target.server, target.path));
  }

  async #hash(path: string): Promise<void> {
    // A connection of its own: its timeout is longer, and its late answers would block the others.
    const { settings } = this.#framed("hash");
    this.#hashing ??= new ClientsByServer({
      ...settings,
      stallTimeoutMs: this.#options.timeoutMs ?? HASH_TIMEOUT_MS,
    });
    const options = { algo: "sha256", chunk: null } as const;
    await printHash(this.#hashing, this.#target(path), bytesOf(path), options, this.#textOutput);
  }

  async #copy(
    word: "get" | "mget" | "mirror",
    operands: readonly Word[],
    local: string | null,
    stop: AbortSignal,
  ): Promise<void> {
    const { runner } = this.#options;
    this.#framed(word);
    if (word === "mget")
      return runner(
        "get",
        [],
        operands.map((each) => this.#urlOf(each, true)),
        stop,
      );
    const urls = operands.slice(0, 1).map((each) => this.#urlOf(each, word === "get"));
    if (word === "get") {
      return runner("get", local === null ? [] : [`--output=${bytesOf(local)}`], urls, stop);
    }
    const own = this.resolve(bytesOf(operands[0]?.text ?? ""))
      .split("/")
      .findLast(Boolean);
    const here = local === null ? own : bytesOf(local);
    if (here === undefined) throw usageError("the root has no name: mirror / LOCAL");
    await runner("mirror", [], [...urls, here], stop);
  }

  /**
   * The URL of a typed path. What is quoted, and the current folder, is no pattern whatever it
   * spells: wildcards in it are escaped.
   */
  #urlOf({ text, quote }: Word, pattern: boolean): ByteString {
    const typed = urlPath(bytesOf(text), !pattern || quote !== "");
    const path = this.resolve(typed, urlPath(this.folder, true));
    return `${urlOf(this.#options.server)}${path}`;
  }

  #target(path: string): Target {
    return bareTarget(this.resolve(bytesOf(path)), this.#options.server);
  }

  #framed(word: string): ClientsByServer {
    const { servers } = this.#options;
    if (servers !== null) return servers;
    throw usageError(`${word} needs S6/1, which --plain does not speak`);
  }
}

// --- internal ---

/** `path` as a URL has it; `literal`: wildcards escaped too. */
function urlPath(path: ByteString, literal: boolean): ByteString {
  const odd = literal ? /[?#*[\]{}\\]/g : /[#\\]/g;
  const hex = (character: string): string => character.charCodeAt(0).toString(16);
  return escapePath(path).replace(odd, (character) => `%${hex(character)}`);
}

function mostOf(word: string): number {
  if (word === "mget") return Infinity;
  if (word === "get" || word === "mirror") return 2;
  return word === "pwd" || word === "help" ? 0 : 1;
}

/**
 * The path that a line without a command means: one quoted word, or else the line as it is, spaces
 * included, as it always was.
 */
function pathIn(line: string): string {
  const { words, open } = wordsOf(line);
  const [only] = words;
  return !open && only !== undefined && words.length === 1 ? only.text : line;
}
