/**
 * Writing for people without ever waiting: to a terminal that Ctrl-S stopped or a pipe that nobody
 * reads. One attempt at a time; what becomes of the rest is the caller's.
 */
import { ERRNO } from "./errno.ts";
import { kernel } from "./kernel.ts";
import { AT_FDCWD, FileStat, OPEN } from "./types.ts";

/**
 * Most bytes of one writeNow(): a pipe that poll calls writable takes this much without blocking,
 * and in one piece (pipe(7), PIPE_BUF).
 */
export const WRITE_BYTES_MAX = 4096;

const facts = new FileStat();

/**
 * A descriptor of our own for the terminal or the pipe `fd`, to be closed; -1 when it is none or
 * can't be opened. A terminal takes part of a write and then blocks, whatever poll said, for as
 * long as Ctrl-S lasts; so does a pipe, where another process that has it, as each worker has
 * stderr, fills it between poll and write. Opened anew it is non-blocking without becoming so for
 * those who share it.
 */
export function reopenNonBlocking(fd: number): number {
  const pipe = kernel.statx(fd, "", facts) === 0 && facts.isPipe;
  if (!pipe && !kernel.isTerminal(fd)) return -1;
  const anew = kernel.openat(AT_FDCWD, `/proc/self/fd/${fd}`, OPEN.writeOnly | OPEN.nonBlocking);
  return anew < 0 ? -1 : anew;
}

/**
 * Writes the beginning of `bytes`, at most `most` of it, if `fd` takes it now: bytes taken, 0 when
 * it takes none, or -errno when it never will (EPIPE, EIO, ENOSPC). More than WRITE_BYTES_MAX is
 * for a descriptor that never blocks.
 */
export function writeNow(fd: number, bytes: Uint8Array, most: number = WRITE_BYTES_MAX): number {
  for (;;) {
    const ready = kernel.pollOut(fd, 0);
    if (ready === 0) return 0;
    const taken = ready < 0 ? ready : kernel.write(fd, bytes, Math.min(bytes.length, most));
    if (taken === -ERRNO.EINTR) continue;
    // What is shared with others may refuse although poll has called it writable.
    return taken === -ERRNO.EAGAIN ? 0 : taken;
  }
}
