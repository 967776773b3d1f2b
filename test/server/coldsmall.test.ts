/**
 * Small files that are not in memory: they are read off the loop, a few at once, while others are
 * answered; and nothing is lost, mixed up or left behind whatever becomes of the reading.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { READS_MAX } from "../../src/store/diskread.ts";
import { ColdFile, Prefetcher } from "../../src/store/prefetch.ts";
import { Refusal } from "../../src/wire/errors.ts";
import { replaceCall } from "../rig/faults.ts";
import { openIn } from "../rig/open-files.ts";
import { content, verify } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Simulation, type SimulatedPeer } from "../rig/simulation.ts";
import { Tree } from "../rig/tree.ts";
import { waiterOf } from "../rig/waiter.ts";

const LENGTH = 40_000;

/** While it stands no small file is in memory until it has been read. */
function nothingInMemory(): Disposable {
  return replaceCall("resident", () => (_fd, _offset, count) => (count === undefined ? 1 : 0));
}

/** `count` files of other content each, and one that is held before the disk becomes slow. */
function simulationOf(count: number): Simulation {
  const files = Array.from({ length: count }, (_, nth) => [`f${nth}`, content(1, nth, LENGTH)]);
  const simulation = new Simulation({ ...Object.fromEntries(files), held: "held" });
  ask(simulation, "READ /held\n");
  return simulation;
}

function ask(simulation: Simulation, lines: string): SimulatedPeer {
  const peer = simulation.connect();
  peer.send(lines);
  return peer;
}

/** The bodies of the replies that came, all of which must be OK. */
function bodies(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf("\n", at);
    const head = bytes.toString("latin1", at, end);
    expect(head).toMatch(/^OK \d+/);
    at = end + 1 + Number(head.split(" ")[1]);
    found.push(bytes.subarray(end + 1, at));
  }
  return found;
}

test("many cold files, asked for in a row: one after the other, others are answered meanwhile", () => {
  using simulation = simulationOf(100);
  using _disk = nothingInMemory();
  const names = Array.from({ length: 100 }, (_, nth) => `READ /f${nth}\n`);
  const peer = ask(simulation, names.join(""));
  for (let nth = 0; nth < 100; nth++) {
    expect([peer.connection.state.awaits, simulation.loop.reads]).toEqual(["store", 1]);
    expect(ask(simulation, "READ /held\n").text).toEndWith("held");
    simulation.loop.read();
    for (
      ;
      simulation.loop.reads === 0 && peer.connection.state.awaits !== "request";
      peer.drain()
    ) {
      peer.take();
      if (simulation.loop.immediates > 0) simulation.loop.turn();
    }
  }
  simulation.flow(peer);
  const came = bodies(peer.bytes);
  expect(came.length).toBe(100);
  for (const [nth, body] of came.entries()) {
    expect([nth, body.length, verify(body, 1, nth)]).toEqual([nth, LENGTH, null]);
  }
});

test("every verb and both dialects wait, and all get what they asked for", () => {
  using simulation = simulationOf(4);
  using _disk = nothingInMemory();
  const whole = ask(simulation, "READ /f0\n");
  const range = ask(simulation, "READ offset=39000 length=500 /f1\nPING\n");
  const digest = ask(simulation, "HASH /f2\n");
  const bare = ask(simulation, "f3\n");
  expect([whole, range, digest, bare].map(({ connection }) => connection.state.awaits)).toEqual(
    Array.from({ length: 4 }, () => "store"),
  );
  simulation.flow(whole, range, digest, bare);
  expect(verify(bodies(whole.bytes)[0] ?? whole.bytes, 1, 0)).toBeNull();
  expect(verify(bodies(range.bytes)[0] ?? range.bytes, 1, 1, 39_000)).toBeNull();
  expect(bodies(range.bytes).length).toBe(2);
  const xxh3 = Bun.hash
    .xxHash3(content(1, 2, LENGTH))
    .toString(16)
    .padStart(16, "0");
  expect(digest.text).toEndWith(`${xxh3}\n`);
  expect([verify(bare.bytes, 1, 3), bare.bytes.length, bare.socket.ending]).toEqual([
    null,
    LENGTH,
    "fin",
  ]);
});

