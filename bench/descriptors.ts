/**
 * Owns the room for connections: each is a descriptor in the server and one in the load process.
 * Raises this process's limit, which its children inherit, and says when it can't.
 * Never lowers a limit.
 */
import { readFileSync } from "node:fs";

/** What a process has open besides its connections. */
const RESERVE = 512;

/**
 * Makes room for `connections` in this process and in those it starts from now on, by prlimit(1);
 * above the hard limit that takes root. Returns the reason when there is none, else null.
 */
export function makeRoom(connections: number): string | null {
  const needed = connections + RESERVE;
  const { soft, hard } = limits();
  if (soft >= needed) return null;
  const ceiling = hard === Infinity ? "unlimited" : Math.max(hard, needed);
  const wanted = `--nofile=${needed}:${ceiling}`;
  if (Bun.which("prlimit") !== null) {
    Bun.spawnSync(["prlimit", "--pid", String(process.pid), wanted]);
    if (limits().soft >= needed) return null;
  }
  return `it takes ${needed} open files, and ${soft} are allowed (ulimit -n)`;
}

// --- internal ---

function limits(): { soft: number; hard: number } {
  const text = readFileSync("/proc/self/limits", "latin1");
  const found = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(text);
  const count = (word = "0"): number => (word === "unlimited" ? Infinity : Number(word));
  return { soft: count(found?.[1]), hard: count(found?.[2]) };
}
