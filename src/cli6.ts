#!/usr/bin/env -S BUN_JSC_useFTLJIT=0 bun --config=/dev/null --no-env-file
/**
 * The program cli6. Its name is what `ps` shows; everything else is in cli/. JavaScriptCore's last
 * compiler is off: it works longest for programs that run a second, and takes them a core. A mirror
 * of 10,000 files takes 0.56 s instead of 0.70 and half the processor time; one of 60,000 the same.
 */
import { argumentBytes } from "./cli/flags/argv.ts";
import { cli6 } from "./cli/cli6/cli6.ts";

// Not a top-level await: with one pending, an uncaught error would not end the program.
void cli6(argumentBytes(), process.env).then((status) => process.exit(status));
