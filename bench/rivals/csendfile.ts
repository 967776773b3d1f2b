/**
 * Owns the rival that is no product: the C loop of sendfile.c, compiled for the run, as the bound
 * of what epoll and sendfile can do on one core.
 */
import { join } from "node:path";
import type { Rival } from "./rival.ts";
import { type RunningServer, startServer } from "../spawn.ts";
import { temporaryFolder } from "../temporary.ts";

const SOURCE = join(import.meta.dir, "sendfile.c");

export const csendfile: Rival = {
  name: "c",
  family: "c",
  door: "s6",
  about: "a bare C loop: epoll, sendfile in 1 MiB steps round robin, corked; no checks, no limits",
  version: () => null,
  unavailable: () => (compiler() === null ? "there is no C compiler" : null),
  start,
};

// --- internal ---

function compiler(): string | null {
  return Bun.which("cc") ?? Bun.which("gcc") ?? Bun.which("clang");
}

async function start(root: string): Promise<RunningServer> {
  const folder = temporaryFolder();
  const binary = join(folder.path, "sendfile");
  try {
    const compiled = Bun.spawnSync([compiler() ?? "cc", "-O2", "-o", binary, SOURCE]);
    if (!compiled.success) throw new Error(compiled.stderr.toString());
    return await startServer([binary, root]);
  } finally {
    folder.remove();
  }
}
