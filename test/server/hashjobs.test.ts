/** HASH while it takes time: shared, kept, dropped, in turns; and when something goes wrong. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { KEPT_MS } from "../../src/store/digest-cache.ts";
import { PEER_JOB_UNITS_MAX } from "../../src/store/digester.ts";
import { clock } from "../../src/sys/clock.ts";
import { codeOf, exchange, factOf } from "../rig/exchange.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { Peer } from "../rig/peer.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const MIB = 1024 * 1024;

/** So large that hashing it outlasts every test; holes cost no disk. */
const ENDLESS = 2 ** 40;

/** Two versions of the same size, made once. */
const [FIRST, SECOND] = [content(1, 0, 16 * MIB), content(1, 1, 16 * MIB)];

/** Bytes of the thread, its buffers and what the tests' own machinery takes meanwhile. */
const RSS_GROWTH_MAX = 64 * MIB;

/** Makes `path` look as if it was written an hour ago. */
function age(path: string): void {
  const then = Date.now() / 1000 - 3600;
  fs.utimesSync(path, then, then);
}

/** A server over "big", of 16 MiB and an hour old, and "endless". */
function start() {
  const tree = new Tree({ big: FIRST, endless: "" });
  fs.truncateSync(tree.path("endless"), ENDLESS);
  age(tree.path("big"));
  const running = new Running(tree.root);
  return {
    tree,
    running,
    digester: running.store.digester,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      tree[Symbol.dispose]();
    },
  };
}

async function dialAll(running: Running, count: number): Promise<Peer[]> {
  return Promise.all(Array.from({ length: count }, () => running.dial()));
}

/** Does `act` when the file has been looked at `looks` times by its descriptor from now on. */
function onLook(looks: number, act: () => void): Disposable {
  return replaceCall("statx", (real) => (dirfd, name, out) => {
    if (name === "" && --looks === 0) act();
    return real(dirfd, name, out);
  });
}

test("many who ask the same at once cost one computation", async () => {
  await using it = await start();
  const peers = await dialAll(it.running, 50);
  for (const peer of peers) peer.send("HASH chunk=65536 algo=sha256 /big\n");
  const replies = await Promise.all(peers.map((peer) => peer.reply()));
  for (const peer of peers) peer.socket.destroy();
  expect(replies[0]?.line).toStartWith(`OK ${256 * 65} size=${16 * MIB} `);
  for (const reply of replies) expect(reply.body.equals(replies[0]!.body)).toBe(true);
  expect(it.digester.portions).toBe(4);
});

test("what was computed of a version is kept, also for other ranges, and no longer than it", async () => {
  await using it = await start();
  const { port } = it.running;
  const [first] = await exchange(port, ["HASH /big"]);
  const [again, part] = await exchange(port, ["HASH /big", `HASH offset=${8 * MIB} /big`]);
  expect(again).toEqual(first!);
  expect(part?.body).toEqual(first!.body.subarray(34));
  expect(it.digester.portions).toBe(4);
  // One chunk more than is known: it alone is computed.
  await exchange(port, [`HASH offset=${4 * MIB} length=${4 * MIB} chunk=${4 * MIB - 1} /big`]);
  expect(it.digester.portions).toBe(6);
  fs.writeFileSync(it.tree.path("big"), SECOND);
  const [edited] = await exchange(port, ["HASH /big"]);
  expect(factOf(edited!, "etag")).not.toBe(factOf(first!, "etag"));
  expect(edited?.body.equals(first!.body)).toBe(false);
  expect(it.digester.portions).toBe(10);
});

test("of a file that was written a moment ago nothing is kept: its mtime may not tell the next edit", async () => {
  await using it = await start();
  it.tree.write("new", FIRST);
  await exchange(it.running.port, ["HASH /new", "HASH /new"]);
  expect([it.digester.portions, it.digester.cache.size]).toEqual([8, 0]);
});

