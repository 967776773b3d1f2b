/** Signals that whoever started a command had it ignore, as nohup(1) does, stay ignored. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { CLI6_COMMAND, environment } from "../../rig/program.ts";
import { Scripted } from "../../rig/scripted.ts";
import { Tree } from "../../rig/tree.ts";

/** SIGHUP, SIGINT and SIGTERM as proc(5) has them in its masks. */
const MASKS = { HUP: 1n << 0n, INT: 1n << 1n, TERM: 1n << 14n } as const;

function ignoredBy(pid: number): bigint {
  const status = fs.readFileSync(`/proc/${pid}/status`, "latin1");
  return BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1]}`);
}

test("a transfer goes on through a signal that is ignored", async () => {
  for (const [name, mask] of Object.entries(MASKS)) {
    using tree = new Tree();
    let ignored = 0n;
    let pid = 0;
    using server = new Scripted({ "/f": "forty-two" }, ({ verb }) => {
      if (verb !== "READ") return undefined;
      ignored = ignoredBy(pid);
      process.kill(pid, `SIG${name}`);
      return undefined;
    });
    const line = `trap "" ${name}; exec "$@"`;
    const child = Bun.spawn(
      ["bash", "-c", line, "sh", ...CLI6_COMMAND, "get", "-P", tree.root, server.url("/f")],
      { stdin: "ignore", stderr: "pipe", env: environment() },
    );
    ({ pid } = child);
    expect([name, await child.stderr.text(), await child.exited]).toEqual([name, "", 0]);
    expect(ignored & (MASKS.HUP | MASKS.INT | MASKS.TERM)).toBe(mask);
    expect(fs.readFileSync(tree.path("f"), "latin1")).toBe("forty-two");
  }
});
