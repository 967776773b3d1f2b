/**
 * The command when things run out: 256 descriptors and 2,000 clients (61), a log that nobody reads
 * (67).
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { eventually } from "../../rig/faults.ts";
import { Peer } from "../../rig/peer.ts";
import { Tree } from "../../rig/tree.ts";
import { Unread } from "../../rig/unread.ts";
import { Started } from "./started.ts";

/** CPU seconds that `pid` has used, from /proc/PID/stat (100 ticks a second). */
function cpuSeconds(pid: number): number {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/**
 * Returns when `pid` has used less than a tenth of a processor for half a second. A machine that is
 * slow or busy takes longer to bring it there; a program that spins never gets there.
 */
async function atRest(pid: number): Promise<void> {
  for (let used = 1; used >= 0.05;) {
    const before = cpuSeconds(pid);
    await Bun.sleep(500);
    used = cpuSeconds(pid) - before;
  }
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
  await atRest(started.child.pid);
  expect(fs.readdirSync(`/proc/${started.child.pid}/fd`).length).toBeLessThan(256);
  for (const peer of crowd) peer.reset();
  await eventually("they are gone", () => {
    return fs.readdirSync(`/proc/${started.child.pid}/fd`).length < 60;
  });
  using honest = await Peer.dial(port);
  honest.send("f\n");
  expect((await honest.all()).bytes.toString()).toBe("served");
});

const SERV6 = [process.execPath, "src/serv6.ts"];

/** The port that the ready line tells. */
async function portSaid(by: Unread): Promise<number> {
  let said = "";
  await eventually("the ready line", () => /:[0-9]+\//.test((said += by.read())));
  return Number(/:([0-9]+)\//.exec(said)?.[1]);
}

/** At least: lines are written every 100 ms, so several times into what is full. */
const WRITTEN_MS = 1500;

test("67: a stopped terminal does not stop the server", async () => {
  using tree = new Tree({ f: "served" });
  using terminal = Unread.terminal();
  await using child = Bun.spawn([...SERV6, tree.root, "-p", "0", "-q"], {
    ...{ stdin: "ignore", stdout: "ignore", stderr: terminal.fd },
  });
  using peer = await Peer.dial(await portSaid(terminal));
  const began = performance.now();
  // Not read from here on: a terminal takes some 4 KiB, this makes more than 40 times as much.
  for (let count = 0; count < 3000 || performance.now() - began < WRITTEN_MS; count++) {
    peer.send("PING\n");
    expect(await peer.line()).toStartWith("OK 0 ");
  }
  child.kill("SIGKILL");
});

test("67: a log that nobody reads neither stops nor slows the server", async () => {
  using tree = new Tree({ f: "served" });
  using log = Unread.pipe();
  await using child = Bun.spawn([...SERV6, tree.root, "-p", "0", "-q"], {
    ...{ stdin: "ignore", stdout: "ignore", stderr: log.fd },
  });
  const port = await portSaid(log);
  // Not read from here on: a pipe holds 64 KiB, this makes 20 times as much.
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
    text = text.slice(-200) + log.read();
  }
  expect(text).toMatch(/\([0-9]+ log lines were lost: nobody took them in time\)/);
  child.kill("SIGKILL");
});
