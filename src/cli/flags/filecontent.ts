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

/**
 * The file's bytes, one a character. Throws UsageError, which says which flag, which file and why,
 * when it can't be read or has more than `bytesMax`.
 */
export function contentOf({ flag, path }: NamedFile, bytesMax: number): string {
  const bytes = Buffer.alloc(bytesMax + 1);
  let count = 0;
  try {
    const fd = fs.openSync(path, "r");
    try {
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
  return bytes.toString("latin1", 0, count);
}

/** The error for a file whose content is not what the flag needs: `why` completes "PATH ...". */
export function wrongFile({ flag, path }: NamedFile, why: string): UsageError {
  return new UsageError(`${flag}: ${printableText(path)} ${why}`);
}
