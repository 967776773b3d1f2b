/**
 * Owns the rivals that people start when nothing else is at hand: Python's own file server, and the
 * exercise as a beginner solves it, a thread for each client (naive.py), which speaks the bare
 * dialect: one file a connection.
 */
import { join } from "node:path";
import { rivalOf } from "./program.ts";
import type { Rival } from "./rival.ts";

const PYTHON = { binary: "python3", version: ["python3", "--version"] } as const;

export const python: Rival = rivalOf({
  ...{ name: "python", door: "http", ...PYTHON },
  configured: "-m http.server, HTTP/1.1, its log thrown away",
  command: ({ port, root }) => {
    const words = `exec python3 -m http.server "$1" --bind 127.0.0.1 --directory "$2" --protocol HTTP/1.1`;
    return ["sh", "-c", `${words} 2>/dev/null`, "sh", String(port), root];
  },
});

export const naive: Rival = rivalOf({
  ...{ name: "naive", family: "python", door: "bare", ...PYTHON },
  configured: "a thread for each client, one file a connection",
  command: ({ port, root }) => ["python3", join(import.meta.dir, "naive.py"), String(port), root],
});
