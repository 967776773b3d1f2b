/**
 * A server in a process of its own, for what a test can't do to itself: another user, other
 * mounts, other limits. Run as a program this file is that server: it prints its port and serves
 * until it is killed.
 */
import path from "node:path";
import { Peer } from "./peer.ts";
import { Running, type RunningOptions } from "./running.ts";

/** What is different over there. */
export interface ApartOptions extends RunningOptions {
  /** A shell command that runs first, in the mount namespace that the server then has to itself. */
  readonly mounts?: string;
  /** The user to become before anything is opened. */
  readonly uid?: number;
}

/** A server in another process (`await using` ends it). */
export class Apart {
  readonly port: number;
  readonly process: Bun.Subprocess<"ignore", "pipe", "inherit">;

  private constructor(process: Bun.Subprocess<"ignore", "pipe", "inherit">, port: number) {
    this.process = process;
    this.port = port;
  }

  /** Serves `root` over there. Throws when it does not come up. */
  static async start(root: string, options: ApartOptions = {}): Promise<Apart> {
    const serve = [process.execPath, import.meta.path, root, JSON.stringify(options)];
    const { mounts } = options;
    const inside = ["unshare", "--mount", "--propagation=private", "sh", "-ec"];
    const command =
      mounts === undefined ? serve : [...inside, `${mounts}; exec "$@"`, "sh", ...serve];
    const child = Bun.spawn(command, {
      cwd: path.dirname(import.meta.dir),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    for await (const chunk of child.stdout) {
      return new Apart(child, Number(new TextDecoder().decode(chunk)));
    }
    throw new Error(`the server apart ended with status ${await child.exited}`);
  }

  dial(): Promise<Peer> {
    return Peer.dial(this.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
  }
}

if (import.meta.main) {
  const [root = "", text = "{}"] = process.argv.slice(2);
  const options = JSON.parse(text) as ApartOptions;
  if (options.uid !== undefined) {
    process.setgroups?.([]);
    process.setgid?.(options.uid);
    process.setuid?.(options.uid);
  }
  console.log(new Running(root, options).port);
}
