/**
 * A process behind the wall of who starts workers, which tries what it is to stop and what it is to
 * let through. Arguments: a file to make, one that may be made, the number of another process. A
 * line of JSON says what each came to.
 */
import fs from "node:fs";
import { enterSupervisorWall } from "../../../src/cli/serv6/supervisorwall.ts";

const [outside = "", inside = "", pid = ""] = process.argv.slice(2);
enterSupervisorWall({ root: ".", logFile: inside });

function tried(action: () => void): string {
  try {
    action();
    return "done";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

function ran(...command: string[]): string {
  return tried(() => {
    const { exitCode } = Bun.spawnSync(command, { stdin: "inherit", stderr: "ignore" });
    if (exitCode !== 0) throw new Error(`status ${exitCode}`);
  });
}

const shell = fs.realpathSync("/bin/sh");
console.log(
  JSON.stringify({
    writes: tried(() => fs.writeFileSync(outside, "x")),
    removes: tried(() => fs.rmSync(outside.replace(/[^/]*$/, "kept"))),
    logs: tried(() => fs.appendFileSync(inside, "x")),
    shell: ran(shell, "-c", "exit 0"),
    copied: ran(inside.replace(/[^/]*$/, "copy"), "-e", "0"),
    itself: ran(process.execPath, "--config=/dev/null", "--no-env-file", "-e", "process.exit(0)"),
    memory: tried(() => fs.closeSync(fs.openSync(`/proc/${pid}/mem`, "r"))),
  }),
);
