/** Clients that go at any byte: fault 39. Descriptors and counts return to what they were. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { eventually } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import type { Peer } from "../rig/peer.ts";
import { BRANCHES, Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { sendApart, watch } from "./watch.ts";

const LARGE = 3_000_000;

/** More than a client's kernel takes for a program that does not read. */
const BIG = 12_000_000;
const big = content(1, 0, BIG);

const SESSION = "PING\r\nREAD /f\nREAD /no\nREAD offset=9 length=70000 /large\nLIST /\nSTAT /f\n";

/** Descriptors of this process: the server's and the test's own. */
function fds(): number {
  return fs.readdirSync("/proc/self/fd").length;
}

/** Waits until nothing is left of any client, and no file is open. */
async function settled(running: Running, before: number): Promise<void> {
  const { server, store } = running;
  await eventually("the last connection's end", () => server.counters.connections === 0);
  store.cache.clear();
  // A read that is under way on another thread keeps its file open to its end.
  await eventually("files let go of", () => store.openFds === 0);
  await eventually("the descriptors' return", () => fds() <= before);
}

/** Descriptors once the thread for looks has started: it has some of its own. */
async function fdsBeside(running: Running): Promise<number> {
  await running.ask("LIST /\n");
  return fds();
}

test.each(BRANCHES)(
  "39: RST and FIN at every byte of a session leave nothing (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree({ f: "content", large: content(1, 0, LARGE) });
    await using running = new Running(tree.root, { zeroCopy });
    const seen = watch(running);
    const before = await fdsBeside(running);
    for (let at = 0; at <= SESSION.length; at++) {
      for (const ending of ["reset", "finish", "both"] as const) {
        using peer = await running.dial();
        await sendApart(peer, seen, [SESSION.slice(0, at)]);
        if (ending !== "reset") peer.finish();
        if (ending === "finish") expect((await peer.all()).ending).toBe("fin");
        else peer.reset();
        seen.length = 0;
      }
    }
    await settled(running, before);
  },
);

test.each(BRANCHES)(
  "39: RST at many points of a large reply leaves nothing (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree({ big });
    await using running = new Running(tree.root, { zeroCopy });
    const { counters } = running.server;
    const before = await fdsBeside(running);
    const points = [0, 1, 4096, 65_536, 262_144, 300_001, 1_048_576, 5_000_000, 11_999_999];
    for (const request of ["/big\n", "READ /big\nREAD /big\n", "READ length=9000000 /big\n"]) {
      for (const point of points) {
        using peer = await running.dial();
        peer.send(request);
        await peer.until(() => peer.length >= Math.min(point, 9_000_000));
        peer.reset();
      }
    }
    await settled(running, before);
    expect(counters.resets + counters.requests).toBeGreaterThan(0);
    expect(counters.crashes).toBe(0);
  },
);

test.each(BRANCHES)(
  "39: clients that stop reading and go at once leave nothing (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree({ big });
    await using running = new Running(tree.root, { zeroCopy });
    const before = await fdsBeside(running);
    const peers: Peer[] = [];
    for (let i = 0; i < 50; i++) {
      const peer = await running.dial();
      peers.push(peer);
      peer.socket.pause();
      peer.send(i % 2 === 0 ? "/big\n" : "PING\nREAD /big\nREAD /big\n");
    }
    const { store, server } = running;
    await eventually("fifty transfers", () => server.counters.accepted === 51 && store.openFds > 0);
    // One descriptor serves them all.
    expect(store.openFds).toBe(1);
    for (const [index, peer] of peers.entries()) {
      if (index % 3 === 0) peer.socket.destroy();
      else peer.reset();
    }
    await settled(running, before);
  },
);

test.each(BRANCHES)(
  "39: FIN in the middle of a reply costs no byte of it (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree({ large: content(1, 0, LARGE) });
    await using running = new Running(tree.root, { zeroCopy });
    const before = await fdsBeside(running);
    for (const point of [0, 1, 500_000, LARGE - 1]) {
      using peer = await running.dial();
      peer.send("/large\n");
      await peer.until(() => peer.length >= point);
      peer.finish();
      const { bytes, ending } = await peer.all();
      expect([point, bytes.length, ending]).toEqual([point, LARGE, "fin"]);
      expect(verify(bytes, 1, 0)).toBeNull();
    }
    await settled(running, before);
    expect(running.server.counters.resets).toBe(0);
  },
);

test("39: clients that go while a directory is read leave nothing", async () => {
  using tree = new Tree();
  for (let i = 0; i < 3000; i++) fs.closeSync(fs.openSync(tree.path(`n${i}`), "w"));
  await using running = new Running(tree.root);
  const before = await fdsBeside(running);
  const peers: Peer[] = [];
  for (let i = 0; i < 40; i++) peers.push(await running.dial());
  await eventually("the connections", () => running.server.counters.connections === 40);
  const connected = fds();
  for (const peer of peers) peer.send("LIST /\nLIST /\n");
  let most = 0;
  await eventually("the first answers", () => {
    most = Math.max(most, fds() - connected);
    return running.server.counters.requests > 40;
  });
  // Forty clients do not hold forty directories: nobody has counted on those descriptors.
  expect(most).toBeLessThanOrEqual(10);
  for (const peer of peers) peer.reset();
  await settled(running, before);
});
