/**
 * A program as a single file. It looks for nothing in the folder it is started in: no bunfig.toml,
 * whose `preload` would be somebody else's code, and no .env. It has the parsed code of its
 * functions with it (--bytecode), which makes it start in less than half the time, for 2 MB of 110.
 */
import { join } from "node:path";
import { run, runtimeOf, type Target } from "./runtime.ts";

/** What a compiled program would read in the current folder, or may be told to. */
const CLOSED = ["dotenv", "bunfig", "tsconfig", "package-json"];

/** What each starts as threads of its own. */
const THREADS = {
  serv6: ["src/digest/worker.ts", "src/store/lookworker.ts", "src/store/blocks/diskworker.ts"],
  cli6: ["src/digest/worker.ts"],
};

/** Compiles `program` for `target` into `folder`; `commit` is what its --version tells. */
export function compile(
  program: "serv6" | "cli6",
  target: Target,
  folder: string,
  commit: string,
): void {
  run([
    process.execPath,
    "build",
    `--target=bun-${target.name}`,
    "--compile",
    `--compile-executable-path=${runtimeOf(target)}`,
    ...CLOSED.map((what) => `--no-compile-autoload-${what}`),
    "--bytecode",
    "--format=esm",
    `--define=SERV6_COMMIT=${JSON.stringify(commit)}`,
    // The threads are looked for beside the program, where this puts all of them.
    "--entry-naming=[name].[ext]",
    `--outfile=${join(folder, program)}`,
    `src/${program}.ts`,
    ...THREADS[program],
  ]);
}
