/**
 * Owns the programs that come and go in a sample: starts one, tells what it used when it has ended.
 * Never leaves one behind when this process exits.
 */
import { processTree } from "../proc.ts";
import { PeakWatch } from "./peak.ts";

/** Characters of standard error that are kept to explain a failure. */
const LAST_WORDS_MAX = 500;

export interface Ended {
  readonly exitCode: number | null;
  readonly seconds: number;
  /** Its own and that of its children. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
  readonly lastWords: string;
}

export interface Program {
  readonly ended: Promise<Ended>;
  kill(): void;
}

const running = new Set<() => void>();
process.on("exit", () => running.forEach((kill) => kill()));

/** Starts `command` with `output` as its standard output; it reads nothing. */
export function run(command: readonly string[], output: number): Program {
  const started = Bun.nanoseconds();
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: output, stderr: "pipe" });
  const watch = new PeakWatch(child.pid);
  const kill = (): void => killTree(child.pid);
  running.add(kill);
  const finish = async (): Promise<Ended> => {
    const words = new Response(child.stderr).text();
    const exitCode = await child.exited;
    const seconds = (Bun.nanoseconds() - started) / 1e9;
    running.delete(kill);
    return {
      ...{ exitCode: child.signalCode === null ? exitCode : null, seconds },
      cpuSeconds: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6,
      peakRssBytes: watch.stop(),
      lastWords: (await words).trim().slice(-LAST_WORDS_MAX),
    };
  };
  return { ended: finish(), kill };
}

function killTree(root: number): void {
  try {
    for (const pid of processTree(root)) process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile, which was the aim.
  }
}
