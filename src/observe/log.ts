/**
 * One line a request, on stderr or into a file. Lines are gathered and written ten times a second,
 * and never wait: what a stopped reader or a full disk does not take is counted and dropped, and
 * the next line says how many.
 */
import { kernel } from "../sys/kernel.ts";
import { reopenNonBlocking, WRITE_BYTES_MAX, writeNow } from "../sys/terminal.ts";
import { printableText } from "../wire/printable.ts";
import { openLogFile } from "./logfile.ts";
import { type LogFormat, type LogLine, lostLine, noteLine, requestLine } from "./logline.ts";

/** Milliseconds that a line may wait for others. */
const FLUSH_MS = 100;

/** Characters gathered at most; lines beyond are dropped and counted. */
const GATHER_CHARS_MAX = 262_144;

/** Lines that tell of lost ones: how many there are, and of how many they tell. */
interface Told {
  readonly lines: number;
  readonly lost: number;
}

const NOTHING_TOLD: Told = { lines: 0, lost: 0 };

/** The request log. */
export class Log {
  readonly #format: LogFormat;
  /** Its file, opened here; null where it goes to a descriptor of somebody else's. */
  readonly #path: string | null;
  /** Somebody else's, that stands behind one of our own; -1: there is none. */
  readonly #shared: number = -1;
  #fd: number;
  #text = "";
  #rest: Buffer | null = null;
  #dropped = 0;
  /** In what is gathered, and in the rest while nobody has taken a byte of it. */
  #told = NOTHING_TOLD;
  #restTold = NOTHING_TOLD;
  #timer: NodeJS.Timeout | null = null;
  readonly #tick = (): void => {
    this.#timer = null;
    this.flush();
  };

  /** To the descriptor or the file `to`. Throws Failure (local) when the file can't be written. */
  constructor(format: LogFormat, to: number | string = 2) {
    this.#format = format;
    this.#path = typeof to === "string" ? to : null;
    const fd = typeof to === "string" ? openLogFile(to) : to;
    const own = this.#path === null ? reopenNonBlocking(fd) : -1;
    this.#fd = own < 0 ? fd : own;
    if (own >= 0) this.#shared = fd;
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
    if (this.#format !== "off") this.#add(requestLine(this.#format, line));
  }

  /** A line that is no request: what the operator should know. */
  note(text: string): void {
    if (this.#format !== "off") this.#add(noteLine(this.#format, text));
  }

  /** An error of our own, written even where the log is off. `subject` is anybody's text. */
  fault(text: string, subject: string): void {
    this.#add(noteLine(this.#format, `${text}: ${printableText(subject)}`));
  }

  /**
   * Opens its file anew, after somebody has given that another name. Lines from before go to the
   * old one. Where that can't be done it goes on in the old one and says so; without a file there
   * is nothing to do.
   */
  reopen(): void {
    if (this.#path === null || this.#fd < 0) return;
    this.flush();
    try {
      const fd = openLogFile(this.#path);
      kernel.close(this.#fd);
      this.#fd = fd;
    } catch (error) {
      this.fault("the log goes on in the file it has", String(error));
    }
  }

  /**
   * Writes what fits without waiting. At the end of the program: once more, and what is left is
   * lost.
   */
  flush(): void {
    if (this.#rest === null && this.#text !== "") {
      this.#rest = Buffer.from(this.#text);
      this.#text = "";
      this.#restTold = this.#told;
      this.#told = NOTHING_TOLD;
    }
    while (this.#rest !== null) {
      // A file of ours never blocks, and takes a longer line in one piece too.
      const most = this.#path === null ? WRITE_BYTES_MAX : GATHER_CHARS_MAX;
      const taken = writeNow(this.#fd, wholeLines(this.#rest), most);
      if (taken < 0) this.#lose();
      if (taken <= 0) break;
      this.#restTold = NOTHING_TOLD;
      this.#rest = taken < this.#rest.length ? this.#rest.subarray(taken) : null;
    }
    if (this.#rest !== null || this.#text !== "") this.#arm();
  }

  /** Writes what fits, and closes what was opened here. Nothing goes to a file any more. */
  close(): void {
    this.flush();
    if (this.#fd < 0 || this.#fd === this.#shared) return;
    if (this.#path === null && this.#shared < 0) return;
    kernel.close(this.#fd);
    this.#fd = this.#shared;
  }

  // --- internal ---

  #add(line: string): void {
    if (this.#text.length + line.length > GATHER_CHARS_MAX) this.flush();
    if (this.#text.length + line.length > GATHER_CHARS_MAX) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      this.#text += lostLine(this.#format, this.#dropped);
      this.#told = { lines: this.#told.lines + 1, lost: this.#told.lost + this.#dropped };
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
    if (rest !== null) for (const byte of rest) if (byte === LF) this.#dropped += 1;
    // Of those that a lost line told of nobody knows either.
    this.#dropped += this.#restTold.lost - this.#restTold.lines;
    this.#restTold = NOTHING_TOLD;
  }
}

// --- internal ---

const LF = 10;

/**
 * The lines in front of `bytes` that one write takes, or the first line where that is longer. Other
 * processes of this server append to the same file: one of theirs between two parts of a line would
 * make a line of its own of the second part, which a peer may have chosen.
 */
function wholeLines(bytes: Buffer): Buffer {
  if (bytes.length <= WRITE_BYTES_MAX) return bytes;
  const end = bytes.lastIndexOf(LF, WRITE_BYTES_MAX - 1);
  return bytes.subarray(0, (end < 0 ? bytes.indexOf(LF) : end) + 1);
}
