/**
 * Waiting, for the few places that may: a command-line client whose output is slow. A server never
 * does.
 */
import { ERRNO } from "./errno.ts";
import { kernel } from "./kernel.ts";

/**
 * Waits up to `timeoutMs` (-1: for ever) until `fd` can be written. True also when the fd has an
 * error to tell.
 */
export function waitWritable(fd: number, timeoutMs: number): boolean {
  for (;;) {
    const ready = kernel.pollOut(fd, timeoutMs);
    if (ready !== -ERRNO.EINTR) return ready !== 0;
  }
}
