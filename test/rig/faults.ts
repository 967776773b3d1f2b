/** What a test does to the system below: calls that fail, time that passes; `using` undoes it. */
import { ERRNO } from "../../src/sys/errno.ts";
import { type Kernel, kernel } from "../../src/sys/kernel.ts";
import { RESOLVE } from "../../src/sys/types.ts";

/** Replaces one row; `make` gets the real one. */
export function replaceCall<K extends keyof Kernel>(
  row: K,
  make: (real: Kernel[K]) => Kernel[K],
): Disposable {
  const real = kernel[row];
  const table: Pick<Kernel, K> = kernel;
  table[row] = make(real);
  return {
    [Symbol.dispose]() {
      table[row] = real;
    },
  };
}

/** From now on no name is in memory, as far as this thread can tell. */
export function coldNames(): Disposable {
  return replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
    const asks = (resolve & RESOLVE.cached) !== 0;
    return asks ? -ERRNO.EAGAIN : real(dirfd, path, flags, resolve, mode);
  });
}

/** From now on every name is in memory: a test that counts what is asked of the kernel. */
export function warmNames(): Disposable {
  return replaceCall("openat2", (real) => (dirfd, path, flags, resolve, mode) => {
    return real(dirfd, path, flags, resolve & ~RESOLVE.cached, mode);
  });
}

/** From now on performance.now() says `ms` more: so much time has passed at once. */
export function afterMs(ms: number): Disposable {
  const real = performance.now;
  return clockSays(() => real.call(performance) + ms);
}

/** From now on performance.now() says what `now` does. */
export function clockSays(now: () => number): Disposable {
  const real = performance.now;
  Object.assign(performance, { now });
  return { [Symbol.dispose]: () => void Object.assign(performance, { now: real }) };
}

/**
 * Waits until `met` holds; fails with `what` after `ms`: less than a test may take, so that it is
 * told what was missing, and else no bound on how slow a machine may be.
 */
export async function eventually(what: string, met: () => boolean, ms = 15_000): Promise<void> {
  const end = performance.now() + ms;
  while (!met()) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
