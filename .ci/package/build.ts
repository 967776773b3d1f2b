/**
 * `make build`: serv6 and cli6 as single files that need no Bun, for each kind of machine, in dist/
 * with their checksums. `make build TARGETS=linux-x64` makes one kind.
 *
 * A compiled program looks for nothing in the folder it is started in: no bunfig.toml, whose
 * `preload` would be somebody else's code, and no .env. It has the parsed code of its functions with
 * it (--bytecode), which makes it start in a third of the time, for 2 MB of its 110.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ROOT, run, runtimeOf, type Target, TARGETS } from "./runtime.ts";

/** SERV6_DIST= in the environment is where else to build: tests leave what is in dist alone. */
const DIST = resolve(ROOT, process.env.SERV6_DIST ?? "dist");

const CLOSED = ["dotenv", "bunfig", "tsconfig", "package-json"];

/** The commit of the checkout: with a plus where files differ from it, "unknown" without git. */
function commit(): string {
  const git = (...args: string[]): string | null => {
    try {
      const { success, stdout } = Bun.spawnSync(["git", ...args], { cwd: ROOT, stderr: "ignore" });
      return success ? stdout.toString().trim() : null;
    } catch {
      return null;
    }
  };
  const head = git("rev-parse", "--short=12", "HEAD");
  if (head === null) return "unknown";
  return git("status", "--porcelain", "--untracked-files=no") === "" ? head : `${head}+`;
}

function compile(program: string, target: Target, made: string): void {
  const file = join(DIST, target.name, program);
  run([
    process.execPath,
    "build",
    `--target=bun-${target.name}`,
    "--compile",
    `--compile-executable-path=${runtimeOf(target)}`,
    ...CLOSED.map((what) => `--no-compile-autoload-${what}`),
    "--bytecode",
    "--format=esm",
    `--define=SERV6_COMMIT=${JSON.stringify(made)}`,
    // The thread for digests is looked for beside the program, where this puts both.
    "--entry-naming=[name].[ext]",
    `--outfile=${file}`,
    `src/${program}.ts`,
    "src/digest/worker.ts",
  ]);
}

/** Checksums of all that is in dist, as `sha256sum -c` reads them. */
function checksums(): string {
  const files = readdirSync(DIST, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "SHA256SUMS")
    .map((entry) => join(entry.parentPath, entry.name).slice(DIST.length + 1))
    .sort();
  return files
    .map((file) => {
      const digest = createHash("sha256")
        .update(readFileSync(join(DIST, file)))
        .digest("hex");
      return `${digest}  ${file}\n`;
    })
    .join("");
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !TARGETS.some((target) => target.name === name));
if (unknown !== undefined) {
  const names = TARGETS.map(({ name }) => name).join(", ");
  console.error(`there is no target ${unknown}: ${names}`);
  process.exit(2);
}
rmSync(DIST, { recursive: true, force: true });
const made = commit();
for (const target of TARGETS) {
  if (wanted.length > 0 && !wanted.includes(target.name)) continue;
  mkdirSync(join(DIST, target.name), { recursive: true });
  for (const program of ["serv6", "cli6"]) compile(program, target, made);
}
writeFileSync(join(DIST, "SHA256SUMS"), checksums());
