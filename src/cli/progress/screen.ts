/**
 * A few lines at the bottom of a terminal that are drawn again and again, and messages that stand
 * above them as normal lines. The terminal's scrollback gets the messages and, once, the last
 * picture.
 *
 * Between two pictures the cursor rests at the start of the first line: whatever else writes there,
 * or however a resize breaks the lines, the next picture begins where the last one did.
 */
import fs from "node:fs";
import { NonBlockingOutput } from "../output/nonblocking.ts";

/** The terminal's size, asked for at each picture: a resize needs no signal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/**
 * The picture for a terminal of that size, its lines narrower than it; `over`: it is the last one.
 */
export type DrawnLines = (size: Size, over: boolean) => readonly string[];

/** Milliseconds between two pictures: ten a second look smooth and cost nothing. */
const DRAW_MS = 100;

/** Milliseconds that a stopped terminal may hold up the program's end. */
const DRAIN_MS = 500;

const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** The lower end of a terminal. The cursor is never hidden and nothing else is set either. */
export class Screen {
  readonly #outlet: NonBlockingOutput;
  readonly #size: () => Size;
  readonly #picture: DrawnLines;
  readonly #timer: NodeJS.Timeout;
  #said: string[] = [];
  /** What stands there now. */
  #block = "";
  #stopped = false;
  readonly #stop = (): void => this.stop();
  /** Ctrl-Z: the picture goes, or the shell would write into it; and then the program stops. */
  readonly #suspend = (): void => {
    if (inForeground()) this.#outlet.push(`\r${CLEAR_BELOW}`);
    process.off("SIGTSTP", this.#suspend);
    // Returns when it goes on, or at once where nobody could let it.
    process.kill(process.pid, "SIGTSTP");
    process.on("SIGTSTP", this.#suspend);
    this.#resume();
  };
  /** The cursor is where the shell has left it: what stood there before is none of ours. */
  readonly #resume = (): void => {
    this.#block = "";
    this.draw();
  };

  /**
   * Draws `picture` on the terminal `fd` from now on until stop(). The timer keeps no program
   * running.
   */
  constructor(fd: number, size: () => Size, picture: DrawnLines) {
    this.#outlet = new NonBlockingOutput(fd);
    this.#size = size;
    this.#picture = picture;
    this.#timer = setInterval(() => this.draw(), DRAW_MS).unref();
    // A program that ends without stop() leaves the cursor below the picture all the same.
    process.once("exit", this.#stop);
    process.on("SIGTSTP", this.#suspend);
    process.on("SIGCONT", this.#resume);
    this.draw();
  }

  /**
   * Prints printable `line` above the picture, at the next one. A terminal that takes nothing gets
   * later what Outlet keeps; what it can't keep is dropped and counted.
   */
  say(line: string): void {
    this.#said.push(line);
    if (this.#said.length >= SAID_MAX) this.#send("", inForeground());
  }

  /** Draws now, unless the terminal is still busy with the picture before. */
  draw(): void {
    if (this.#stopped) return;
    this.#outlet.flush();
    if (!this.#outlet.idle) return;
    if (!inForeground()) return this.#send("", false);
    const lines = this.#picture(this.#size(), false);
    const up = lines.length > 1 ? `\x1b[${lines.length - 1}A` : "";
    this.#send(`${blockOf(lines)}${up}\r`, true);
  }

  /**
   * Prints what is left to say and the last picture, or the printable line `last` in its place, and
   * leaves the cursor below it.
   */
  stop(last?: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearInterval(this.#timer);
    process.off("exit", this.#stop);
    process.off("SIGTSTP", this.#suspend);
    process.off("SIGCONT", this.#resume);
    const endMs = performance.now() + DRAIN_MS;
    this.#outlet.drain(endMs);
    const { dropped } = this.#outlet;
    if (dropped > 0) this.#said.push(`(${dropped} messages were lost: nobody took them in time)`);
    if (last !== undefined) this.#said.push(last);
    const lines = last === undefined ? this.#picture(this.#size(), true) : [];
    this.#send(lines.length === 0 ? "" : `${blockOf(lines)}\r\n`, inForeground());
    this.#outlet.drain(endMs);
    this.#outlet[Symbol.dispose]();
  }

  // --- internal ---

  /** `ours`: what stands at the cursor is the old picture, and not what a person types. */
  #send(block: string, ours: boolean): void {
    if (this.#said.length === 0 && block === this.#block) return;
    if (this.#said.length > 0 && ours) this.#outlet.push(`\r${CLEAR_BELOW}`);
    // Each a piece of its own: where not all fit, some do.
    for (const line of this.#said) this.#outlet.push(`${line.replaceAll("\n", "\r\n")}\r\n`);
    this.#said = [];
    this.#outlet.push(block);
    this.#block = block;
  }
}

// --- internal ---

/** Messages gathered at most for one picture. */
const SAID_MAX = 1000;

/** Each line over the one that stood there, then nothing: without a moment of emptiness. */
function blockOf(lines: readonly string[]): string {
  return `\r${lines.map((line) => line + CLEAR_LINE).join("\r\n")}${CLEAR_BELOW}`;
}

/**
 * False while the terminal belongs to another job (Ctrl-Z and `bg`, or `&`): a picture would run
 * through what the person types meanwhile. True where it can't be told.
 */
function inForeground(): boolean {
  try {
    const stat = fs.readFileSync("/proc/self/stat", "latin1");
    // Behind the name, which may hold anything: state, parent, group, session, terminal, its group.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [group, terminalGroup] = [fields[2], fields[5]];
    return terminalGroup === undefined || terminalGroup === "-1" || terminalGroup === group;
  } catch {
    return true;
  }
}
