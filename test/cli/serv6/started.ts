/** The command serv6 as a process of its own (`await using` ends it), and what it says. */

/** A started serv6. */
export class Started {
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  #said = "";
  #ended = false;
  readonly #reading: Promise<void>;

  /** `command` is run with serv6's own arguments behind it; `env` is added to this process's. */
  constructor(args: string[], env: Record<string, string> = {}, command: string[] = []) {
    const bun = [process.execPath, "--config=/dev/null", "--no-env-file", "src/serv6.ts"];
    this.child = Bun.spawn([...command, ...bun, ...args], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: { ...process.env, ...env },
    });
    this.#reading = this.#read();
  }

  /** Everything on stderr so far. */
  get said(): string {
    return this.#said;
  }

  /** Waits until stderr has matched `pattern`; fails when the process ends before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match !== null) return match;
      if (this.#ended) throw new Error(`serv6 ended and said ${JSON.stringify(this.#said)}`);
      await Bun.sleep(2);
    }
  }

  /** The port of the first URL it names. */
  async port(): Promise<number> {
    return Number((await this.says(/s6:\/\/[^ ]*:([0-9]+)\//))[1]);
  }

  /** Its exit status, once all it said is read. */
  async status(): Promise<number> {
    await this.#reading;
    return await this.child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
  }

  // --- internal ---

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.child.stderr) this.#said += decoder.decode(chunk);
    this.#ended = true;
  }
}
