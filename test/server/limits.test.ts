/** Who waits too long, takes too little or comes too often: cases 57 to 60, 62 and 70. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import { ERRNO } from "../../src/sys/errno.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Peer } from "../rig/peer.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const BIG = 15_000_000;

test("57: silence and dripped bytes are cut by the request deadline, before and after a first request", async () => {
  using tree = new Tree({ f: "x" });
  await using running = new Running(tree.root, { limits: { requestMs: 1500 } });
  using silent = await running.dial();
  using dripping = await running.dial();
  using second = await running.dial();
  using honest = await running.dial();
  second.send("PING\n");
  await second.line();
  const drip = setInterval(() => {
    dripping.send("R");
    second.send("R");
  }, 100);
  try {
    expect((await silent.all()).bytes.toString()).toMatch(/^ERROR ETIMEDOUT: /);
    expect((await dripping.all()).bytes.toString()).toMatch(/^ERR(OR)? (ETIMEDOUT|ENOENT)/);
    expect((await second.all()).bytes.toString()).toMatch(/^ERR ETIMEDOUT /);
  } finally {
    clearInterval(drip);
  }
  honest.send("READ /f\n");
  expect((await honest.all()).ending).toBe("fin");
});

test("an idle connection gets FIN after the idle time, not before", async () => {
  using tree = new Tree({ f: "x" });
  await using running = new Running(tree.root, { limits: { idleMs: 1200, requestMs: 60_000 } });
  using peer = await running.dial();
  // Before the server begins to count.
  const began = performance.now();
  peer.send("PING\n");
  await peer.line();
  const { bytes, ending } = await peer.all();
  expect([bytes.length, ending]).toEqual([0, "fin"]);
  expect(performance.now() - began).toBeGreaterThanOrEqual(1200);
});

test("58: a slow but steady reader is served to the end, one that takes nothing is cut", async () => {
  using tree = new Tree({ big: content(1, 0, BIG) });
  await using running = new Running(tree.root, { limits: { stallMs: 2000 } });
  using stalled = await running.dial();
  stalled.socket.pause();
  stalled.send("READ /big\n");
  using steady = await running.dial();
  steady.send("READ /big\n");
  await steady.line();
  let got = 0;
  // A pause behind each MB: 15 MB take longer than the stall time, on any machine.
  while (got < BIG && steady.ending === null) {
    steady.socket.resume();
    const chunk = await steady.take(1_000_000);
    expect(verify(chunk, 1, 0, got)).toBeNull();
    got += chunk.length;
    steady.socket.pause();
    await Bun.sleep(200);
  }
  expect(got).toBe(BIG);
  await eventually("the stalled one cut", () => running.server.counters.timeouts === 1);
  stalled.socket.resume();
  expect((await stalled.all()).ending).toBe("reset");
});

test("59: stalled readers of a big file cost little and delay nobody", async () => {
  using tree = new Tree();
  tree.write("big", "");
  fs.truncateSync(tree.path("big"), 104_857_600);
  await using running = new Running(tree.root);
  const readers = await Promise.all(Array.from({ length: 200 }, () => running.dial()));
  using honest = await running.dial();
  const alone = await medianMs(honest);
  const before = tcpBytes();
  for (const reader of readers) {
    reader.socket.pause();
    reader.send("READ /big\n");
  }
  await eventually("all are waited for", () => running.server.counters.connections === 201);
  // As quick as before, with room for another program: a wait for each reader would be 200 times.
  expect(await medianMs(honest)).toBeLessThan(20 * alone + 20);
  // Both ends are in this process and machine: generous, but a tenth of what unbounded would be.
  expect((tcpBytes() - before) / 200).toBeLessThan(400_000);
  // Memory of our own is measured by bench/stall.ts: here the clients share the process.
  for (const reader of readers) reader.reset();
});

/** Milliseconds until a PING is answered: the median of 100. */
async function medianMs(peer: Peer): Promise<number> {
  const waits: number[] = [];
  for (let i = 0; i < 100; i++) {
    const began = performance.now();
    peer.send("PING\n");
    await peer.line();
    waits.push(performance.now() - began);
  }
  return waits.sort((a, b) => a - b)[50] ?? Infinity;
}

/** Bytes of TCP memory as the kernel counts them, for the whole machine. */
function tcpBytes(): number {
  const line = /^TCP:.* mem ([0-9]+)/m.exec(fs.readFileSync("/proc/net/sockstat", "utf8"));
  return Number(line?.[1] ?? 0) * 4096;
}

function dialFrom(port: number, localAddress: string): Promise<Peer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", localAddress, allowHalfOpen: true });
    socket.once("error", reject);
    socket.once("connect", () => resolve(new Peer(socket)));
  });
}

