/** The file that a log goes to: opened for appending, made when missing, never waited for. */
import { errnoName } from "../sys/errno.ts";
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, OPEN } from "../sys/types.ts";
import { bytesOf } from "../wire/bytes.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";

/** Its owner writes and its group reads it: it tells who asked for what. */
const MODE = 0o640;

/**
 * Opens the file `path` for appending: its descriptor, which its reader closes. Throws Failure
 * (local) where it can't be written; a FIFO without a reader is ENXIO.
 */
export function openLogFile(path: string): number {
  const flags = OPEN.writeOnly | OPEN.append | OPEN.create | OPEN.nonBlocking;
  const fd = kernel.openat(AT_FDCWD, bytesOf(path), flags, MODE);
  if (fd >= 0) return fd;
  const code = errnoName(-fd);
  throw new Failure("local", code, `cannot write the log ${printableText(path)}: ${code}`);
}