test("a short question does not wait for the end of a long one", async () => {
  await using it = await start();
  using long = await it.running.dial();
  long.send("HASH algo=sha256 /endless\n");
  await eventually("the long one", () => it.digester.portions > 2);
  const replies = await exchange(it.running.port, ["HASH /big", "READ /big", "HASH length=9 /big"]);
  expect(replies.map(codeOf)).toEqual(["OK", "OK", "OK"]);
  expect([it.digester.jobs, long.length]).toEqual([1, 0]);
});

test("a short question waits for a few portions of a hundred long ones of its own address", async () => {
  await using it = await start();
  const peers = await dialAll(it.running, 100);
  for (const [nth, peer] of peers.entries()) {
    peer.send(`HASH offset=${nth} algo=sha256 /endless\n`);
  }
  await eventually("all of them", () => it.digester.jobs === 100);
  const before = it.digester.portions;
  const [reply] = await exchange(it.running.port, ["HASH algo=sha256 /big"]);
  expect(codeOf(reply!)).toBe("OK");
  // Its own four, two of those that wait longest, and what was at the thread at both ends.
  expect(it.digester.portions - before).toBeLessThan(20);
  for (const peer of peers) peer.reset();
});

test("pipelines whose next question comes with each answer do not go past who waits", async () => {
  await using it = await start();
  const peers = await dialAll(it.running, 4);
  for (const [nth, peer] of peers.entries()) {
    // Each is a job of its own.
    const offsets = Array.from({ length: 200 }, (_, round) => 200 * nth + round);
    const lines = offsets.map((at) => `HASH offset=${at} length=3000000 chunk=1009 /big\n`);
    peer.send(lines.join(""));
  }
  await eventually("all of them at work", () => it.digester.jobs > 0 && it.digester.portions > 8);
  const before = it.digester.portions;
  const [reply] = await exchange(it.running.port, ["HASH offset=3 length=3000000 chunk=1013 /big"]);
  expect(codeOf(reply!)).toBe("OK");
  // Those that the thread has, and one turn of each pipeline.
  expect(it.digester.portions - before).toBeLessThan(20);
  for (const peer of peers) peer.socket.destroy();
});

test("when all who asked are gone, the work ends between two portions", async () => {
  await using it = await start();
  const peers = await dialAll(it.running, 3);
  for (const peer of peers) peer.send("HASH algo=sha256 /endless\n");
  await eventually("the work", () => it.digester.portions > 2);
  expect(it.digester.jobs).toBe(1);
  peers[0]?.reset();
  peers[2]?.reset();
  await eventually("two to go", () => it.running.server.counters.connections === 1);
  const before = it.digester.portions;
  await eventually("more work", () => it.digester.portions > before + 2);
  peers[1]?.reset();
  await eventually("the end of the work", () => it.digester.jobs === 0);
  it.running.store.cache.clearFds();
  await eventually("its descriptor's end", () => it.running.store.openFds === 0);
});

test("over one address's share questions are EBUSY, but neither an equal one nor another address's", async () => {
  await using it = await start();
  const peers = await dialAll(it.running, PEER_JOB_UNITS_MAX);
  for (const [index, peer] of peers.entries()) {
    peer.send(`HASH offset=${index} algo=sha256 /endless\n`);
  }
  await eventually("all of them", () => it.digester.jobs === PEER_JOB_UNITS_MAX);
  const [over, held] = await exchange(it.running.port, ["HASH /big", "READ length=1 /big"]);
  expect([codeOf(over!), codeOf(held!)]).toEqual(["EBUSY", "OK"]);
  using other = await Peer.dial(it.running.port, "127.0.0.2");
  other.send("HASH /big\n");
  expect((await other.reply()).line).toStartWith("OK ");
  using same = await it.running.dial();
  same.send("HASH offset=7 algo=sha256 /endless\n");
  for (const peer of peers) peer.reset();
  await eventually("the end of the others", () => it.digester.jobs === 1);
  expect([same.length, same.ending]).toEqual([0, null]);
  expect((await exchange(it.running.port, ["HASH /big"])).map(codeOf)).toEqual(["OK"]);
});

