/** What git says of this checkout, and what stands in for it where there is no git. */
import { ROOT } from "./runtime.ts";

/** The commit: with a plus where tracked files differ from it, "unknown" without git. */
export function commit(): string {
  const head = git("rev-parse", "--short=12", "HEAD");
  if (head === null) return "unknown";
  return git("status", "--porcelain", "--untracked-files=no") === "" ? head : `${head}+`;
}

/**
 * Seconds since 1970 that files and pages are dated by, so that one commit always gives the same
 * bytes: SOURCE_DATE_EPOCH (reproducible-builds.org), else the commit's, else now.
 */
export function epoch(): number {
  const given = process.env.SOURCE_DATE_EPOCH ?? git("log", "-1", "--format=%ct") ?? "";
  return /^\d+$/.test(given) ? Number(given) : Math.floor(Date.now() / 1000);
}

// --- internal ---

function git(...args: string[]): string | null {
  try {
    const { success, stdout } = Bun.spawnSync(["git", ...args], { cwd: ROOT, stderr: "ignore" });
    return success ? stdout.toString().trim() : null;
  } catch {
    return null;
  }
}
