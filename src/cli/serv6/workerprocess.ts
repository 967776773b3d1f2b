/** One worker, as the process that starts it sees it: from its start to its end. */
import type { Colleagues } from "../../server/colleagues.ts";
import type { Sockets } from "./sockets.ts";
import { type Assignment, WORKER_VARIABLE } from "./worker.ts";

/** Milliseconds between two looks whether it serves. A start takes 60 of them and more. */
const LOOK_MS = 5;

/**
 * Milliseconds that a start may take. One whose root lies on a mount that hangs would keep a
 * reload, and all behind it, waiting for ever.
 */
const START_MS_MAX = 60_000;

/** A loop turns once a second; on a busy machine it may come later. */
const STILL_MS_MAX = 5000;

/** What it is started with. */
export interface Start {
  /** This program and its arguments. */
  readonly command: readonly string[];
  readonly colleagues: Colleagues;
  /** The descriptor of their memory. */
  readonly memory: number;
  readonly sockets: Sockets;
  /** It is this one of so many. */
  readonly nth: number;
  readonly workers: number;
  readonly says: boolean;
  /** Milliseconds that it may take until it serves: START_MS_MAX, but for tests. */
  readonly startMs?: number;
  /** The configuration file's text; null without such a file. */
  readonly config: string | null;
}

/** Variables that are for the first process alone. */
const FIRST_ONLY = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC"];

/** A worker that was started. */
export class WorkerProcess {
  /** True once it serves; false: it has ended before, or is ended because it is late. */
  readonly begun: Promise<boolean>;
  /** In words how it ended, when it has: not while the kernel waits for a disk that hangs. */
  readonly ended: Promise<string>;
  readonly startedAt = performance.now();
  readonly #child: Bun.Subprocess<"inherit", "inherit", "inherit">;
  readonly #colleagues: Colleagues;
  readonly #plane: number;
  #serves = false;
  /** It was ended because it had not come to serve for so many milliseconds. */
  #late = 0;
  #beat = -1;
  #beatAt = 0;

  /** Throws what the system says where no process can be started, or no plane is free. */
  constructor(start: Start) {
    const { command, colleagues, memory, sockets, nth, workers, says, config } = start;
    this.#colleagues = colleagues;
    this.#plane = colleagues.free();
    if (this.#plane < 0) throw new Error("too many workers of before still finish");
    const { places, admin, handed } = sockets.for(nth, workers);
    const assignment: Assignment = {
      ...{ supervisor: process.pid, plane: this.#plane, places, admin, says },
      config: config && Buffer.from(config).toString("base64"),
    };
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !FIRST_ONLY.includes(name)),
    );
    this.#child = Bun.spawn([...command], {
      stdio: ["inherit", "inherit", "inherit", memory, ...handed],
      env: { ...environment, [WORKER_VARIABLE]: JSON.stringify(assignment) },
    });
    colleagues.take(this.#plane, this.#child.pid);
    this.ended = this.#end();
    this.begun = Promise.race([
      this.#begin(start.startMs ?? START_MS_MAX),
      this.ended.then(() => false),
    ]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it has come to serve. */
  get serves(): boolean {
    return this.#serves;
  }

  /** Its exit status, or 1 where a signal ended it. */
  get status(): number {
    return this.#child.exitCode ?? 1;
  }

  /** In words why it does not serve, once it has not begun to. */
  get failure(): Promise<string> {
    return this.#late > 0 ? Promise.resolve(this.#lateness) : this.ended;
  }

  /** Whether it has ended by itself, with a status. */
  get endedItself(): boolean {
    return this.#child.exitCode !== null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it: what it has accepted it may finish, as far as it has come to accept anybody. */
  dismiss(): void {
    // Asked anew: between two looks it may have begun, and says so before it accepts.
    const serves = this.#serves || this.#colleagues.serves(this.#plane);
    this.#child.kill(serves ? "SIGTERM" : "SIGKILL");
  }

  /** Whether its loop has turned lately, as far as this was asked before. */
  alive(): boolean {
    const beat = this.#colleagues.beat(this.#plane);
    if (beat !== this.#beat) [this.#beat, this.#beatAt] = [beat, performance.now()];
    return performance.now() - this.#beatAt < STILL_MS_MAX;
  }

  // --- internal ---

  #begin(msMax: number): Promise<boolean> {
    return new Promise((resolve) => {
      const look = setInterval(() => {
        if (!this.#colleagues.serves(this.#plane)) {
          if (performance.now() - this.startedAt < msMax) return;
          this.#late = msMax;
          clearInterval(look);
          this.#child.kill("SIGKILL");
          // Not behind its end, which a file system of another process may hold up, too.
          resolve(false);
          return;
        }
        this.#serves = true;
        clearInterval(look);
        resolve(true);
      }, LOOK_MS);
      void this.#child.exited.then(() => clearInterval(look));
    });
  }

  get #lateness(): string {
    return `took more than ${this.#late / 1000} s to start, and was ended`;
  }

  async #end(): Promise<string> {
    await this.#child.exited;
    this.#colleagues.clear(this.#plane);
    const { signalCode, exitCode } = this.#child;
    if (this.#late > 0) return this.#lateness;
    return signalCode === null ? `ended with status ${exitCode}` : `was ended by ${signalCode}`;
  }
}
