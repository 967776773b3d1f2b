/**
 * What the torture tests share: how much of it there is (RUNS=, SEED=), the real command with a
 * bound on its time, and a look at what it left.
 */
import { expect } from "bun:test";
import fs from "node:fs";
import { CLI6_COMMAND, environment } from "../rig/program.ts";
import { Random, SEED } from "../fuzz/random.ts";

/** `make torture` asks for so many of everything; null in the default suite. */
const RUNS = process.env["RUNS"] === undefined ? null : Number(process.env["RUNS"]);

/** A run that has not ended by then hangs, in milliseconds. */
const HANG_MS = 12_000;

/** Executions of a test: `few` in the default suite, RUNS else, at most `most` that there are. */
export function runs(few: number, most = Infinity): number {
  return Math.min(most, RUNS ?? few);
}

/** Time for a test of `count` executions that take at most `eachMs`, in milliseconds. */
export function timeFor(count: number, eachMs: number): number {
  return 15_000 + count * eachMs;
}

/** For a test's name: how the same run is had again. */
export const AGAIN = `SEED=${SEED}`;

/** Does `action` with seeds from SEED on; a failure names its own. */
export async function repeat(
  count: number,
  action: (random: Random, seed: number) => Promise<void>,
): Promise<void> {
  for (let seed = SEED; seed < SEED + count; seed++) {
    try {
      await action(new Random(seed), seed);
    } catch (error) {
      throw new Error(`SEED=${seed} RUNS=1 repeats it: ${String(error)}`, { cause: error });
    }
  }
}

/** What a run of the command came to. */
export interface Ended {
  /** The exit status; null after a signal. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly err: string;
  /** It did not end by itself in time and was killed. */
  readonly hung: boolean;
}

/** A command on its way. */
export interface Started {
  readonly child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  readonly ended: Promise<Ended>;
}

/** Starts cli6 with `args`, behind the words of `wrap` (strace, a shell, ...). */
export function start(args: readonly string[], wrap: readonly string[] = []): Started {
  const child = Bun.spawn([...wrap, ...CLI6_COMMAND, ...args], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    env: environment(),
    // A group of its own: a wrapper that is killed alone leaves what it wraps.
    detached: true,
  });
  return { child, ended: endOf(child) };
}

/** The same to its end. */
export function run(args: readonly string[], wrap: readonly string[] = []): Promise<Ended> {
  return start(args, wrap).ended;
}

/** The last word: run without any fault, the command completes and leaves nothing behind. */
export async function completes(args: readonly string[], folder: string): Promise<void> {
  const { status, err } = await run(args);
  expect({ status, err }).toEqual({ status: 0, err: "" });
  expect(fs.existsSync(stagingOf(folder))).toBe(false);
}

/** The staging folder in `folder`. */
export function stagingOf(folder: string): string {
  return `${folder}/.cli6-${process.geteuid?.() ?? 0}`;
}

/** The file's bytes, or null when there is none. */
export function read(path: string): Buffer | null {
  try {
    return fs.readFileSync(path);
  } catch {
    return null;
  }
}

// --- internal ---

async function endOf(child: Bun.Subprocess<"ignore", "ignore", "pipe">): Promise<Ended> {
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    process.kill(-child.pid, "SIGKILL");
  }, HANG_MS);
  const err = await new Response(child.stderr).text();
  await child.exited;
  clearTimeout(timer);
  const signal = child.signalCode === null ? null : String(child.signalCode);
  return { status: child.exitCode, signal, err, hung };
}
