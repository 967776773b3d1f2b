/**
 * The process that keeps workers running: it starts them, starts one again that has ended, replaces
 * all of them when it is told to, and ends with them. It serves nothing and reads nothing that
 * anybody sends (decision 0043).
 *
 * Invariant: whatever becomes of a reload, the workers that served before it serve until others do.
 */
import { Colleagues } from "../../server/colleagues.ts";
import type { ServeOptions } from "../../server/start.ts";
import { HOST_DEFAULT } from "../../server/start.ts";
import { LIMITS_DEFAULT } from "../../guard/limits.ts";
import { Log } from "../../observe/log.ts";
import { kernel } from "../../sys/kernel.ts";
import { Failure } from "../../wire/failure.ts";
import { type ByteString, utf8Of } from "../../wire/bytes.ts";
import { PORT_DEFAULT } from "../../wire/vocabulary.ts";
import { type Environment, UsageError } from "../flags/flags.ts";
import { activated } from "./activation.ts";
import { Notify } from "./notify.ts";
import { Sockets, type Wanted } from "./sockets.ts";
import { enterSupervisorWall, restartAdvice } from "./supervisorwall.ts";
import { WorkerProcess } from "./workerprocess.ts";

/** What it supervises. */
export interface Supervised {
  readonly options: ServeOptions;
  readonly workers: number;
  /** False: it keeps all its rights. */
  readonly sandbox: boolean;
  /**
   * The configuration file's text, for all workers until the next reload: a file that is being
   * edited is nothing for one that is started again. Null without such a file.
   */
  readonly config: string | null;
}

const STDERR = 2;

/** The least from one start of a worker to its next. */
const RESTART_MS_MIN = 250;

/** The wait behind one that has ended before it served; each further one is twice as long. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 30_000;

/** What workers get beyond their own grace before they are killed. */
const GRACE_MORE_MS = 5000;

/** One of the workers, whichever process it is at the moment. */
interface Slot {
  readonly nth: number;
  worker: WorkerProcess | null;
  /** Starts in a row that came to nothing. */
  failed: number;
  timer: NodeJS.Timeout | null;
}

/**
 * Runs until a signal ends it; resolves to the exit status. `read` reads the configuration, also
 * again later, and makes keys of the server's own that are missing unless `makes` is false: it
 * throws what is wrong with it. Throws Failure where it can't listen.
 */
export async function supervise(
  args: readonly ByteString[],
  environment: Environment,
  read: (makes?: boolean) => Supervised,
): Promise<number> {
  // Who has a cache holds its lock, so that a second worker, or one of a reload, could not start.
  const readChecked = (makes?: boolean): Supervised => {
    const now = read(makes);
    if (now.options.cache === undefined) return now;
    throw new UsageError("--cache is one process's own: it needs --workers 1");
  };
  const made = Colleagues.make();
  if (made === null) throw new UsageError("--workers needs Linux, and memory that can be shared");
  const command = [...program(), ...args.map(utf8Of)];
  return await new Supervisor(
    command,
    made,
    new Notify(environment),
    readChecked,
    environment,
  ).run();
}

/** The workers of one server. */
class Supervisor {
  readonly #command: readonly string[];
  readonly #colleagues: Colleagues;
  readonly #memory: number;
  readonly #notify: Notify;
  readonly #read: (makes?: boolean) => Supervised;
  readonly #log: Log;
  readonly #inherited: ReturnType<typeof activated>;
  /** What may be written to since the start; null: everything. */
  readonly #writable: readonly string[] | null;
  #now: Supervised;
  #sockets: Sockets;
  #slots: Slot[] = [];
  /** All that have not ended, those of before a reload included. */
  readonly #running = new Set<WorkerProcess>();
  /** Those of a reload that failed which have not ended: they may listen until they are told. */
  readonly #dismissed = new Set<WorkerProcess>();
  #stopping = false;
  /** Workers are being started or replaced: a reload that is asked for meanwhile comes behind. */
  #reloading = true;
  #again = false;

  constructor(
    command: readonly string[],
    { colleagues, fd }: { colleagues: Colleagues; fd: number },
    notify: Notify,
    read: (makes?: boolean) => Supervised,
    environment: Environment,
  ) {
    this.#command = command;
    this.#colleagues = colleagues;
    this.#memory = fd;
    this.#notify = notify;
    this.#read = read;
    this.#now = read();
    this.#inherited = activated(environment);
    this.#sockets = this.#socketsOf(this.#now, null);
    const { log = "off" } = this.#now.options;
    this.#log = new Log(log === "off" ? "human" : log);
    this.#writable = this.#now.sandbox ? enterSupervisorWall(this.#now.options) : null;
  }

