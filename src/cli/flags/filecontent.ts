/** What is in a file that a flag names, for flags whose value is such a content. */
import fs from "node:fs";
import { codeOf } from "../../sys/errno.ts";
import { printableText } from "../../wire/printable.ts";
import { UsageError } from "./flags.ts";

/** A file, which may be a pipe as of a shell's <(command), and the flag that names it. */
export interface NamedFile {
  /** As it is typed: "--ca". */
  readonly flag: string;
  readonly path: string;
}

/** What came out of a pipe, by its name: each command of a prompt asks for it, and it is gone. */
const fromPipes = new Map<string, string>();

/**
 * The file's bytes, one a character; those of a pipe as they came at the first call. Throws
 * UsageError, which says which flag, which file and why, when it can't be read or has more than
 * `bytesMax`.
 */
export function contentOf({ flag, path }: NamedFile, bytesMax: number): string {
  const kept = fromPipes.get(path);
  if (kept !== undefined) return kept;
  const bytes = Buffer.alloc(bytesMax + 1);
  let pipe = false;
  let count = 0;
  try {
    const fd = fs.openSync(path, "r");
    try {
      pipe = fs.fstatSync(fd).isFIFO();
      for (let got = -1; got !== 0 && count < bytes.length; count += got) {
        got = fs.readSync(fd, bytes, count, bytes.length - count, null);
      }
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    const code = codeOf(error);
    throw wrongFile({ flag, path }, `can't be read (${code})`);
  }
  if (count > bytesMax) throw wrongFile({ flag, path }, `has more than ${bytesMax} bytes`);
  const content = bytes.toString("latin1", 0, count);
  if (pipe) fromPipes.set(path, content);
  return content;
}

/** The error for a file whose content is not what the flag needs: `why` completes "PATH ...". */
export function wrongFile({ flag, path }: NamedFile, why: string): UsageError {
  return new UsageError(`${flag}: ${printableText(path)} ${why}`);
}
