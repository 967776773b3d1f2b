#!/usr/bin/env -S bun --config=/dev/null --no-env-file
/** The program cli6. Its name is what `ps` shows; everything else is in cli/. */
import { argumentBytes } from "./cli/argv.ts";
import { cli6 } from "./cli/cli6.ts";

// Not a top-level await: with one pending, an uncaught error would not end the program.
void cli6(argumentBytes(), process.env).then((status) => process.exit(status));
