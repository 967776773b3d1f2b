/**
 * Owns the rival Bun.serve: what our own runtime does for files in three lines. Run as a program it
 * is that server: `bunserve.ts PORT ROOT`.
 */
import { join } from "node:path";
import { rivalOf } from "./program.ts";
import type { Rival } from "./rival.ts";

export const bunServe: Rival = rivalOf({
  ...{ name: "bun-serve", family: "bun", door: "http" },
  ...{ binary: process.execPath, version: [process.execPath, "--version"] },
  configured: "Bun.serve, new Response(Bun.file(...))",
  command: ({ port, root }) => [
    ...[process.execPath, "--config=/dev/null", "--no-env-file"],
    ...[import.meta.path, String(port), root],
  ],
});

if (import.meta.main) {
  const [port, root = ""] = process.argv.slice(2);
  Bun.serve({
    hostname: "127.0.0.1",
    port: Number(port),
    fetch: ({ url }) => new Response(Bun.file(join(root, new URL(url).pathname))),
  });
}
