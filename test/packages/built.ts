/** What `make build` makes for this machine, made once for each file of tests that asks. */
import path from "node:path";
import { ROOT, targetHere } from "../../.ci/package/runtime.ts";

/** The folder with all that is built. */
export const DIST: string = path.join(ROOT, "dist");

/** Builds for this machine. Throws with what the build said where it fails. */
export function build(): void {
  const command = [process.execPath, ".ci/package/build.ts", targetHere().name];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: ROOT, stdin: "ignore" });
  if (exitCode !== 0) throw new Error(`the build failed: ${stdout.toString()}${stderr.toString()}`);
}

/** The path of a program for this machine. */
export function built(program: "serv6" | "cli6"): string {
  return path.join(DIST, targetHere().name, program);
}
