/**
 * JavaScriptCore's last compiler, which takes cli6 more than it gives back (decision 0021). Where
 * source runs, the first line of src/cli6.ts turns it off; a compiled program reads no such line,
 * and Bun 1.4.5 has no other way to say it than the environment that a program starts with.
 */
import fs from "node:fs";
import { COMMIT } from "../../server/version.ts";
import { type ByteString, bytesOf, utf8Of } from "../../wire/bytes.ts";

const VARIABLE = "BUN_JSC_useFTLJIT";

/** The command that may bring thousands of files: what is won there is 0.3 s of 0.9, for 10,000. */
const COMMAND = "mirror";

/**
 * Starts the compiled program again in its place without that compiler, for some 7 ms; returns
 * where there is nothing to win, or where it can't: then the program runs as it is. `args` are its
 * own.
 */
export function leaveOutLastCompiler(args: readonly ByteString[]): void {
  if (COMMIT === null || process.env[VARIABLE] !== undefined || !args.includes(COMMAND)) return;
  const texts = args.map(utf8Of);
  // execve() takes text here: bytes that are no UTF-8 would not come through.
  if (args.some((arg, nth) => bytesOf(texts[nth] ?? "") !== arg)) return;
  const program = process.execPath;
  if (process.execve === undefined || !fs.existsSync(program)) return;
  process.execve(program, [program, ...texts], { ...process.env, [VARIABLE]: "0" });
}
