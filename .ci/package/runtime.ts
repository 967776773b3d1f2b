/**
 * Owns where the runtime of a compiled program comes from: Bun for the machine it will run on, from
 * npm, in the version and with the bytes that bun.lock names. Never takes what Bun would download by
 * itself: nobody compares that with anything.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";

/** The folder that holds package.json. */
export const ROOT: string = join(import.meta.dir, "../..");

/** A machine that programs are compiled for. */
export interface Target {
  /** As in dist/NAME and in `bun build --target bun-NAME`. */
  readonly name: string;
  /** The package with its runtime. */
  readonly runtime: string;
  /** As Debian calls it; null where there is no Debian. */
  readonly debian: "amd64" | "arm64" | null;
}

/** All of them: Linux, with glibc and with musl (Alpine). */
export const TARGETS: readonly Target[] = [
  { name: "linux-x64", runtime: "@oven/bun-linux-x64", debian: "amd64" },
  { name: "linux-arm64", runtime: "@oven/bun-linux-aarch64", debian: "arm64" },
  { name: "linux-x64-musl", runtime: "@oven/bun-linux-x64-musl", debian: null },
  { name: "linux-arm64-musl", runtime: "@oven/bun-linux-aarch64-musl", debian: null },
];

/** The one that programs run on here, by the package that bun.lock chose for this machine. */
export function targetHere(): Target {
  const here = TARGETS.find(({ runtime }) => existsSync(join(ROOT, "node_modules", runtime)));
  if (here === undefined) throw new Error("programs are compiled on Linux, and for Linux");
  return here;
}

/** Fetched ones stay here until `make clean`. */
const KEPT = join(ROOT, "node_modules/.runtimes");

/** The path of the runtime for `target`, fetched where it is not here. Throws where it can't be had. */
export function runtimeOf({ runtime }: Target): string {
  // For this machine it is the Bun that runs: .ci/install has compared it with bun.lock.
  if (existsSync(join(ROOT, "node_modules", runtime))) return process.execPath;
  const { version, integrity } = locked(runtime);
  const kept = join(KEPT, `${runtime.replace("@oven/", "")}-${version}`);
  const program = join(kept, "package/bin/bun");
  if (existsSync(program)) return program;
  mkdirSync(KEPT, { recursive: true });
  const folder = mkdtempSync(join(KEPT, "fetched-"));
  try {
    console.error(`fetching ${runtime} ${version}`);
    run(["npm", "pack", "--silent", "--pack-destination", folder, `${runtime}@${version}`]);
    const [tarball = ""] = readdirSync(folder);
    const bytes = readFileSync(join(folder, tarball));
    const came = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    if (came !== integrity) {
      throw new Error(
        `${runtime} came as ${came}, and bun.lock has ${integrity}: nothing is built`,
      );
    }
    run(["tar", "-xzf", join(folder, tarball), "-C", folder, "package/bin/bun"]);
    rmSync(join(folder, tarball));
    renameSync(folder, kept);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return program;
}

/** Runs a command whose output goes to standard error. Throws where it fails. */
export function run(command: readonly string[], cwd = ROOT): void {
  const { exitCode } = Bun.spawnSync([...command], { cwd, stdin: "ignore", stdout: 2, stderr: 2 });
  if (exitCode !== 0) throw new Error(`this failed with status ${exitCode}: ${command.join(" ")}`);
}

// --- internal ---

/** Version and hash of a package in bun.lock, which is JSON with commas too many. */
function locked(name: string): { version: string; integrity: string } {
  const text = readFileSync(join(ROOT, "bun.lock"), "utf8").replace(/,(\s*[}\]])/g, "$1");
  const { packages } = JSON.parse(text) as { packages: Record<string, unknown[]> };
  const entry = packages[name];
  if (entry === undefined) throw new Error(`bun.lock has no ${name}`);
  return {
    version: String(entry[0]).slice(name.length + 1),
    integrity: String(entry.at(-1)),
  };
}
