/** The file that a log goes to: opened for appending, made when missing, never waited for. */
import fs from "node:fs";
import path from "node:path";
import { codeOf, errnoName } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, OPEN } from "../sys/types.ts";
import { bytesOf } from "../wire/bytes.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";

/** Its owner writes and its group reads it: it tells who asked for what. */
const MODE = 0o640;

/**
 * Opens `file` for appending: its descriptor, which its reader closes. Throws Failure
 * (local) where it can't be written; a FIFO without a reader is ENXIO.
 */
export function openLogFile(file: string): number {
  const flags = OPEN.writeOnly | OPEN.append | OPEN.create | OPEN.nonBlocking;
  const fd = kernel.openat(AT_FDCWD, bytesOf(file), flags, MODE);
  if (fd >= 0) return fd;
  throw cannotWrite(file, errnoName(-fd));
}

/** Throws as openLogFile() would, by the rights of the file or its folder; makes no file. */
export function checkLogFile(file: string): void {
  try {
    const facts = fs.statSync(file, { throwIfNoEntry: false });
    if (facts?.isDirectory() === true) throw cannotWrite(file, "EISDIR");
    fs.accessSync(facts === undefined ? path.dirname(file) : file, fs.constants.W_OK);
  } catch (error) {
    throw error instanceof Failure ? error : cannotWrite(file, codeOf(error));
  }
}

// --- internal ---

function cannotWrite(file: string, code: string): Failure {
  return new Failure("local", code, `cannot write the log ${printableText(file)}: ${code}`);
}
