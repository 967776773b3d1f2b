/** A download() in the test's own process, and what a command would make of it. */
import { exitOf } from "../../src/cli/output/exit.ts";
import { download } from "../../src/download/download.ts";
import type { DownloadOptions } from "../../src/download/options.ts";
import { Failure } from "../../src/wire/failure.ts";
import type { Tree } from "./tree.ts";

/** What a run came to: the exit status that cli6 would have, what it would tell, the numbers. */
export interface Outcome {
  readonly status: number;
  readonly err: string;
  readonly kept: number;
  readonly verified: number;
}

/** Brings `from` into `tree` as f, unless `options` say otherwise. */
export async function bring(
  from: string | readonly string[],
  tree: Tree,
  options: Partial<DownloadOptions> = {},
): Promise<Outcome> {
  const told: string[] = [];
  const name = typeof from === "string" ? { name: "f" } : {};
  const running = download({
    from,
    folder: tree.root,
    ...name,
    retries: 2,
    stallTimeoutMs: 10_000,
    onEvent: (event) => {
      if (event.type === "note") told.push(event.text);
      else if (event.type === "retry" || event.type === "failed") told.push(event.error.message);
    },
    ...options,
  });
  let status = 0;
  try {
    await running;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    status = exitOf(error.kind);
  }
  const { kept, verified } = running.progress;
  return { status, err: told.join("\n"), kept, verified };
}
