/** A compiled server that runs (`await using` ends it), and commands run to their end. */

/** What a run came to: output is one byte a character. */
export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end; `env` is added to this process's. */
export function run(
  command: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Ran {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd,
    stdin: "ignore",
    env: { ...process.env, ...env },
  });
  return { status: exitCode, out: stdout.toString("latin1"), err: stderr.toString() };
}

/** A server that was started by `command`, which names its port itself. */
export class Serving implements AsyncDisposable {
  readonly child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  #said = "";

  constructor(command: readonly string[], cwd: string, env: Record<string, string> = {}) {
    this.child = Bun.spawn([...command], {
      cwd,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      env: { ...process.env, SERV6_PORT: "0", ...env },
    });
  }

  /** HOST:PORT, from the line that says where it listens. */
  async address(): Promise<string> {
    const decoder = new TextDecoder();
    for await (const chunk of this.child.stderr) {
      this.#said += decoder.decode(chunk);
      const port = /s6s?:\/\/[^ ]*:(\d+)\//.exec(this.#said)?.[1];
      if (port !== undefined) return `127.0.0.1:${port}`;
    }
    throw new Error(`serv6 ended and said ${this.#said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
  }
}