test("when all is taken the newest job of who holds most gives way to who has less", async () => {
  await using it = await start();
  const peers: Peer[] = [];
  const ask = async (address: string, question: string): Promise<void> => {
    const peer = await Peer.dial(it.running.port, address);
    peer.send(`HASH algo=sha256 ${question} /endless\n`);
    peers.push(peer);
  };
  // The largest reply counts as 17: fifteen are one address's share, and 120 all but eight.
  for (let nth = 0; nth < 120; nth++) {
    const offset = nth * 268_435_456;
    await ask(`127.0.1.${1 + (nth % 8)}`, `chunk=65536 length=268435456 offset=${offset}`);
  }
  for (let nth = 0; nth < 8; nth++) await ask("127.0.1.9", `offset=${nth}`);
  await eventually("all of them", () => it.digester.jobs === 128);
  using newcomer = await Peer.dial(it.running.port, "127.0.2.1");
  newcomer.send("HASH /big\n");
  expect((await newcomer.reply()).line).toStartWith("OK ");
  const refused = peers.filter(({ length }) => length > 0);
  expect(refused.length).toBe(1);
  expect((await refused[0]!.line()).toString()).toStartWith("ERR EBUSY ");
  for (const peer of peers) peer.reset();
  await eventually("their end", () => it.digester.jobs === 0);
});

test("a reply that was computed is kept whole: to ask again looks nothing up", async () => {
  await using it = await start();
  const ask = "HASH chunk=65536 /big";
  const [first] = await exchange(it.running.port, [ask]);
  const { replyBytes } = it.digester.cache;
  expect(replyBytes).toBe(256 * 17);
  let looked = 0;
  const known = it.digester.cache.known.bind(it.digester.cache);
  it.digester.cache.known = (key) => ((looked += 1), known(key));
  const [again] = await exchange(it.running.port, [ask]);
  expect([again?.body.equals(first!.body), looked]).toEqual([true, 0]);
});

test("digests are computed again when they are too old: a mapping may have changed the file", async () => {
  await using it = await start();
  await exchange(it.running.port, ["HASH /big", "HASH length=8388608 /big"]);
  expect(it.digester.portions).toBe(4);
  // What would have to pass: the clock of the next event is a minute on.
  const now = performance.now.bind(performance);
  performance.now = () => now() + KEPT_MS + 1;
  try {
    await exchange(it.running.port, ["HASH /big", "HASH length=8388608 /big"]);
  } finally {
    performance.now = now;
  }
  expect(it.digester.portions).toBe(8);
});

const EDITS: [name: string, edit: (path: string) => void][] = [
  ["edited in place", (path) => fs.writeFileSync(path, SECOND)],
  ["cut short", (path) => fs.truncateSync(path, 5 * MIB)],
  ["appended to", (path) => fs.appendFileSync(path, "more")],
];

test.each(EDITS)(
  "a file that is %s while it is hashed is ESTALE, then hashed anew",
  async (_, edit) => {
    await using it = await start();
    for (const algo of ["xxh3", "sha256"]) {
      it.tree.write("big", FIRST);
      age(it.tree.path("big"));
      const line = `HASH algo=${algo} /big`;
      clock.now += 2000; // What was there a second ago is not believed.
      await exchange(it.running.port, ["READ length=1 /./big"]);
      // The first look is the door's, the next two are at the first two portions.
      using looks = onLook(3, () => edit(it.tree.path("big")));
      const [stale, fresh] = await exchange(it.running.port, [line, line]);
      expect(looks).toBeDefined();
      expect([algo, codeOf(stale!), codeOf(fresh!)]).toEqual([algo, "ESTALE", "OK"]);
      const [stat] = await exchange(it.running.port, ["STAT /big"]);
      expect(factOf(fresh!, "etag")).toBe(factOf(stat!, "etag"));
    }
    expect(it.digester.jobs).toBe(0);
  },
);

