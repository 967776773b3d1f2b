/**
 * Files that change while they are sent or remembered: cases 42 to 49, on both branches of the
 * flow.
 */
import { expect, spyOn, test } from "bun:test";
import fs from "node:fs";
import { afterMs, eventually, replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import type { Peer } from "../rig/peer.ts";
import { BRANCHES, Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

/**
 * More than the kernel buffers between two ends on loopback: the server can't be done before we
 * read.
 */
const BIG = 24_000_000;

/** Asks for /big and reads its head and a little, so that the rest is on its way. */
async function underWay(running: Running, request = "READ /big\n"): Promise<Peer> {
  const peer = await running.dial();
  peer.send(request);
  await peer.until(() => peer.length > 200);
  peer.socket.pause();
  return peer;
}

/** Reads to the end: the bytes behind the head, and how it ended. */
async function rest(peer: Peer): Promise<{ body: Buffer; ending: string }> {
  peer.socket.resume();
  peer.finish();
  const { bytes, ending } = await peer.all();
  return { body: bytes.subarray(bytes.indexOf(10) + 1), ending };
}

/** How often the flow tries to move bytes in so many turns of the loop. */
async function movesOf(turns: number): Promise<number> {
  let moves = 0;
  using _sent = replaceCall("sendfile", (real) => (...args) => {
    moves += 1;
    return real(...args);
  });
  const read = spyOn(fs, "read");
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  moves += read.mock.calls.length;
  read.mockRestore();
  return moves;
}

async function others(running: Running): Promise<void> {
  expect((await running.ask("READ /other\n")).text).toContain("still here");
}

test.each(BRANCHES)("42: a file cut while it is sent ends in RST (%s)", async (_, zeroCopy) => {
  using tree = new Tree({ big: content(1, 0, BIG), other: "still here" });
  await using running = new Running(tree.root, { zeroCopy });
  for (const request of ["READ /big\n", "big\n"]) {
    tree.write("big", content(1, 0, BIG));
    await Bun.sleep(0);
    using peer = await underWay(running, request);
    fs.truncateSync(tree.path("big"), 1_000_000);
    const { body, ending } = await rest(peer);
    expect(ending).toBe("reset");
    expect(body.length).toBeLessThan(BIG);
    // sendfile returns 0 for ever past the end: nobody may spin on it.
    expect(await movesOf(100)).toBe(0);
    await others(running);
  }
  expect(running.server.counters.crashes).toBe(0);
});

test.each(BRANCHES)("43: a file that grows gives what was promised (%s)", async (_, zeroCopy) => {
  using tree = new Tree({ big: content(1, 0, BIG), other: "still here" });
  await using running = new Running(tree.root, { zeroCopy });
  using peer = await underWay(running, "READ /big\nREAD /other\n");
  fs.appendFileSync(tree.path("big"), "appended".repeat(1000));
  const { body, ending } = await rest(peer);
  expect(ending).toBe("fin");
  expect(verify(body.subarray(0, BIG), 1, 0)).toBeNull();
  // In step: the next reply starts right behind the promised bytes.
  expect(body.subarray(BIG).toString()).toMatch(/^OK 10 .*\nstill here$/);
});

test.each(BRANCHES)("44: a file replaced by rename is sent as it was (%s)", async (_, zeroCopy) => {
  using tree = new Tree({ big: content(1, 0, BIG) });
  await using running = new Running(tree.root, { zeroCopy });
  using peer = await underWay(running);
  tree.write("next", content(1, 1, BIG));
  fs.renameSync(tree.path("next"), tree.path("big"));
  const { body, ending } = await rest(peer);
  expect([ending, body.length]).toEqual(["fin", BIG]);
  expect(verify(body, 1, 0)).toBeNull();
  // A name is believed for a second; then it means the new version.
  using _second = afterMs(1001);
  using later = await running.dial();
  later.send("READ length=4096 /big\n");
  expect(verify((await later.reply()).body, 1, 1)).toBeNull();
});

test.each(BRANCHES)("45: a file edited in place never looks complete (%s)", async (_, zeroCopy) => {
  using tree = new Tree({ big: content(1, 0, BIG), other: "still here" });
  await using running = new Running(tree.root, { zeroCopy });
  using peer = await underWay(running);
  const fd = fs.openSync(tree.path("big"), "r+");
  fs.writeSync(fd, content(1, 1, BIG).subarray(BIG - 100_000), 0, 100_000, BIG - 100_000);
  fs.closeSync(fd);
  const { body, ending } = await rest(peer);
  expect(ending).toBe("reset");
  expect(body.length).toBeLessThan(BIG);
  await others(running);
  // Whoever asks now gets the facts and the bytes of today.
  const now = await running.ask(`READ offset=${BIG - 4096} /big\n`);
  expect(verify(now.bytes.subarray(now.bytes.indexOf(10) + 1), 1, 1, BIG - 4096)).toBeNull();
});

test("46: what is removed is gone within a second, what is under way is not", async () => {
  using tree = new Tree({ big: content(1, 0, BIG), small: "x" });
  await using running = new Running(tree.root);
  await running.ask("READ /small\n");
  using peer = await underWay(running);
  fs.rmSync(tree.path("big"));
  fs.rmSync(tree.path("small"));
  using _second = afterMs(1001);
  expect((await running.ask("READ /small\n")).text).toMatch(/^ERR ENOENT /);
  expect((await running.ask("READ length=1 /big\n")).text).toMatch(/^ERR ENOENT /);
  const { body, ending } = await rest(peer);
  expect([ending, body.length, verify(body, 1, 0)]).toEqual(["fin", BIG, null]);
});

test("47: a file made after it was missed is there at once", async () => {
  using tree = new Tree();
  await using running = new Running(tree.root);
  using peer = await running.dial();
  for (let i = 0; i < 20; i++) {
    peer.send(`READ /f${i}\n`);
    expect((await peer.reply()).line).toMatch(/^ERR ENOENT /);
    tree.write(`f${i}`, `content ${i}`);
    peer.send(`READ /f${i}\n`);
    expect((await peer.reply()).body.toString()).toBe(`content ${i}`);
  }
});

test("48: many files in turn stay within the budgets of cache and descriptors", async () => {
  using tree = new Tree();
  const large = 70_000;
  for (let i = 0; i < 400; i++) tree.write(`f${i}`, content(i, 0, i % 2 === 0 ? 500 : large));
  await using running = new Running(tree.root, { limits: { files: 20 } });
  using peer = await running.dial();
  let open = 0;
  for (let i = 0; i < 400; i++) {
    peer.send(`READ /f${i}\n`);
    const { body } = await peer.reply();
    expect([body.length, verify(body, i, 0)]).toEqual([i % 2 === 0 ? 500 : large, null]);
    open = Math.max(open, running.store.openFds);
  }
  expect(open).toBeGreaterThan(5);
  expect(open).toBeLessThanOrEqual(20);
  expect(running.store.cache.fds).toBeLessThanOrEqual(10);
  expect(running.store.cache.bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
});

test("a new large file is served although every older one is in use of late", async () => {
  using tree = new Tree();
  for (let i = 0; i < 6; i++) tree.write(`f${i}`, content(i, 0, 100_000));
  await using running = new Running(tree.root, { limits: { files: 4 } });
  using peer = await running.dial();
  for (const i of [0, 0, 1, 1, 2, 2, 3, 4, 5, 0]) {
    peer.send(`READ /f${i}\n`);
    const { body } = await peer.reply();
    expect([body.length, verify(body, i, 0)]).toEqual([100_000, null]);
  }
});

test.each(BRANCHES)(
  "49: eviction and clients that leave never mix files (%s)",
  async (_, zeroCopy) => {
    using tree = new Tree();
    const size = 300_000;
    for (let i = 0; i < 12; i++) tree.write(`f${i}`, content(i, 0, size));
    await using running = new Running(tree.root, { zeroCopy, limits: { files: 6 } });
    let served = 0;
    const client = async (number: number): Promise<void> => {
      for (let round = 0; round < 40; round++) {
        const i = (number * 5 + round * 7) % 12;
        using peer = await running.dial();
        peer.send(`READ /f${i}\n`);
        if (round % 3 === 0) {
          await peer.until(() => peer.length > 10);
          continue;
        }
        const { line, body } = await peer.reply();
        // Six descriptors, eight clients: one may be told to come again.
        if (line.startsWith("ERR EBUSY")) continue;
        expect([body.length, verify(body, i, 0)]).toEqual([size, null]);
        served += 1;
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, number) => client(number)));
    expect(served).toBeGreaterThan(50);
    await eventually("all let go", () => running.store.openFds <= 3);
  },
);
