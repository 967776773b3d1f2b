/**
 * Owns the count of a server's system calls for each request: a sample of its own under strace -c,
 * which slows the server so much that nothing else of it counts. Never fails a benchmark: where
 * strace is missing or may not trace, the count is null.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Order, takeSample } from "./sample.ts";
import type { RunningServer } from "./spawn.ts";
import { temporaryFolder } from "./temporary.ts";

/** Few connections, so that accepting them does not show. */
const CONNECTIONS = 4;
const SECONDS = 0.4;

/** What a traced server keeps up with: more would pile up, and be answered several at a time. */
const RATE_MAX = 2_000;
const ATTACH_MS_MAX = 2_000;
const POLL_MS = 10;

/** System calls for each request of `order`, or null. */
export async function countSyscalls(server: RunningServer, order: Order): Promise<number | null> {
  if (Bun.which("strace") === null) return null;
  const folder = temporaryFolder();
  const file = join(folder.path, "counts");
  const pids = server.pids();
  const strace = Bun.spawn(
    ["strace", "-c", "-f", "-q", "-o", file, ...pids.flatMap((pid) => ["-p", String(pid)])],
    { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  try {
    if (!(await attached(pids, () => strace.exitCode === null))) return null;
    const connections = Math.min(order.connections, CONNECTIONS);
    const { ratePerSecond: due } = order;
    const ratePerSecond = due === null ? null : Math.min(due, RATE_MAX);
    const brief = { connections, ratePerSecond, procs: 1, warmupSeconds: 0, seconds: SECONDS };
    const sample = await takeSample(server, { ...order, ...brief });
    strace.kill("SIGINT");
    await strace.exited;
    const requests = sample.requestsPerSecond * sample.seconds;
    return requests > 0 ? totalOf(readFileSync(file, "latin1")) / requests : null;
  } catch {
    return null;
  } finally {
    strace.kill("SIGKILL");
    await strace.exited;
    rmSync(file, { force: true });
    folder.remove();
  }
}

/** The calls in the last line of strace's table; exported for its test. */
export function totalOf(table: string): number {
  const lines = table.split("\n");
  // By column: the one before it is missing in older versions, the one behind it where none failed.
  const header = lines.find((line) => line.startsWith("% time")) ?? "";
  const total = lines.findLast((line) => line.endsWith(" total")) ?? "";
  const calls = Number(
    total
      .slice(0, header.indexOf(" calls") + 6)
      .split(" ")
      .at(-1),
  );
  if (header === "" || !(calls > 0)) throw new Error("strace wrote no total");
  return calls;
}

// --- internal ---

async function attached(pids: readonly number[], lives: () => boolean): Promise<boolean> {
  const deadline = Date.now() + ATTACH_MS_MAX;
  while (lives() && Date.now() < deadline) {
    if (
      pids.every((pid) =>
        /^TracerPid:\s*[1-9]/m.test(readFileSync(`/proc/${pid}/status`, "latin1")),
      )
    )
      return true;
    await Bun.sleep(POLL_MS);
  }
  return false;
}