test("a thousand who want the same file: it is read a few times, and all of them get it", () => {
  using simulation = simulationOf(1);
  using _disk = nothingInMemory();
  const peers = Array.from({ length: 1000 }, () => ask(simulation, "READ /f0\n"));
  expect([simulation.loop.reads, openIn(simulation.tree.root)]).toEqual([
    READS_MAX.prefetch,
    READS_MAX.prefetch + 1,
  ]);
  for (let nth = 0; nth < READS_MAX.prefetch; nth++) simulation.loop.read();
  const answered = (): number =>
    peers.filter(({ connection }) => connection.state.awaits === "request").length;
  expect([simulation.loop.reads, answered()]).toEqual([0, READS_MAX.prefetch]);
  // The others a few at a time: all at once would be a stall as well.
  simulation.loop.turn();
  expect(answered()).toBeLessThan(200);
  simulation.flow(...peers);
  for (const peer of peers) expect(verify(bodies(peer.bytes)[0] ?? peer.bytes, 1, 0)).toBeNull();
  // The root's, and the file's: the cache keeps one.
  expect(openIn(simulation.tree.root)).toBe(2);
});

test("a disk that fails is EIO, is not asked again, and the connection goes on", () => {
  using simulation = simulationOf(1);
  using _disk = nothingInMemory();
  let again = 0;
  using _pread = replaceCall("pread", (real) => (...args) => {
    again += 1;
    return real(...args);
  });
  const peer = ask(simulation, "READ /f0\nPING\n");
  simulation.loop.read(undefined, "EIO");
  simulation.flow(peer);
  expect(peer.text).toMatch(/^ERR EIO [^\n]*\nOK 0 server=/);
  expect(again).toBe(0);
  expect(openIn(simulation.tree.root)).toBe(1);
});

test.each([
  ["cut short", (file: string) => fs.truncateSync(file, 100), content(1, 0, 100)],
  ["emptied", (file: string) => fs.truncateSync(file, 0), Buffer.alloc(0)],
  [
    "replaced by another",
    (file: string) => {
      fs.writeFileSync(`${file}.new`, "another");
      fs.renameSync(`${file}.new`, file);
    },
    content(1, 0, LENGTH),
  ],
  [
    "grown past what is held",
    (file: string) => fs.appendFileSync(file, content(1, 0, 100_000).subarray(LENGTH)),
    content(1, 0, 100_000),
  ],
])("a file that is %s while it is read is one version, whole", (_, change, expected) => {
  using simulation = simulationOf(1);
  using _disk = nothingInMemory();
  const peer = ask(simulation, "READ /f0\n");
  change(simulation.tree.path("f0"));
  simulation.flow(peer);
  expect(bodies(peer.bytes).map((body) => body.equals(expected))).toEqual([true]);
});

test("who was told of the newer version is not told of the older one after it", () => {
  using simulation = simulationOf(1);
  const file = simulation.tree.path("f0");
  const first = (() => {
    using _disk = nothingInMemory();
    return ask(simulation, "READ /f0\n");
  })();
  fs.writeFileSync(`${file}.new`, "newer");
  fs.renameSync(`${file}.new`, file);
  simulation.loop.pass(5);
  const second = ask(simulation, "READ /f0\n");
  simulation.flow(first, second);
  const third = ask(simulation, "READ /f0\n");
  for (const { bytes } of [second, third]) expect(String(bodies(bytes)[0])).toBe("newer");
});

