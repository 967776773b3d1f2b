/**
 * What a program writes to and nobody reads: a terminal whose window hangs, a pipe whose reader
 * sleeps. Each takes a few KiB, and then no more.
 */
import { dlopen } from "bun:ffi";
import fs from "node:fs";
import { Tree } from "./tree.ts";

const { O_RDWR, O_NOCTTY, O_NONBLOCK } = fs.constants;
/** open(2), the same on x86 and ARM; node:fs has no name for it. A child must not hold our end. */
const O_CLOEXEC = 0o2000000;

/** One such descriptor (`using` closes both ends). */
export class Unread implements Disposable {
  /** The end for the program. */
  readonly fd: number;
  readonly #reader: number;
  readonly #tree: Tree | null;

  private constructor(fd: number, reader: number, tree: Tree | null) {
    this.fd = fd;
    this.#reader = reader;
    this.#tree = tree;
  }

  /** A new pseudo-terminal. */
  static terminal(): Unread {
    const { symbols } = dlopen("libc.so.6", {
      posix_openpt: { args: ["i32"], returns: "i32" },
      grantpt: { args: ["i32"], returns: "i32" },
      unlockpt: { args: ["i32"], returns: "i32" },
      ptsname_r: { args: ["i32", "ptr", "u64"], returns: "i32" },
    });
    const reader = symbols.posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    const name = Buffer.alloc(64);
    const failed = symbols.grantpt(reader) || symbols.unlockpt(reader);
    if (failed || symbols.ptsname_r(reader, name, name.length)) throw new Error("no terminal");
    const path = name.toString("latin1", 0, name.indexOf(0));
    return new Unread(fs.openSync(path, O_RDWR | O_NOCTTY), reader, null);
  }

  /** A new pipe. */
  static pipe(): Unread {
    const tree = new Tree();
    const path = tree.path("pipe");
    if (Bun.spawnSync(["mkfifo", path]).exitCode !== 0) throw new Error("no pipe");
    const reader = fs.openSync(path, fs.constants.O_RDONLY | O_NONBLOCK);
    return new Unread(fs.openSync(path, "w"), reader, tree);
  }

  /** Reads after all: what there is now, without waiting. */
  read(): string {
    const chunk = Buffer.alloc(65_536);
    try {
      return chunk.toString("utf8", 0, fs.readSync(this.#reader, chunk));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return "";
      throw error;
    }
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.fd);
    fs.closeSync(this.#reader);
    this.#tree?.[Symbol.dispose]();
  }
}
