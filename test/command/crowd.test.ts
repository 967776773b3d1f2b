/**
 * The command when things run out: 256 descriptors and 2,000 clients (61), a log that nobody reads
 * (67).
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { eventually } from "../rig/faults.ts";
import { Peer } from "../rig/peer.ts";
import { Tree } from "../rig/tree.ts";
import { Started } from "./started.ts";

/** CPU seconds that `pid` has used, from /proc/PID/stat (100 ticks a second). */
function cpuSeconds(pid: number): number {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

test("61: at the limit of descriptors it sheds, stays calm, and serves again", async () => {
  using tree = new Tree({ f: "served" });
  const limited = ["sh", "-c", 'ulimit -n 256; exec "$0" "$@"'];
  await using started = new Started([tree.root, "-p", "0", "--log", "off"], {}, limited);
  const port = await started.port();
  // Most are cut before their connect() has returned.
  const dialled = Array.from({ length: 2000 }, () => Peer.dial(port).catch(() => null));
  const crowd = (await Promise.all(dialled)).filter((peer) => peer !== null);
  await eventually("the surplus is turned away", () => {
    return crowd.filter((peer) => peer.ending === null).length < 200;
  });
  const before = cpuSeconds(started.child.pid);
  await Bun.sleep(1000);
  expect(cpuSeconds(started.child.pid) - before).toBeLessThan(0.1);
  expect(fs.readdirSync(`/proc/${started.child.pid}/fd`).length).toBeLessThan(256);
  for (const peer of crowd) peer.reset();
  await eventually("they are gone", () => {
    return fs.readdirSync(`/proc/${started.child.pid}/fd`).length < 60;
  });
  using honest = await Peer.dial(port);
  honest.send("f\n");
  expect((await honest.all()).bytes.toString()).toBe("served");
});

/** What is in a pipe now; Bun has made it non-blocking for both ends. */
function readSome(fd: number): string {
  const chunk = Buffer.alloc(65_536);
  try {
    return chunk.toString("utf8", 0, fs.readSync(fd, chunk));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return "";
    throw error;
  }
}

const python = Bun.which("python3");
if (python === null) console.log("67: no python3 here, so no test of a stopped terminal");

test.skipIf(python === null)("67: a stopped terminal does not stop the server", async () => {
  using tree = new Tree({ f: "served" });
  const serv6 = [process.execPath, "src/serv6.ts", tree.root, "-p", "0", "-q"];
  const child = Bun.spawn([python ?? "", "test/command/stopped-terminal.py", ...serv6], {
    stdin: "ignore",
  });
  expect(await new Response(child.stdout).text()).toBe("served\n");
  expect(await child.exited).toBe(0);
});

test("67: a log that nobody reads neither stops nor slows the server", async () => {
  using tree = new Tree({ "root/f": "served" });
  expect(Bun.spawnSync(["mkfifo", tree.path("log")]).exitCode).toBe(0);
  const log = fs.openSync(tree.path("log"), "r+");
  const read = (): string => readSome(log);
  const child = Bun.spawn([process.execPath, "src/serv6.ts", tree.path("root"), "-p", "0", "-q"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: log,
  });
  try {
    let ready = "";
    await eventually("the ready line", () => /:[0-9]+\//.test((ready += read())));
    const port = Number(/:([0-9]+)\//.exec(ready)?.[1]);
    // Not read from here on: a FIFO holds 64 KiB, this makes 20 times as much.
    using peer = await Peer.dial(port);
    for (let i = 0; i < 20; i++) {
      peer.send("READ /f\n".repeat(1000));
      for (let n = 0; n < 1000; n++) expect((await peer.reply()).body.length).toBe(6);
    }
    using other = await Peer.dial(port);
    let text = "";
    while (!/log lines were lost/.test(text)) {
      other.send("PING\n");
      expect(await other.line()).toStartWith("OK 0 ");
      await Bun.sleep(5);
      text = text.slice(-200) + read();
    }
    expect(text).toMatch(/\([0-9]+ log lines were lost: nobody took them in time\)/);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    fs.closeSync(log);
  }
});
