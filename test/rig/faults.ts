/** Rows of the table of system calls, replaced for one test (`using`) and put back. */
import { type Kernel, kernel } from "../../src/sys/kernel.ts";

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

/** Waits until `met` holds; fails with `what` after `ms`. */
export async function eventually(what: string, met: () => boolean, ms = 8000): Promise<void> {
  const end = performance.now() + ms;
  while (!met()) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