test("60: one address can't take all connections, and gives them back", async () => {
  using tree = new Tree({ f: "x" });
  const limits = { connections: 8, connectionsPerPeer: 5 };
  await using running = new Running(tree.root, { limits });
  const greedy = await Promise.all(Array.from({ length: 5 }, () => running.dial()));
  for (const peer of greedy) {
    peer.send("PING\n");
    expect(await peer.line()).toStartWith("OK 0 ");
  }
  using sixth = await running.dial();
  const refused = await sixth.all();
  expect([refused.bytes.toString(), refused.ending]).toEqual([
    "ERR EBUSY server is busy, try again: too many connections\n",
    "fin",
  ]);
  using other = await dialFrom(running.port, "127.0.0.2");
  other.send("READ /f\n");
  expect((await other.reply()).body.toString()).toBe("x");
  for (const peer of greedy) peer.reset();
  await eventually("they are counted out", () => running.server.counters.connections <= 2);
  using again = await running.dial();
  again.send("PING\n");
  expect(await again.line()).toStartWith("OK 0 ");
});

test.each(["EMFILE", "ENFILE"] as const)(
  "62: %s on an open lets cached files go, tries once more, then says EBUSY",
  async (name) => {
    using tree = new Tree();
    for (let i = 0; i < 5; i++) tree.write(`f${i}`, content(i, 0, 100_000));
    await using running = new Running(tree.root);
    using peer = await running.dial();
    for (let i = 0; i < 4; i++) {
      peer.send(`READ /f${i}\n`);
      expect((await peer.reply()).body.length).toBe(100_000);
    }
    expect(running.store.openFds).toBe(4);
    let failures = 1;
    let calls = 0;
    using _fault = replaceCall("openat2", (real) => (...args) => {
      calls += 1;
      return failures-- > 0 ? -ERRNO[name] : real(...args);
    });
    peer.send("READ /f4\n");
    expect(verify((await peer.reply()).body, 4, 0)).toBeNull();
    expect([calls, running.store.openFds]).toEqual([2, 1]);
    failures = 1e9;
    calls = 0;
    peer.send("READ /f0\nPING\n");
    expect((await peer.reply()).line).toMatch(/^ERR EBUSY /);
    expect(await peer.line()).toStartWith("OK 0 ");
    expect(calls).toBe(2);
  },
);

test("70: stop() takes nobody new, finishes what is under way, resets what is late", async () => {
  using tree = new Tree({ big: content(1, 0, BIG) });
  const running = new Running(tree.root);
  using idle = await running.dial();
  idle.send("PING\n");
  await idle.line();
  using reading = await running.dial();
  using late = await running.dial();
  for (const peer of [reading, late]) {
    peer.send("READ /big\n");
    await peer.until(() => peer.length > 200);
    peer.socket.pause();
  }
  const stopped = running.server.stop(3000);
  expect((await idle.all()).ending).toBe("fin");
  expect(await Peer.dial(running.port).catch(() => null)).toBeNull();
  reading.socket.resume();
  const { bytes, ending } = await reading.all();
  expect([ending, verify(bytes.subarray(bytes.indexOf(10) + 1), 1, 0)]).toEqual(["fin", null]);
  await stopped;
  late.socket.resume();
  expect((await late.all()).ending).toBe("reset");
  // A second call is harmless, and closes nothing a second time.
  await running.server.stop(0);
});

test("60: who holds most gives way to who holds less, when every connection is taken", async () => {
  using tree = new Tree({ f: "content" });
  const limits = { connections: 40, connectionsPerPeer: 30, requestMs: 60_000 };
  await using running = new Running(tree.root, { limits });
  const { counters } = running.server;
  const greedy = await Promise.all(Array.from({ length: 30 }, () => running.dial()));
  using working = greedy[29]!;
  working.send("READ /f\n");
  await working.reply();
  for (let nth = 0; nth < 10; nth++) {
    const other = await Peer.dial(running.port, "127.0.0.2");
    other.send("PING\n");
    await other.line();
  }
  await eventually("all are taken", () => counters.connections === 40);
  // A new address gets in, in place of one that has never asked.
  using honest = await Peer.dial(running.port, "127.0.0.3");
  honest.send("READ /f\n");
  expect((await honest.line()).toString()).toStartWith("OK 7 ");
  await eventually("one has left", () => greedy.some(({ ending }) => ending !== null));
  const gone = greedy.filter(({ ending }) => ending !== null);
  expect([gone.length, counters.displaced, counters.connections]).toEqual([1, 1, 40]);
  expect((await gone[0]!.line()).toString()).toMatch(/^ERR(OR)? EBUSY[: ]/);
  // Its own address does not: 29 are not fewer than 28.
  using again = await running.dial();
  expect((await again.line()).toString()).toStartWith("ERR EBUSY ");
  expect(counters.displaced).toBe(1);
});

test("60: nobody gives way to who would then hold as many", async () => {
  using tree = new Tree({ f: "content" });
  const limits = { connections: 8, connectionsPerPeer: 8, requestMs: 60_000 };
  await using running = new Running(tree.root, { limits });
  for (let nth = 0; nth < 8; nth++) await Peer.dial(running.port, `127.0.1.${nth + 1}`);
  await eventually("all are taken", () => running.server.counters.connections === 8);
  using newcomer = await Peer.dial(running.port, "127.0.2.1");
  expect((await newcomer.line()).toString()).toStartWith("ERR EBUSY ");
  expect(running.server.counters.displaced).toBe(0);
});
