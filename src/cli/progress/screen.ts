/**
 * The status lines at the bottom of a terminal: a frame of a few lines that is redrawn in place,
 * and messages that scroll above it as ordinary lines. The scrollback gets the messages and, once,
 * the last frame.
 *
 * It never waits for the terminal, hides no cursor and changes no mode. Between two frames the
 * cursor is at the start of the frame's first line, so that the next frame overwrites this one even
 * after a resize has rewrapped the lines or another program has written there.
 */
import fs from "node:fs";
import { NonBlockingOutput } from "../output/nonblocking.ts";

/** The terminal's size. It is asked for at each frame, so that a resize needs no signal. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Draws the frame: lines narrower than the terminal. `over`: it is the last frame. */
export type FrameLines = (size: TerminalSize, over: boolean) => readonly string[];

/** Milliseconds between two frames: ten a second are smooth to the eye and cost next to nothing. */
const DRAW_MS = 100;

/** Milliseconds that the end of the program waits for a terminal that takes nothing (Ctrl-S). */
const DRAIN_MS = 500;

const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** The status lines of one terminal. */
export class Screen {
  readonly #output: NonBlockingOutput;
  readonly #size: () => TerminalSize;
  readonly #frame: FrameLines;
  readonly #timer: NodeJS.Timeout;
  /** Messages since the last frame, printed above the next one. */
  #messages: string[] = [];
  /** The frame that is on the terminal now, as it was written. */
  #block = "";
  #stopped = false;
  readonly #stop = (): void => this.stop();
  /**
   * Ctrl-Z: erases the frame, where the shell will write its prompt, and then stops the program.
   */
  readonly #suspend = (): void => {
    if (inForeground()) this.#output.push(`\r${CLEAR_BELOW}`);
    process.off("SIGTSTP", this.#suspend);
    // kill() returns after SIGCONT, or at once in a process group that nobody could continue.
    process.kill(process.pid, "SIGTSTP");
    process.on("SIGTSTP", this.#suspend);
    this.#resume();
  };
  /** SIGCONT: the cursor is where the shell left it, so that no old frame is to be erased. */
  readonly #resume = (): void => {
    this.#block = "";
    this.draw();
  };

  /**
   * Draws `frame` on the terminal `fd` until stop(). The timer does not keep the process alive.
   */
  constructor(fd: number, size: () => TerminalSize, frame: FrameLines) {
    this.#output = new NonBlockingOutput(fd);
    this.#size = size;
    this.#frame = frame;
    this.#timer = setInterval(() => this.draw(), DRAW_MS).unref();
    // Also for a process that ends without stop(): the cursor is left below the frame.
    process.once("exit", this.#stop);
    process.on("SIGTSTP", this.#suspend);
    process.on("SIGCONT", this.#resume);
    this.draw();
  }

  /**
   * Prints `line`, which is printable, above the frame when the next frame is drawn. While the
   * terminal takes nothing, NonBlockingOutput keeps up to its bound; more is dropped and counted.
   */
  say(line: string): void {
    this.#messages.push(line);
    if (this.#messages.length >= MESSAGES_MAX) this.#send("", inForeground());
  }

  /** Draws a frame now, unless the terminal has not yet taken the one before. */
  draw(): void {
    if (this.#stopped) return;
    this.#output.flush();
    if (!this.#output.idle) return;
    if (!inForeground()) return this.#send("", false);
    const lines = this.#frame(this.#size(), false);
    const up = lines.length > 1 ? `\x1b[${lines.length - 1}A` : "";
    this.#send(`${blockOf(lines)}${up}\r`, true);
  }

  /**
   * Prints the remaining messages and the last frame, or the printable line `last` in place of the
   * frame, and leaves the cursor below.
   */
  stop(last?: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    process.off("exit", this.#stop);
    process.off("SIGTSTP", this.#suspend);
    process.off("SIGCONT", this.#resume);
    const endMs = performance.now() + DRAIN_MS;
    this.#output.drain(endMs);
    const { dropped } = this.#output;
    if (dropped > 0) {
      this.#messages.push(
        `(${dropped} messages were lost: the terminal did not take them in time)`,
      );
    }
    if (last !== undefined) this.#messages.push(last);
    const lines = last === undefined ? this.#frame(this.#size(), true) : [];
    this.#send(lines.length === 0 ? "" : `${blockOf(lines)}\r\n`, inForeground());
    this.#output.drain(endMs);
    this.#output[Symbol.dispose]();
  }

  // --- internal ---

  /** `ours`: the old frame is at the cursor, and not what a person types into a shell. */
  #send(block: string, ours: boolean): void {
    if (this.#messages.length === 0 && block === this.#block) return;
    const erases = this.#messages.length > 0 || block === "";
    if (erases && ours) this.#output.push(`\r${CLEAR_BELOW}`);
    // One piece for each message: where the buffer has no room for all, it has some for a few.
    for (const line of this.#messages) this.#output.push(`${line.replaceAll("\n", "\r\n")}\r\n`);
    this.#messages = [];
    this.#output.push(block);
    this.#block = block;
  }
}

// --- internal ---

/** Messages gathered for one frame; more are written at once, so that memory stays bounded. */
const MESSAGES_MAX = 1000;

/** Overwrites the old lines before it clears what is below, so that the frame does not flicker. */
function blockOf(lines: readonly string[]): string {
  return `\r${lines.map((line) => line + CLEAR_LINE).join("\r\n")}${CLEAR_BELOW}`;
}

/**
 * False while this process is a background job (Ctrl-Z and `bg`, or `&`): a frame would overwrite
 * what the person types into the shell. True where /proc does not tell.
 */
function inForeground(): boolean {
  try {
    const stat = fs.readFileSync("/proc/self/stat", "latin1");
    // proc(5): behind the name, which may hold any byte, come state, ppid, pgrp, session, tty_nr,
    // tpgid.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [group, terminalGroup] = [fields[2], fields[5]];
    return terminalGroup === undefined || terminalGroup === "-1" || terminalGroup === group;
  } catch {
    return true;
  }
}
