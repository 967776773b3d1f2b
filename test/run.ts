/**
 * What `make test` runs: `bun test` with its output passed on, closed by one line `N passed, N
 * failed`. Owns that line, the exit status and how many files of tests run side by side. Anything
 * that leaves the counts in doubt (a crash, no closing counts, not one test) counts as a failure,
 * so that a broken runner is never taken for a green one.
 */
import { availableParallelism } from "node:os";

/**
 * A test that waits on a socket which never answers ends here. Honest ones take up to 8 s on a core
 * of their own, and there may be an eighth of a core for each: four workers on two cores that
 * another program has by half.
 */
const TEST_TIMEOUT_MS = 60_000;

/**
 * Files at once, for each core: while one waits for a deadline the other computes. A worker is a
 * process that runs one file after another, so what a test measures of its own process
 * (descriptors, memory, threads) is its own.
 */
const WORKERS_PER_CORE = 2;

/** More cores than eight are no reason for more than this: each worker takes some 200 MB. */
const WORKERS_MAX = 16;

/** So much of the runner's output is kept to read the closing lines from. */
const TAIL_CHARS_MAX = 4096;

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Reads the runner's closing counts, or null when it never came to print them. */
export function readCounts(tail: string): Counts | null {
  // The last paragraph: one count a line, closed by "Ran 3 tests across 1 file."
  const closing = Bun.stripANSI(tail).trimEnd().split("\n\n").at(-1) ?? "";
  if (!/^Ran \d+ tests? across \d+ files?\./m.test(closing)) return null;
  const count = (word: string): number =>
    Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(closing)?.[1] ?? 0);
  return {
    passed: count("pass"),
    failed: count("fail"),
    skipped: count("skip") + count("todo"),
  };
}

/** Processes that share the files among them, on a machine of `cores`. */
export function workersFor(cores: number): number {
  return Math.min(WORKERS_MAX, WORKERS_PER_CORE * cores);
}

/** The counts as told, or with one failure more when they hide that the run was no good. */
export function judge(counts: Counts | null, exitCode: number): Counts {
  const told = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const good = counts !== null && exitCode === 0 && told.passed > 0;
  return good || told.failed > 0 ? told : { ...told, failed: 1 };
}

async function main(patterns: string[]): Promise<number> {
  const parallel = `--parallel=${workersFor(availableParallelism())}`;
  const timeout = `--timeout=${TEST_TIMEOUT_MS}`;
  // A runner that is told to end takes the servers with it that its workers have started.
  const flags = ["--no-orphans", parallel, timeout];
  const child = Bun.spawn([process.execPath, "test", ...flags, ...patterns], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));

  // Both streams leave by one, so that the last line is last wherever they are joined.
  const [told, exitCode] = await Promise.all([
    forward(child.stderr),
    child.exited,
    forward(child.stdout),
  ]);
  const read = readCounts(told);
  if (read === null) console.log(`bun test ended with status ${exitCode} and without its counts`);
  const counts = judge(read, exitCode);
  // The closing line has one form whatever was skipped: programs read it.
  if (counts.skipped > 0) console.log(`\n${counts.skipped} skipped: each line above says why`);
  console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed > 0 ? 1 : 0;
}

/** Passes a stream on to stdout as it comes and returns its last characters. */
async function forward(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let tail = "";
  for await (const chunk of stream) {
    await Bun.write(Bun.stdout, chunk);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-TAIL_CHARS_MAX);
  }
  return tail;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
