/** What a test's own files cost in descriptors, whatever else the program opens meanwhile. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { TREE_PREFIX } from "./tree.ts";

/**
 * Files and folders below `root`, itself included, that this program has open; also those that were
 * removed. The runtime's own come and go at any time.
 */
export function openIn(root: string): number {
  return count((target) => `${target}/`.startsWith(`${root}/`));
}

/** The same for all trees of tests. */
export function openInTrees(): number {
  const start = path.join(fs.realpathSync(os.tmpdir()), TREE_PREFIX);
  return count((target) => target.startsWith(start));
}

/** Ends of pipes that this program has open. */
export function openPipes(): number {
  return count((target) => target.startsWith("pipe:"));
}

// --- internal ---

function count(wanted: (target: string) => boolean): number {
  return fs.readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return wanted(fs.readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // The descriptor of this very reading.
      return false;
    }
  }).length;
}