test("who leaves meanwhile costs no read, and leaves no descriptor behind", () => {
  using simulation = simulationOf(2);
  using _disk = nothingInMemory();
  for (let nth = 0; nth < READS_MAX.prefetch; nth++) ask(simulation, "READ /f0\n").socket.close();
  // The disk hangs, and they come and go.
  for (let nth = 0; nth < 1000; nth++) ask(simulation, "READ /f1\n").socket.close();
  expect([simulation.loop.reads, openIn(simulation.tree.root)]).toEqual([
    READS_MAX.prefetch,
    READS_MAX.prefetch + 1,
  ]);
  for (let nth = 0; nth < READS_MAX.prefetch; nth++) simulation.loop.read();
  while (simulation.loop.immediates > 0) simulation.loop.turn();
  const { crashes } = simulation.running.server.counters;
  // The root's, and of the file that was read the one that the cache keeps.
  expect([simulation.loop.reads, openIn(simulation.tree.root), crashes]).toEqual([0, 2, 0]);
});

test("a disk that hangs gathers nobody who came and went; after the end nobody is told anything", () => {
  using simulation = simulationOf(1);
  const prefetcher = new Prefetcher();
  const file = simulation.tree.path("f0");
  let heard = 0;
  const add = (gone: boolean): void => {
    const told = (): void => void (heard += 1);
    const waiter = waiterOf(told, told, gone);
    const fd = fs.openSync(file, "r");
    const finish = (): never => {
      throw new Error("nobody");
    };
    prefetcher.add({ path: "/f0", waiter, open: () => -2 }, new ColdFile(fd, LENGTH, finish));
  };
  for (let nth = 0; nth < READS_MAX.prefetch + 10; nth++) add(false);
  for (let nth = 0; nth < 10_000; nth++) add(true);
  expect(prefetcher.waiting).toBeLessThan(600);
  expect(openIn(simulation.tree.root)).toBe(READS_MAX.prefetch + 1);
  prefetcher.close();
  simulation.loop.settle();
  expect([prefetcher.waiting, openIn(simulation.tree.root), heard]).toEqual([0, 1, 0]);
});

test("a mistake of ours costs its asker; those who wait get their answers", () => {
  using simulation = simulationOf(1);
  const prefetcher = new Prefetcher();
  const heard: string[] = [];
  for (let nth = 0; nth < READS_MAX.prefetch + 2; nth++) {
    const waiter = waiterOf(
      (answer) => void heard.push(answer instanceof Refusal ? answer.code : "file"),
      () => void heard.push("crash"),
    );
    const fd = fs.openSync(simulation.tree.path("f0"), "r");
    const finish = (): never => {
      fs.closeSync(fd);
      throw new Error("a mistake");
    };
    prefetcher.add({ path: "/f0", waiter, open: () => -2 }, new ColdFile(fd, LENGTH, finish));
  }
  simulation.loop.settle();
  expect(heard.toSorted()).toEqual(["ENOENT", "ENOENT", "crash", "crash", "crash", "crash"]);
});

test("over real sockets: hundreds of cold files come right, and stopping in the middle leaks nothing", async () => {
  using tree = new Tree();
  for (let nth = 0; nth < 300; nth++) tree.write(`f${nth}`, content(1, nth, 3000));
  using _disk = nothingInMemory();
  await using running = new Running(tree.root);
  const names = Array.from({ length: 300 }, (_, nth) => `READ /f${nth}\n`);
  const { bytes, ending } = await running.ask(names.join(""));
  expect(ending).toBe("fin");
  for (const [nth, body] of bodies(bytes).entries()) expect(verify(body, 1, nth)).toBeNull();
  running.store.cache.clear();
  using peer = await running.dial();
  peer.send(names.join(""));
  await peer.until(() => peer.length > 0);
  await running.server.stop(0);
  const { ending: how } = await peer.all();
  expect(how).toBe("reset");
  while (openIn(tree.root) > 0) await new Promise((resolve) => setTimeout(resolve, 1));
});
