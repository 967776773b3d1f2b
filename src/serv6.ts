#!/usr/bin/env -S bun --config=/dev/null --no-env-file
/**
 * The command `serv6`. Its own bunfig and env files are switched off: the folder it is started in
 * may be anybody's.
 */
import { serv6 } from "./cli/serv6.ts";

process.exitCode = await serv6(process.argv.slice(2), process.env);
process.exit();
