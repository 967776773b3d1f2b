#!/usr/bin/env -S BUN_JSC_useFTLJIT=0 bun --config=/dev/null --no-env-file
/**
 * The program cli6. Its name is what `ps` shows; everything else is in cli/. JavaScriptCore's last
 * compiler is off: it works longest for programs that run a second, and takes them a core. A mirror
 * of 10,000 files takes 0.56 s instead of 0.70 and half the processor time; one of 60,000 the same.
 * As serv6.ts it is JavaScript with no static import, which Node can run up to one line.
 */
if (typeof Bun === "undefined") {
  console.error("cli6: this program needs Bun 1.4.5 or newer, not Node: https://bun.com");
  process.exit(1);
}

// Not a top-level await: with one pending, an uncaught error would not end the program.
void import("./cli/cli6/start.ts").then(({ start }) => start());
