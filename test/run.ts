/**
 * What `make test` runs: `bun test` with its output passed on, closed by one line `N passed, N
 * failed`. Owns that line, the exit status and which files of tests run side by side. Anything
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

/**
 * Files that judge how soon an honest client is served run behind all others, one after the other:
 * beside three more workers they would judge those.
 */
const APART = /(^|\/)test\/abuse\//;

/**
 * Tests of what `make build` makes run only where their folder is asked for: building takes longer
 * than many a test.
 */
const PACKAGES = "test/packages/";

/** More cores than eight are no reason for more than this: each worker takes some 200 MB. */
const WORKERS_MAX = 16;

/** So much of the runner's output is kept to read the closing lines from. */
const TAIL_CHARS_MAX = 4096;

/** Failures told once more at the end, and the lines of each: the last screen of a log is read. */
const RECAP_FAILURES_MAX = 8;
const RECAP_LINES_MAX = 24;

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

/**
 * The tests that failed, each with what was printed before its verdict and the file it is of, for
 * a reader who has the end of the output alone.
 */
export class Recap {
  readonly #failures: string[] = [];
  #file = "";
  #lines: string[] = [];
  #rest = "";
  /** The runner tells failures once more itself, without their reasons. */
  readonly #seen = new Set<string>();

  /** Failures that were seen, more than are kept included. */
  count = 0;

  /** Takes output as it comes, cut anywhere. */
  take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(Bun.stripANSI(line));
  }

  /** What to print: nothing where nothing has failed. */
  text(): string {
    if (this.count === 0) return "";
    const more = this.count - this.#failures.length;
    const rest = more > 0 ? [`and ${more} more, above`] : [];
    return ["\nwhat failed:", ...this.#failures, ...rest].join("\n\n");
  }

  #line(line: string): void {
    if (/^\S+\.(test|package)\.tsx?:$/.test(line)) this.#file = line;
    if (!/^\((pass|fail|skip|todo)\) /.test(line)) {
      this.#lines.push(line);
      if (this.#lines.length > RECAP_LINES_MAX) this.#lines.shift();
      return;
    }
    if (line.startsWith("(fail) ") && !this.#seen.has(line)) {
      this.#seen.add(line);
      this.count += 1;
      const before = this.#lines.filter((each) => each !== "" && each !== this.#file);
      const block = [this.#file, ...before, line].join("\n");
      if (this.#failures.length < RECAP_FAILURES_MAX) this.#failures.push(block);
    }
    this.#lines = [];
  }
}

/** Tells the runner that is running to end. */
let kill: (signal: NodeJS.Signals) => void = () => {};

/** Test files by when they run: first side by side, then apart. Those that hold one of `words`. */
export function phasesOf(files: readonly string[], words: readonly string[]): string[][] {
  const wanted = files.filter((file) => words.length === 0 || words.some((w) => file.includes(w)));
  const apart = wanted.filter((file) => APART.test(file));
  return [wanted.filter((file) => !APART.test(file)), apart].filter(({ length }) => length > 0);
}

/** `args`: parts of files' names, then flags of `bun test`. */
async function main(args: string[]): Promise<number> {
  const words = args.slice(0, args.findIndex((arg) => arg.startsWith("-")) >>> 0);
  const flags = args.slice(words.length);
  const packages = words.some((word) => word.startsWith(PACKAGES));
  const glob = new Bun.Glob(packages ? `${PACKAGES}*.package.ts` : "**/*.test.{ts,tsx,js}");
  const files = [...glob.scanSync(".")].filter((file) => !file.includes("node_modules/")).sort();
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const recap = new Recap();
  let stopped = false;
  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      stopped = true;
      kill(signal);
    });
  }
  for (const phase of phasesOf(files, words)) {
    if (stopped) break;
    const workers = phase.some((file) => APART.test(file)) ? 1 : workersFor(availableParallelism());
    const counts = await run(phase, workers, flags, recap);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  const { passed, skipped } = total;
  if (recap.count > 0) console.log(recap.text());
  if (passed + total.failed === 0) {
    console.log(`no test was run: ${words.join(", ") || "there is none"}`);
    total.failed = 1;
  }
  // The closing line has one form whatever was skipped: programs read it.
  if (skipped > 0) console.log(`\n${skipped} skipped: each line above says why`);
  console.log(`\n${passed} passed, ${total.failed} failed`);
  return total.failed > 0 ? 1 : 0;
}

async function run(
  files: readonly string[],
  workers: number,
  more: string[],
  recap: Recap,
): Promise<Counts> {
  // A runner that is told to end takes the servers with it that its workers have started.
  const flags = ["--no-orphans", `--parallel=${workers}`, `--timeout=${TEST_TIMEOUT_MS}`, ...more];
  const paths = files.map((file) => `./${file}`);
  const child = Bun.spawn([process.execPath, "test", ...flags, ...paths], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  kill = (signal) => child.kill(signal);

  // Both streams leave by one, so that the last line is last wherever they are joined.
  const [told, exitCode] = await Promise.all([
    forward(child.stderr, recap),
    child.exited,
    forward(child.stdout, null),
  ]);
  const read = readCounts(told);
  if (read === null) console.log(`bun test ended with status ${exitCode} and without its counts`);
  return judge(read, exitCode);
}

/** Passes a stream on to stdout as it comes and returns its last characters. */
async function forward(stream: ReadableStream<Uint8Array>, recap: Recap | null): Promise<string> {
  const decoder = new TextDecoder();
  let tail = "";
  for await (const chunk of stream) {
    await Bun.write(Bun.stdout, chunk);
    const text = decoder.decode(chunk, { stream: true });
    recap?.take(text);
    tail = (tail + text).slice(-TAIL_CHARS_MAX);
  }
  return tail;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
