/**
 * Owns the servers under test: starts one, waits until it answers, tells its processes, ends it.
 * Never leaves one behind: what still runs when this process exits is killed, workers included.
 * Invariant: a server's standard error is always read, so that it can't block on it.
 */
import { processTree } from "./proc.ts";
import * as sys from "./load/sys.ts";

/** How long a server may take until it listens. */
const START_MS_MAX = 10_000;

/** How long a server may take to end after SIGTERM, before SIGKILL. */
const STOP_MS_MAX = 3_000;
const POLL_MS = 20;

/** Characters of standard error that are kept to explain a failure. */
const LAST_WORDS_MAX = 2_000;

const READY = /s6s?:\/\/[^/\s]*:(\d+)/;

export interface RunningServer {
  readonly port: number;
  /** The process and its descendants, as they are now. */
  pids(): number[];
  stop(): Promise<void>;
}

interface Child {
  readonly process: Bun.Subprocess<"ignore", "ignore", "pipe">;
  lastWords: string;
}

const running = new Set<Child>();
process.on("exit", () => {
  for (const child of running) killTree(child.process.pid);
});

/** Starts a server that names its port on standard error, or listens on `knownPort`. */
export async function startServer(
  command: readonly string[],
  knownPort?: number,
): Promise<RunningServer> {
  const child: Child = {
    process: Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" }),
    lastWords: "",
  };
  running.add(child);
  void listenTo(child);
  const deadline = Date.now() + START_MS_MAX;
  for (;;) {
    const port = knownPort ?? portFrom(child.lastWords);
    if (port !== null && answers(port)) return runningServer(child, port);
    if (child.process.exitCode !== null || Date.now() > deadline) {
      await stop(child);
      throw new Error(`${command[0]} did not start: ${child.lastWords.trim() || "no message"}`);
    }
    await Bun.sleep(POLL_MS);
  }
}

/** A TCP port of the loopback interface that was free a moment ago. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

// --- internal ---

function runningServer(child: Child, port: number): RunningServer {
  return { port, pids: () => processTree(child.process.pid), stop: () => stop(child) };
}

async function listenTo(child: Child): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of child.process.stderr) {
    child.lastWords = (child.lastWords + decoder.decode(chunk)).slice(-LAST_WORDS_MAX);
  }
}

function portFrom(text: string): number | null {
  const match = READY.exec(text);
  return match === null ? null : Number(match[1]);
}

function answers(port: number): boolean {
  try {
    sys.closeSocket(sys.connectLoopback(port, 1_000));
    return true;
  } catch {
    return false;
  }
}

async function stop(child: Child): Promise<void> {
  child.process.kill("SIGTERM");
  const timer = setTimeout(() => killTree(child.process.pid), STOP_MS_MAX);
  await child.process.exited;
  clearTimeout(timer);
  running.delete(child);
}

function killTree(root: number): void {
  try {
    for (const pid of processTree(root)) process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile, which was the aim.
  }
}
