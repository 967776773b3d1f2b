/**
 * The keyboard of the prompt: what is typed, handed to readline so that nothing typed behind a Tab
 * overtakes its completion. readline completes asynchronously, and only for a Tab at the end of a
 * chunk; without this, Tab and Enter typed fast enter the uncompleted line, or a literal tab.
 *
 * It owns stdin's "data" events. Memory is bounded by one chunk: stdin is paused while bytes wait.
 */
import { PassThrough } from "node:stream";

const TAB = 9;

/** The terminal's input as readline uses it. */
export interface Terminal {
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
  setRawMode?(raw: boolean): unknown;
}

/** A readable stream of the bytes typed, each Tab at the end of its chunk. */
export class Keyboard extends PassThrough {
  readonly #terminal: Terminal;
  /** Bytes behind a Tab whose completion is not done. */
  #waiting: Buffer | null = null;
  #completing = false;
  #ended = false;

  constructor(terminal: Terminal) {
    super();
    this.#terminal = terminal;
    terminal.on("data", (chunk) => this.#take(chunk));
    terminal.on("end", () => {
      this.#ended = true;
      if (this.#waiting === null) this.end();
    });
  }

  /** Called by readline: keys come one by one and unechoed. */
  setRawMode(raw: boolean): void {
    this.#terminal.setRawMode?.(raw);
  }

  /** Completes by `complete`; what is typed meanwhile waits for it. */
  async during<T>(complete: Promise<T>): Promise<T> {
    this.#completing = true;
    try {
      return await complete;
    } finally {
      this.#completing = false;
      // readline takes the answer in the microtasks that follow.
      setImmediate(() => this.#release());
    }
  }

  /** No more input is wanted: lets the process end. */
  close(): void {
    this.#terminal.pause();
  }

  // --- internal ---

  #take(chunk: Buffer): void {
    const tab = chunk.indexOf(TAB);
    const end = tab < 0 ? chunk.length : tab + 1;
    this.write(chunk.subarray(0, end));
    if (tab < 0) return;
    this.#waiting = chunk.subarray(end);
    this.#terminal.pause();
    // A Tab that completes nothing, as within an escape sequence: readline has asked by then.
    setImmediate(() => {
      if (!this.#completing) this.#release();
    });
  }

  #release(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    this.#terminal.resume();
    if (waiting.length > 0) this.#take(waiting);
    if (this.#ended && this.#waiting === null) this.end();
  }
}
