/**
 * The program's arguments, byte for byte. process.argv is not enough: Bun drops a `--` right behind
 * the script and replaces what is not UTF-8. Linux keeps the bytes in /proc/self/cmdline.
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
  // Not Linux, or the process title was overwritten: then Bun's text is all there is.
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
