/**
 * A process that exchanges two names for ever, as fast as the kernel can: by
 * renameat2(RENAME_EXCHANGE), so that both names exist at every instant. Run as a program:
 * swap.ts ONE OTHER.
 */
import { dlopen } from "bun:ffi";

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

/** The process (`await using` ends it). */
export class Swapping {
  readonly process: Bun.Subprocess<"ignore", "pipe", "inherit">;

  private constructor(process: Bun.Subprocess<"ignore", "pipe", "inherit">) {
    this.process = process;
  }

  /** Returns when `one` and `other` are being exchanged. */
  static async start(one: string, other: string): Promise<Swapping> {
    const command = [process.execPath, import.meta.path, one, other];
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
    for await (const _ of child.stdout) return new Swapping(child);
    throw new Error(`the swapper ended with status ${await child.exited}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
  }
}

if (import.meta.main) {
  const { symbols } = dlopen("libc.so.6", {
    renameat2: { args: ["i32", "cstring", "i32", "cstring", "u32"], returns: "i32" },
  });
  const [one = "", other = ""] = process.argv.slice(2);
  const swap = (): number => symbols.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
  if (swap() !== 0) throw new Error(`cannot exchange ${one} and ${other}`);
  console.log("swapping");
  // A test that dies leaves this process without a parent.
  const parent = process.ppid;
  while (process.ppid === parent) for (let i = 0; i < 10_000; i++) swap();
}
