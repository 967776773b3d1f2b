#!/usr/bin/env -S bun --config=/dev/null --no-env-file
/**
 * The command `serv6`. Its own bunfig and env files are switched off: the folder it is started in
 * may be anybody's.
 */
import { argumentBytes } from "./cli/flags/argv.ts";
import { serv6 } from "./cli/serv6/serv6.ts";

// Not a top-level await: with one pending, an uncaught error would not end the program.
void serv6(argumentBytes(), process.env).then((status) => process.exit(status));
