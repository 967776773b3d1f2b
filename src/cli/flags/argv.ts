/**
 * The program's arguments as they were given. Bun swallows a `--` right behind the script, and
 * decodes what is not UTF-8 into something else; Linux still has the bytes.
 */
import fs from "node:fs";
import { bytesOf, type ByteString, utf8Of } from "../../wire/bytes.ts";

/** The arguments behind program and script, one byte a character. */
export function argumentBytes(): ByteString[] {
  const args = process.argv.slice(2);
  const words = commandLine();
  const from = words.length - args.length;
  const tail = words.slice(from);
  const same = tail.every((word, nth) => utf8Of(word) === args[nth]);
  // No Linux, or a command line that was overwritten: what Bun decoded is the best there is.
  if (from < 1 || !same) return args.map(bytesOf);
  return words[from - 1] === "--" ? ["--", ...tail] : tail;
}

// --- internal ---

function commandLine(): ByteString[] {
  try {
    return fs.readFileSync("/proc/self/cmdline", "latin1").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}
