/**
 * Reads the checkout for the rules: what git tracks, and the sources on the disk, tracked or not
 * yet. The only file of this folder that does I/O.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceFile } from "./source.ts";

/** The folder that holds package.json. */
export const ROOT: string = join(import.meta.dir, "..", "..");

/** Every TypeScript file of src, test and bench as it is on the disk. */
export function readSources(): SourceFile[] {
  return ["src", "test", "bench"]
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) => walk(folder))
    .filter((path) => path.endsWith(".ts"))
    .map(read);
}

/** Every text file that git tracks, or, where git knows nothing, that lies in the folder. */
export function readTracked(): SourceFile[] {
  const git = Bun.spawnSync(["git", "ls-files", "-z"], { cwd: ROOT, stderr: "ignore" });
  const tracked = git.success ? git.stdout.toString().split("\0").filter(Boolean) : [];
  const paths = tracked.length > 0 ? tracked : walk(".");
  return paths.filter((path) => existsSync(join(ROOT, path))).map(read);
}

// --- internal ---

/** A binary file counts by its path alone. */
function read(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), "utf8");
  return { path, text: text.includes("\0") ? "" : text };
}

function walk(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "." ? entry.name : `${folder}/${entry.name}`;
    if (entry.name === ".git" || entry.name === "node_modules" || entry.name === "coverage")
      return [];
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [path] : [];
  });
}
