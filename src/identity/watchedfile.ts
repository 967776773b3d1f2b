/**
 * What was read from files that change while the server runs: read again when one of them was
 * written, replaced or removed. Files that can't be used meanwhile leave what was read before.
 */
import fs from "node:fs";
import { codeOf } from "../sys/errno.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";

/** A value made from files. */
export class Watched<T> {
  value: T;
  readonly #files: readonly string[];
  readonly #read: () => T;
  /** Of the files when they were read last, whether they could be used or not. */
  #stamp: string;

  /** `read` makes the value from `files`; it throws Failure for what can't be used. */
  constructor(files: readonly string[], read: () => T) {
    this.#files = files;
    this.#read = read;
    // Before they are read: a change meanwhile is seen the next time.
    this.#stamp = this.#now();
    this.value = read();
  }

  /**
   * Takes what the files look like now for what they were when they were read: to a process that
   * has become another user they may be out of reach, which is no change.
   */
  settle(): void {
    this.#stamp = this.#now();
  }

  /** Reads again what has changed: null, or what is wrong with it, told once for each change. */
  refresh(): Failure | null {
    const stamp = this.#now();
    if (stamp === this.#stamp) return null;
    this.#stamp = stamp;
    try {
      this.value = this.#read();
      return null;
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
  }

  // --- internal ---

  #now(): string {
    return stampOf(this.#files);
  }
}

/** What a file of the kind `flag` may be. */
export interface FileRules {
  /** The flag that named it, for messages. */
  readonly flag: string;
  readonly bytesMax: number;
  /** Rights that others must not have, and what to do about them: 0o077 is all. */
  readonly forbidden?: number;
}

/**
 * The content of `file`; throws Failure (usage) that names it and says why not, not what is in it.
 */
export function contentOf(file: string, { flag, bytesMax, forbidden = 0 }: FileRules): Buffer {
  const wrong = (code: string, why: string): Failure =>
    new Failure("usage", code, `${flag}: ${printableText(file)} ${why}`);
  try {
    const { size, mode } = fs.statSync(file);
    if ((mode & forbidden & 0o044) !== 0) throw wrong("EACCES", "can be read by others: chmod 600");
    if ((mode & forbidden) !== 0) throw wrong("EACCES", "can be written by others: chmod go-w");
    if (size > bytesMax) throw wrong("EFBIG", `is larger than ${bytesMax} bytes`);
    return fs.readFileSync(file);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = codeOf(error);
    throw wrong(code, `can't be read (${code})`);
  }
}

// --- internal ---

/** Another text when one of `files` was written, replaced or removed, or is out of reach now. */
function stampOf(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const facts = fs.statSync(file, { bigint: true, throwIfNoEntry: false });
        return facts === undefined
          ? "-"
          : `${facts.ino}:${facts.mtimeNs}:${facts.size}:${facts.mode}`;
      } catch (error) {
        return codeOf(error);
      }
    })
    .join(" ");
}
