/**
 * Runs tests against one mutant at a time, in a copy of the checkout: the working tree is never
 * changed. Owns the copy and the bound on time.
 */
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Mutant } from "./operators.ts";

export type Verdict = "caught" | "timed out" | "survived";

/** A mutant's bound is this many times what its room's tests take with nothing changed. */
const TIMES_UNCHANGED = 4;

/** And so much more, for a busy machine. Who takes longer hangs, and counts as caught. */
const TRIAL_MS_MIN = 10_000;

/** How long tests may take that took `unchangedMs` without a mutant, in ms. */
export function boundFor(unchangedMs: number): number {
  return TRIAL_MS_MIN + TIMES_UNCHANGED * unchangedMs;
}

/** One test that waits for an answer which never comes; as in test/run.ts, for a busy machine. */
const TEST_TIMEOUT_MS = 60_000;

/** What the tests of the rooms read. */
const COPIED = [
  "src",
  "test",
  "bench",
  ".github",
  "package.json",
  "tsconfig.json",
  "bunfig.toml",
  "README.md",
  "LICENSE",
  "Makefile",
];

/** The file of the first failure in what `bun test` tells; "" where none failed. */
export function failedIn(told: string): string {
  const until = Bun.stripANSI(told).split(/^\(fail\) /m);
  if (until.length === 1) return "";
  return [...until[0]!.matchAll(/^(?:\.\/)?(\S+\.test\.ts):$/gm)].at(-1)?.[1] ?? "";
}

/** A copy of the checkout at `root`, gone when disposed of. */
export class Copy implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "mutate-"));
  /** The test file whose failure ended the last run, or "": a crash has none. */
  caughtBy = "";
  /** What the tests of the last run told. */
  readonly #told = join(this.folder, "told.txt");
  #child: Bun.Subprocess | null = null;

  constructor(root: string) {
    // Some tests run a command as a user who owns nothing of it.
    chmodSync(this.folder, 0o755);
    for (const name of COPIED.filter((it) => existsSync(join(root, it)))) {
      cpSync(join(root, name), join(this.folder, name), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
    symlinkSync(resolve(root, "node_modules"), join(this.folder, "node_modules"));
  }

  /**
   * Runs `tests` with the mutant in place, up to the first failure or `msMax`, and puts the file
   * back as it was.
   */
  async try(mutant: Mutant, tests: readonly string[], msMax: number): Promise<Verdict> {
    const path = join(this.folder, mutant.path);
    const original = await Bun.file(path).text();
    writeFileSync(path, mutant.text);
    try {
      return await this.run(tests, msMax);
    } finally {
      writeFileSync(path, original);
    }
  }

  /** Runs `tests` on the copy as it is: "survived" says that they pass. */
  async run(tests: readonly string[], msMax: number): Promise<Verdict> {
    const told = openSync(this.#told, "w");
    const flags = ["--no-orphans", "--bail", `--timeout=${TEST_TIMEOUT_MS}`];
    const child = Bun.spawn(
      [process.execPath, "test", ...flags, ...tests.map((test) => `./${test}`)],
      { cwd: this.folder, stdin: "ignore", stdout: "ignore", stderr: told },
    );
    closeSync(told);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, msMax);
    this.#child = child;
    const status = await child.exited;
    this.#child = null;
    clearTimeout(timer);
    this.caughtBy = failedIn(await Bun.file(this.#told).text());
    if (late) return "timed out";
    return status === 0 ? "survived" : "caught";
  }

  /** Also in the middle of a trial, whose tests end first and so write nothing anew. */
  [Symbol.dispose](): void {
    this.#child?.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}
