#!/usr/bin/env -S bun --config=/dev/null --no-env-file
/**
 * The command `serv6`. Its own bunfig and env files are switched off: the folder it is started in
 * may be anybody's. This file is JavaScript with no static import, and package.json names no type
 * of module: so Node can run it too, up to the line that says what is missing.
 */
if (typeof Bun === "undefined") {
  console.error("serv6: this program needs Bun 1.4.5 or newer, not Node: https://bun.com");
  process.exit(1);
}

// Not a top-level await: with one pending, an uncaught error would not end the program.
void import("./cli/serv6/start.ts").then(({ start }) => start());
