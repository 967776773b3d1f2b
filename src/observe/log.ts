/**
 * One line a request, on stderr. Lines are gathered and written ten times a second, and never wait:
 * what a stopped reader or a full disk does not take is counted and dropped, and the next line says
 * how many.
 */
import { reopenTerminal, writeNow } from "../sys/terminal.ts";
import { printable, printableText } from "../wire/printable.ts";
import type { ByteString } from "../wire/bytes.ts";

/** How lines look: for people, for programs, or not at all. */
export type LogFormat = "human" | "json" | "off";

/** One request as the log tells it. */
export interface LogLine {
  readonly peer: string;
  readonly door: string;
  /** As the peer wrote it: one of ours, or anything. */
  readonly verb: ByteString;
  readonly path: ByteString;
  /** "OK", an errno name, or "RESET" when what was promised could not be delivered. */
  readonly status: string;
  readonly bytes: number;
  readonly ms: number;
}

/** Milliseconds that a line may wait for others. */
const FLUSH_MS = 100;

/** Characters gathered at most; lines beyond are dropped and counted. */
const GATHER_CHARS_MAX = 262_144;

/** The request log. */
export class Log {
  readonly #fd: number;
  readonly #format: LogFormat;
  #text = "";
  #rest: Buffer | null = null;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #tick = (): void => {
    this.#timer = null;
    this.flush();
  };

  constructor(format: LogFormat, fd = 2) {
    this.#format = format;
    const own = reopenTerminal(fd);
    this.#fd = own < 0 ? fd : own;
  }

  /** False when nobody reads: callers spare themselves the making of lines. */
  get on(): boolean {
    return this.#format !== "off";
  }

  /** Lines lost so far because nobody took them. */
  get dropped(): number {
    return this.#dropped;
  }

  request(line: LogLine): void {
    if (this.#format === "off") return;
    this.#add(this.#format === "json" ? jsonLine(line) : humanLine(line));
  }

  /** A line that is no request: what the operator should know. */
  note(text: string): void {
    if (this.#format !== "off") this.#say(text);
  }

  /** An error of our own, written even where the log is off. `subject` is anybody's text. */
  fault(text: string, subject: string): void {
    this.#say(`${text}: ${printableText(subject)}`);
  }

  /**
   * Writes what fits without waiting. At the end of the program: once more, and what is left is
   * lost.
   */
  flush(): void {
    if (this.#rest === null && this.#text !== "") {
      this.#rest = Buffer.from(this.#text);
      this.#text = "";
    }
    while (this.#rest !== null) {
      const taken = writeNow(this.#fd, this.#rest);
      if (taken < 0) this.#lose();
      if (taken <= 0) break;
      this.#rest = taken < this.#rest.length ? this.#rest.subarray(taken) : null;
    }
    if (this.#rest !== null || this.#text !== "") this.#arm();
  }

  // --- internal ---

  #say(said: string): void {
    const time = new Date().toISOString();
    this.#add(
      this.#format === "json" ? `${JSON.stringify({ time, note: said })}\n` : `${time} ${said}\n`,
    );
  }

  #add(line: string): void {
    if (this.#text.length + line.length > GATHER_CHARS_MAX) this.flush();
    if (this.#text.length + line.length > GATHER_CHARS_MAX) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      this.#text += `(${this.#dropped} log lines were lost: nobody took them in time)\n`;
      this.#dropped = 0;
    }
    this.#text += line;
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= setTimeout(this.#tick, FLUSH_MS).unref();
  }

  /**
   * A log that can't be written (a full disk, a closed pipe) loses what it had and goes on trying.
   */
  #lose(): void {
    const rest = this.#rest;
    this.#rest = null;
    if (rest !== null) for (const byte of rest) if (byte === 10) this.#dropped += 1;
  }
}

// --- internal ---

function humanLine(line: LogLine): string {
  const time = new Date().toISOString();
  const what = `${line.door} ${printable(line.verb)} ${printable(line.path)}`.trimEnd();
  return `${time} ${line.peer} ${what} ${line.status} ${line.bytes} B ${line.ms.toFixed(1)} ms\n`;
}

function jsonLine(line: LogLine): string {
  const { peer, door, status, bytes } = line;
  const time = new Date().toISOString();
  const verb = printable(line.verb);
  const path = printable(line.path);
  const ms = Number(line.ms.toFixed(3));
  return `${JSON.stringify({ time, peer, door, verb, path, status, bytes, ms })}\n`;
}
