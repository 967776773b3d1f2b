/**
 * Calls that may move fewer bytes than asked (a short count) or be interrupted by a signal, made
 * again until all is done. They answer like the table's rows: a result >= 0 or a negative errno.
 */
import { ERRNO } from "./errno.ts";
import { kernel } from "./kernel.ts";
import { waitWritable } from "./poll.ts";

/** Most interruptions of one call: more would be an error of the kernel, not signals. */
const INTERRUPTIONS_MAX = 100;

/**
 * The answer of `call`, which is made again while a signal interrupts it; -EINTR after
 * INTERRUPTIONS_MAX, so that the loop has an end.
 */
export function uninterrupted(call: () => number): number {
  for (let tries = 1; ; tries++) {
    const answer = call();
    if (answer !== -ERRNO.EINTR || tries === INTERRUPTIONS_MAX) return answer;
  }
}

/**
 * Reads `count` bytes at `offset` into the start of `into`, however many calls it takes: bytes
 * read, fewer only where the file ends, or -errno. Blocks as long as the disk does.
 */
export function readFully(fd: number, into: Uint8Array, count: number, offset: bigint): number {
  let got = 0;
  while (got < count) {
    const read = kernel.pread(fd, into.subarray(got), count - got, offset + BigInt(got));
    if (read === -ERRNO.EINTR) continue;
    if (read < 0) return read;
    if (read === 0) break;
    got += read;
  }
  return got;
}

/**
 * Writes all of `bytes` to `fd`: 0, or the negative errno that ended it. Short writes go on; a
 * descriptor that is set non-blocking (a pipe shared with another program) is waited for, however
 * long its reader takes.
 */
export function writeFully(fd: number, bytes: Uint8Array): number {
  let rest = bytes;
  while (rest.length > 0) {
    const taken = kernel.write(fd, rest, rest.length);
    if (taken > 0) rest = rest.subarray(taken);
    else if (taken === -ERRNO.EAGAIN) waitWritable(fd, -1);
    else if (taken === 0) return -ERRNO.EIO;
    else if (taken !== -ERRNO.EINTR) return taken;
  }
  return 0;
}
