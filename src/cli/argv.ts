/**
 * The program's arguments as bytes. Bun decodes them as UTF-8 and loses what is none; Linux still has them, so that a
 * name of any bytes can be asked for.
 */
import fs from "node:fs";
import { bytesOf } from "../wire/escape.ts";
import type { ByteString } from "../wire/vocabulary.ts";

/** What stands where bytes were not UTF-8. */
const REPLACEMENT = "\ufffd";

/** The arguments behind program and script, one byte a character. */
export function argumentBytes(): ByteString[] {
  const args = process.argv.slice(2);
  const decoded = args.map(bytesOf);
  if (args.length === 0 || !args.some((arg) => arg.includes(REPLACEMENT))) return decoded;
  try {
    const line = fs.readFileSync("/proc/self/cmdline", "latin1");
    return line.split("\0").slice(0, -1).slice(-args.length);
  } catch {
    // No Linux: what was decoded is the best there is.
    return decoded;
  }
}
