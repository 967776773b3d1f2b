/**
 * Owns the temporary folders of a run: every one is gone when the process exits, however it exits
 * short of SIGKILL. Never gives out one twice.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Folder {
  readonly path: string;
  remove(): void;
}

const folders = new Set<string>();
process.on("exit", () => folders.forEach(remove));

export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "serv6-bench-"));
  folders.add(path);
  return { path, remove: () => remove(path) };
}

// --- internal ---

function remove(path: string): void {
  folders.delete(path);
  rmSync(path, { recursive: true, force: true });
}