  async run(): Promise<number> {
    const over = this.#untilStopped();
    const failed = await this.#begin();
    if (failed !== null && !this.#stopping) return failed;
    this.#reloading = false;
    this.#steer();
    if (!this.#stopping) this.#ready();
    if (this.#again) void this.#reload();
    await over;
    await Promise.all([...this.#running].map((worker) => worker.ended));
    return 0;
  }

  // --- internal ---

  /** Starts all; null, or the status of the first one when that has ended before it served. */
  async #begin(): Promise<number | null> {
    const first = this.#start(0, true);
    this.#slots = [{ nth: 0, worker: first, failed: 0, timer: null }];
    if (!(await first.begun)) return first.status;
    for (let nth = 1; nth < this.#now.workers; nth++) {
      const slot: Slot = { nth, worker: null, failed: 0, timer: null };
      this.#slots.push(slot);
      this.#fill(slot);
    }
    this.#keep(this.#slots[0]!, first);
    await Promise.all(this.#slots.map(({ worker }) => worker?.begun));
    return null;
  }

  #start(nth: number, says: boolean, now = this.#now, sockets = this.#sockets): WorkerProcess {
    const worker = new WorkerProcess({
      ...{ command: this.#command, colleagues: this.#colleagues, memory: this.#memory },
      ...{ sockets, nth, workers: now.workers, says },
      config: now.config,
    });
    this.#running.add(worker);
    void worker.ended.then(() => this.#running.delete(worker));
    return worker;
  }

  /** Starts a worker in `slot`; one that can't be started counts as one that has ended. */
  #fill(slot: Slot): void {
    slot.timer = null;
    if (this.#stopping) return;
    try {
      const worker = this.#start(slot.nth, false);
      slot.worker = worker;
      this.#keep(slot, worker);
      // Signals that came before it was listening to them have ended it, which is as well.
    } catch (error) {
      this.#retry(slot, `can't be started (${String(error)})`);
    }
  }

  /** When `worker` ends while it is the one of `slot`, another one takes its place. */
  #keep(slot: Slot, worker: WorkerProcess): void {
    void worker.begun.then((served) => {
      if (served) slot.failed = 0;
      this.#steer();
    });
    void worker.ended.then((how) => {
      if (slot.worker !== worker || this.#stopping) return;
      slot.worker = null;
      this.#steer();
      const who = `worker ${slot.nth + 1} (${worker.pid})`;
      if (!worker.serves) {
        this.#retry(slot, `${how} before it served`);
        return;
      }
      this.#log.note(`${who} ${how}: it is started again`);
      const ms = Math.max(0, worker.startedAt + RESTART_MS_MIN - performance.now());
      slot.timer = setTimeout(() => this.#fill(slot), ms);
    });
  }

  #retry(slot: Slot, what: string): void {
    const ms = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** slot.failed);
    slot.failed += 1;
    this.#log.note(`worker ${slot.nth + 1} ${what}: started again in ${ms / 1000} s`);
    slot.timer = setTimeout(() => this.#fill(slot), ms);
  }

  /** Newcomers go where somebody accepts them; who waits at another one waits for its next. */
  #steer(): void {
    if (this.#reloading) return;
    this.#sockets.steer(this.#serving(), this.#now.workers, this.#dismissed.size > 0);
  }

  /** The numbers of those that serve. */
  #serving(): number[] {
    return this.#slots.filter(({ worker }) => worker?.serves === true).map(({ nth }) => nth);
  }

  #ready(): void {
    const { workers } = this.#now;
    this.#notify.ready(`${workers} workers serve`, () => {
      const serving = this.#slots.flatMap(({ worker }) => (worker?.serves ? [worker] : []));
      return serving.map((worker) => worker.alive()).every(Boolean);
    });
  }

  #socketsOf({ options, workers }: Supervised, before: Sockets | null): Sockets {
    if (this.#inherited !== null) {
      return Sockets.of(this.#inherited, options.adminAddress ?? null, workers, before);
    }
    return Sockets.open(wantedOf(options), workers, before);
  }

  /** Fresh workers, with what is configured now; those of before finish when all of these serve. */
  async #reload(): Promise<void> {
    if (this.#stopping) return;
    if (this.#reloading) {
      this.#again = true;
      return;
    }
    this.#reloading = true;
    this.#again = false;
    this.#notify.reloading();
    const began = performance.now();
    const why = await this.#replace();
    this.#reloading = false;
    this.#steer();
    if (this.#stopping) return;
    if (why === null) {
      const took = Math.round(performance.now() - began);
      this.#log.note(`reloaded in ${took} ms: ${this.#now.workers} fresh workers serve`);
    } else {
      const advice = restartAdvice(this.#writable, () => this.#read(false).options);
      this.#log.note(`not reloaded, all is as before: ${why}${advice}`);
    }
    this.#ready();
    if (this.#again) await this.#reload();
  }

  /** Null, or why all is as before. */
  async #replace(): Promise<string | null> {
    const fresh: WorkerProcess[] = [];
    let sockets = this.#sockets;
    try {
      const next = this.#read();
      // Nobody accepts from sockets for more workers before these serve, if ever they do.
      this.#sockets.steer(this.#serving(), this.#now.workers, true);
      sockets = this.#socketsOf(next, this.#sockets);
      for (let nth = 0; nth < next.workers && !this.#stopping; nth++) {
        fresh.push(this.#start(nth, false, next, sockets));
        // What is wrong is told once: by the first of them.
        if (nth === 0 && !(await fresh[0]!.begun)) break;
      }
      const begun = await Promise.all(fresh.map((worker) => worker.begun));
      if (begun.length === next.workers && begun.every(Boolean) && !this.#stopping) {
        this.#swap(fresh, next, sockets);
        return null;
      }
      this.#dismiss(fresh, sockets);
      const failed = fresh[begun.indexOf(false)];
      const how = `a fresh worker ${await failed?.failure}`;
      return failed?.endedItself === true ? `${how}, and has said why` : how;
    } catch (error) {
      this.#dismiss(fresh, sockets);
      if (error instanceof UsageError || error instanceof Failure) return error.message;
      return String(error);
    }
  }

  /** Ends `fresh`; nobody gets to those of `sockets` that are theirs alone. */
  #dismiss(fresh: readonly WorkerProcess[], sockets: Sockets): void {
    for (const worker of fresh) {
      worker.dismiss();
      this.#dismissed.add(worker);
      void worker.ended.then(() => {
        this.#dismissed.delete(worker);
        this.#steer();
      });
    }
    sockets.closeBut(this.#sockets);
  }

  #swap(fresh: readonly WorkerProcess[], next: Supervised, sockets: Sockets): void {
    const before = this.#slots;
    this.#slots = fresh.map((worker, nth) => ({ nth, worker, failed: 0, timer: null }));
    for (const slot of this.#slots) if (slot.worker !== null) this.#keep(slot, slot.worker);
    for (const { worker, timer } of before) {
      if (timer !== null) clearTimeout(timer);
      worker?.signal("SIGTERM");
    }
    for (const slot of before) slot.worker = null;
    this.#sockets.closeBut(sockets);
    this.#sockets = sockets;
    this.#now = next;
    this.#sockets.steer([], next.workers);
  }

  /** Resolves when a signal has told it to stop. */
  #untilStopped(): Promise<void> {
    return new Promise((resolve) => {
      const stop = (signal: NodeJS.Signals, number: number): void => {
        if (this.#stopping) {
          this.#signal("SIGKILL");
          process.exit(128 + number);
        }
        this.#stop();
        this.#log.note(`${signal}: finishing, again to stop now`);
        resolve();
      };
      process.on("SIGINT", () => stop("SIGINT", 2));
      process.on("SIGTERM", () => stop("SIGTERM", 15));
      const terminal = kernel.isTerminal(STDERR);
      process.on("SIGHUP", () => {
        // A terminal that was closed says so by the same signal, and is none any more.
        if (terminal && !kernel.isTerminal(STDERR)) stop("SIGHUP", 1);
        else void this.#reload();
      });
      process.on("SIGUSR1", () => this.#reopenLogs());
    });
  }

  #stop(): void {
    this.#stopping = true;
    this.#notify.stopping();
    for (const { timer } of this.#slots) if (timer !== null) clearTimeout(timer);
    this.#signal("SIGTERM");
    const { graceMs = LIMITS_DEFAULT.graceMs } = this.#now.options.limits ?? {};
    setTimeout(() => this.#signal("SIGKILL"), graceMs + GRACE_MORE_MS).unref();
  }

  #signal(signal: NodeJS.Signals): void {
    for (const worker of this.#running) worker.signal(signal);
  }

  /** One that starts may have opened the file before it got another name: it is told later. */
  #reopenLogs(): void {
    for (const worker of this.#running) {
      void worker.begun.then((served) => {
        if (served) worker.signal("SIGUSR1");
      });
    }
  }
}

// --- internal ---

function wantedOf({
  hosts = [HOST_DEFAULT],
  port = PORT_DEFAULT,
  ...options
}: ServeOptions): Wanted {
  const places = hosts.map((host) => ({ host, port }));
  return { places, admin: options.adminAddress ?? null };
}

/**
 * This program, as it was started: its own bunfig and env files are switched off, as in its first
 * line. A compiled one has that in itself (decision 0036). Nothing is looked for in PATH.
 */
function program(): string[] {
  const compiled = import.meta.dir.startsWith("/$bunfs/");
  if (compiled) return [process.execPath];
  return [process.execPath, "--config=/dev/null", "--no-env-file", process.argv[1] ?? ""];
}