test("a file that can't be read is EIO, and the connection goes on", async () => {
  await using it = await start();
  {
    // What the thread gets is a descriptor that the kernel lets nobody read from.
    using _fault = replaceCall("openat", (real) => (dirfd, path, flags) => {
      const found = path.startsWith("/proc/self/fd/");
      return real(dirfd, path, found ? fs.constants.O_WRONLY : flags);
    });
    const lines = ["HASH /big", "HASH algo=sha256 /big", "PING"];
    expect((await exchange(it.running.port, lines)).map(codeOf)).toEqual(["EIO", "EIO", "OK"]);
  }
  // And one that has fewer bytes than its size says.
  using _fault = replaceCall("statx", (real) => (dirfd, name, out) => {
    const failed = real(dirfd, name, out);
    if (out.isFile) out.size += 1000n;
    return failed;
  });
  clock.now += 2000;
  expect((await exchange(it.running.port, ["HASH /big"])).map(codeOf)).toEqual(["EIO"]);
  expect(it.digester.jobs).toBe(0);
});

test("when the thread crashes, what it worked on is EIO, and the next question has a new one", async () => {
  await using it = await start();
  using long = await it.running.dial();
  using chunks = await it.running.dial();
  long.send("HASH algo=sha256 /endless\nPING\n");
  chunks.send(`HASH chunk=${16 * MIB} length=${4096 * 16 * MIB} /endless\nPING\n`);
  await eventually("the work", () => it.digester.portions > 6);
  const crashed = it.digester.thread;
  crashed?.send(null as never);
  for (const peer of [long, chunks]) {
    expect(codeOf(await peer.reply())).toBe("EIO");
    expect(codeOf(await peer.reply())).toBe("OK");
  }
  expect(it.digester.jobs).toBe(0);
  expect((await exchange(it.running.port, ["HASH /big"])).map(codeOf)).toEqual(["OK"]);
  expect(it.digester.thread).not.toBe(crashed);
});

test("small files need no thread, and one that is idle for 10 s ends", async () => {
  await using it = await start();
  it.tree.write("small", content(1, 0, 65_536));
  await exchange(it.running.port, [
    "HASH /small",
    "HASH algo=sha256 /small",
    "HASH chunk=1024 /small",
  ]);
  expect(it.digester.thread).toBeNull();
  // Thousands of digests are not for the loop, whatever they are of.
  await exchange(it.running.port, ["HASH chunk=16 /small"]);
  expect(it.digester.thread).not.toBeNull();
  const threads = (): number => fs.readdirSync("/proc/self/task").length;
  const before = threads();
  clock.now += 9000;
  it.running.store.sweep();
  expect(it.digester.thread).not.toBeNull();
  clock.now += 1100;
  it.running.store.sweep();
  expect(it.digester.thread).toBeNull();
  await eventually("the thread's end", () => threads() < before);
  expect((await exchange(it.running.port, ["HASH /big"])).map(codeOf)).toEqual(["OK"]);
});

test("a server that stops while it hashes leaves no descriptor and no thread", async () => {
  const fds = (): string[] =>
    fs.readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
        return path.endsWith("/endless") ? [path] : [];
      } catch {
        return [];
      }
    });
  const it = start();
  {
    await using _it = it;
    using peer = await it.running.dial();
    peer.send("HASH algo=sha256 /endless\n");
    await eventually("the work", () => it.digester.portions > 2);
    expect(fds().length).toBe(1);
  }
  await eventually("the end of the thread", () => it.digester.thread === null);
  expect(fds().filter((path) => path.startsWith(it.tree.root))).toEqual([]);
});

test("memory stays what a portion takes, however large the file", async () => {
  await using it = await start();
  fs.truncateSync(it.tree.path("big"), 160 * MIB);
  await exchange(it.running.port, ["HASH length=1 /big"]);
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  const [reply] = await exchange(it.running.port, ["HASH /big"]);
  expect(reply?.line).toStartWith(`OK ${40 * 17} `);
  expect(process.memoryUsage.rss() - before).toBeLessThan(RSS_GROWTH_MAX);
});
