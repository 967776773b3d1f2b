/** serv6 as a service manager starts it: sockets from outside, and what it is told. */
import { expect, test } from "bun:test";
import { Datagrams } from "../../rig/datagrams.ts";
import { eventually } from "../../rig/faults.ts";
import { Peer } from "../../rig/peer.ts";
import { Tree } from "../../rig/tree.ts";
import { listenShared, listeningAt, monotonic } from "../../../src/sys/processes.ts";
import { kernel } from "../../../src/sys/kernel.ts";
import { Started } from "./started.ts";
import { childrenOf } from "./workers.ts";

const BUN = [process.execPath, "--config=/dev/null", "--no-env-file", "src/serv6.ts"];

/** Started with a listening socket as descriptor 3, as systemd does. */
async function activated(port: number, fd: number, args: readonly string[]): Promise<string> {
  const shell = 'export LISTEN_PID=$$; exec "$0" "$@"';
  const child = Bun.spawn(["sh", "-c", shell, ...BUN, ...args], {
    stdio: ["ignore", "ignore", "pipe", fd],
    env: { ...process.env, LISTEN_FDS: "1", LISTEN_FDNAMES: "serv6.socket" },
  });
  try {
    using peer = await Peer.dial(port);
    peer.send("f\n");
    return (await peer.all()).bytes.toString();
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

for (const workers of ["1", "2"]) {
  test(`a socket from outside is served by ${workers} in place of its own`, async () => {
    using tree = new Tree({ f: "served" });
    const fd = listenShared({ host: "127.0.0.1", port: 0 }, true, 16);
    const port = listeningAt(fd)?.port ?? 0;
    // Who comes before it has started waits.
    const args = [tree.root, "-p", "1", "--workers", workers, "--log", "off"];
    expect(await activated(port, fd, args)).toBe("served");
    kernel.close(fd);
  });
}

test("a descriptor that is no listening socket is told", async () => {
  using tree = new Tree({ f: "served" });
  const shell = ["sh", "-c", 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@" 3</dev/null'];
  await using started = new Started([tree.root], {}, shell);
  expect(await started.status()).toBe(2);
  expect(started.said).toContain("LISTEN_FDS: descriptor 3 is no TCP socket that listens");
});

for (const workers of ["1", "2"]) {
  test(`the service manager is told what ${workers} do`, async () => {
    using tree = new Tree({ f: "served" });
    using manager = new Datagrams(tree.path("notify"));
    const env = { NOTIFY_SOCKET: tree.path("notify"), WATCHDOG_USEC: "200000" };
    await using started = new Started(
      [tree.root, "-p", "0", "--workers", workers, "--log", "off"],
      env,
    );
    await started.port();
    const told = (pattern: RegExp): boolean => manager.read().some((it) => pattern.test(it));
    await eventually("READY", () => told(/^READY=1\nSTATUS=.*\n$/));
    await eventually(
      "WATCHDOG",
      () => manager.read().filter((it) => it === "WATCHDOG=1\n").length > 1,
    );
    const ready = () => manager.read().filter((it) => it.startsWith("READY=1")).length;
    expect(ready()).toBe(1);
    // One process has nothing to reload, and must not end by it.
    const asked = monotonic();
    started.child.kill("SIGHUP");
    await eventually("RELOADING", () => told(/^RELOADING=1\nMONOTONIC_USEC=[0-9]+\n$/));
    // By the manager's own clock: what seems to be from before it asked is not believed.
    const at = /MONOTONIC_USEC=([0-9]+)/.exec(manager.read().join(""))?.[1];
    expect(Number(at)).toBeWithin(asked, monotonic() + 1);
    await eventually("READY again", () => ready() === 2);
    started.child.kill("SIGTERM");
    await eventually("STOPPING", () => told(/^STOPPING=1\n$/));
    expect(await started.status()).toBe(0);
  });
}

test("an abstract socket is told as well; a worker whose loop stands still is noticed", async () => {
  using tree = new Tree({ f: "served" });
  const name = `@serv6-test-${process.pid}`;
  using manager = new Datagrams(name);
  const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: "400000" };
  await using started = new Started([tree.root, "-p", "0", "--workers", "2"], env);
  await started.port();
  const dogs = () => manager.read().filter((it) => it === "WATCHDOG=1\n").length;
  await eventually("WATCHDOG", () => dogs() > 0);
  const [worker = 0] = childrenOf(started.child.pid);
  process.kill(worker, "SIGSTOP");
  // From then on none comes for longer than several would have taken.
  for (let before = -1; before !== dogs(); await Bun.sleep(1500)) before = dogs();
  const before = dogs();
  process.kill(worker, "SIGCONT");
  await eventually("WATCHDOG again", () => dogs() > before);
}, 40_000);
