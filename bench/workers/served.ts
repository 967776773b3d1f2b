/** A server of several workers for a measurement: its processes, what it says, and a load on it. */
import { join } from "node:path";
import { processTree } from "../proc.ts";
import { SERV6_ENTRY } from "../server.ts";
import type { LoadCounts } from "./load.ts";

const BUN = [process.execPath, "--config=/dev/null", "--no-env-file"];
const LOAD = join(import.meta.dir, "load.ts");

/** It, until stop(). */
export class Served {
  readonly #child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  #said = "";

  constructor(root: string, workers: number) {
    const flags = ["-p", "0", "--workers", String(workers), "--log", "off", "--grace", "10"];
    this.#child = Bun.spawn([...BUN, SERV6_ENTRY, root, ...flags], {
      ...{ stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    });
    process.on("exit", () => this.#child.kill("SIGKILL"));
    void this.#listen();
  }

  /** Resolves when all it has said matches. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match !== null) return match;
      if (this.#child.exitCode !== null) throw new Error(`it ended: ${this.#said}`);
      await Bun.sleep(5);
    }
  }

  /** How many of its lines match. */
  count(pattern: RegExp): number {
    return this.#said.split("\n").filter((line) => pattern.test(line)).length;
  }

  async port(): Promise<number> {
    return Number((await this.says(/:([0-9]+)\//))[1]);
  }

  /** All that serve at the moment. */
  get workers(): number[] {
    return processTree(this.#child.pid).slice(1);
  }

  reload(): void {
    this.#child.kill("SIGHUP");
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.exited;
  }

  /** The load of load.ts for so long; `file` is what is served as "/file". */
  async load(seconds: number, file: string): Promise<LoadCounts> {
    const words = [String(await this.port()), String(seconds), file];
    const child = Bun.spawn([...BUN, LOAD, ...words], { stdin: "ignore", stdout: "pipe" });
    return JSON.parse(await new Response(child.stdout).text()) as LoadCounts;
  }

  // --- internal ---

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stderr) this.#said += decoder.decode(chunk);
  }
}
