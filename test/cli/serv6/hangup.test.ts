/** A terminal that is closed says so by the signal that reloads: then the server ends with it. */
import { expect, test } from "bun:test";
import { eventually } from "../../rig/faults.ts";
import { Tree } from "../../rig/tree.ts";
import { Unread } from "../../rig/unread.ts";
import { childrenOf, runs } from "./workers.ts";

const SERV6 = [process.execPath, "--config=/dev/null", "--no-env-file", "src/serv6.ts"];

test("serv6 --workers ends when its terminal is closed", async () => {
  using tree = new Tree({ f: "served" });
  const terminal = Unread.terminal();
  let open = true;
  try {
    await using child = Bun.spawn([...SERV6, tree.root, "-p", "0", "-q", "--workers", "2"], {
      ...{ stdin: "ignore", stdout: "ignore", stderr: terminal.fd },
    });
    let said = "";
    await eventually("the ready line", () => /:[0-9]+\//.test((said += terminal.read())));
    await eventually("two workers", () => childrenOf(child.pid).length === 2);
    const workers = childrenOf(child.pid);
    // With a terminal that is there it means a reload.
    child.kill("SIGHUP");
    await eventually("a reload", () => / reloaded in /.test((said += terminal.read())), 30_000);
    terminal[Symbol.dispose]();
    open = false;
    child.kill("SIGHUP");
    expect(await child.exited).toBe(0);
    expect(workers.filter(runs)).toEqual([]);
  } finally {
    if (open) terminal[Symbol.dispose]();
  }
}, 60_000);
