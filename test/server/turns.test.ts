/**
 * Who goes when: nobody's pipeline or large file keeps another client waiting for more than a few
 * turns, and what a turn may do is bounded (fault 35, 36 and the limits by name).
 */
import { expect, test } from "bun:test";
import { COST_LATE_MAX, LIMITS_DEFAULT } from "../../src/guard/limits.ts";
import { STEP_BYTES } from "../../src/send/transfer.ts";
import { ROUND_MS } from "../../src/send/turns.ts";
import { content, verify } from "../rig/oracle.ts";
import { BRANCHES } from "../rig/running.ts";
import { Simulation, type SimulatedPeer } from "../rig/simulation.ts";

const { pipeline } = LIMITS_DEFAULT;
const REQUESTS = 10_000;

const LARGE = 9_000_000;
const large = content(1, 0, LARGE);

function pongs(peer: SimulatedPeer): number {
  return peer.text.match(/OK 0 server=/g)?.length ?? 0;
}

/** Rounds of the loop until `met` holds. */
function rounds(simulation: Simulation, met: () => boolean): number {
  for (let count = 0; count < 100_000; count++) {
    if (met()) return count;
    simulation.loop.turn();
    if (simulation.loop.reads > 0) simulation.loop.read();
  }
  return Infinity;
}

test("35: 10,000 requests at once are answered a bounded number a turn", () => {
  using simulation = new Simulation({ f: "x" });
  const peer = simulation.connect();
  let before = 0;
  const most = (): boolean => {
    const now = pongs(peer);
    expect(now - before).toBeLessThanOrEqual(pipeline);
    before = now;
    return now === REQUESTS;
  };
  peer.send("PING\n".repeat(REQUESTS));
  const turns = rounds(simulation, most);
  expect(turns).toBeLessThanOrEqual(Math.ceil(REQUESTS / pipeline));
  expect(peer.connection.state.awaits).toBe("request");
});

test("35: overlapping ranges of one byte are charged to who asks for them", () => {
  using simulation = new Simulation({ large });
  const greedy = simulation.connect();
  greedy.send("READ offset=5 length=1 /large\n".repeat(REQUESTS));
  const honest = simulation.connect();
  honest.send("PING\n");
  // Not even one turn: who has nothing waiting is answered in the event of its request.
  expect(pongs(honest)).toBe(1);
  expect(greedy.text.match(/OK 1 size/g)?.length).toBeLessThanOrEqual(pipeline);
  simulation.flow(greedy);
  expect(greedy.text.match(/OK 1 size/g)?.length).toBe(REQUESTS);
});

test("a client of few requests waits no longer for fifty clients of many", () => {
  using simulation = new Simulation({ f: "x" });
  const greedy = Array.from({ length: 50 }, () => simulation.connect());
  for (const peer of greedy) peer.send("PING\n".repeat(REQUESTS));
  const honest = simulation.connect();
  // More than it may have in one turn, so that it stands in the queue as well.
  honest.send("PING\n".repeat(3 * pipeline));
  expect(rounds(simulation, () => pongs(honest) === 3 * pipeline)).toBeLessThanOrEqual(2);
  for (const peer of greedy) expect(pongs(peer)).toBeLessThanOrEqual(4 * pipeline);
  simulation.flow(...greedy);
  for (const peer of greedy) expect(pongs(peer)).toBe(REQUESTS);
});

test.each(BRANCHES)("large files take turns, one step each (%s)", (_, zeroCopy) => {
  using simulation = new Simulation({ large, f: content(2, 0, 100_000) }, { zeroCopy });
  const fast = Array.from({ length: 5 }, () => simulation.connect());
  for (const peer of fast) {
    peer.send("READ /large\n");
    expect(peer.socket.taken).toBeLessThanOrEqual(STEP_BYTES + 200);
  }
  const honest = simulation.connect();
  honest.send("READ /f\n");
  const done = (): boolean => honest.bytes.length > 100_000;
  // On the copy branch each round reads one window, and the others have two under way.
  expect(rounds(simulation, done)).toBeLessThanOrEqual(zeroCopy ? 1 : 12);
  const before = fast.map(({ socket }) => socket.taken);
  simulation.loop.turn();
  for (const [index, { socket }] of fast.entries()) {
    expect(socket.taken - before[index]!).toBeLessThanOrEqual(STEP_BYTES);
  }
  simulation.flow(...fast, honest);
  for (const peer of fast) {
    const head = peer.text.indexOf("\n") + 1;
    expect(peer.bytes.length - head).toBe(LARGE);
    expect(verify(peer.bytes.subarray(head), 1, 0)).toBeNull();
  }
});

test("many held files in one pipeline yield when they have moved a step's bytes", () => {
  using simulation = new Simulation({ f: content(2, 0, 65_536) });
  const peer = simulation.connect();
  peer.send("READ /f\n".repeat(200));
  expect(peer.socket.taken).toBeLessThanOrEqual(STEP_BYTES + 2 * 66_000);
  const honest = simulation.connect();
  honest.send("READ /f\n");
  expect(honest.bytes.length).toBeGreaterThan(65_536);
  simulation.flow(peer);
  expect(peer.text.match(/OK 65536 /g)?.length).toBe(200);
});

test("files that must be opened and digests on the loop count for more in a turn", () => {
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, nth) => [`f${nth}`, "x"]));
  const middle = content(3, 0, 65_536);
  using simulation = new Simulation({ ...files, held: content(2, 0, 8192), middle });
  const inTurns = (line: (nth: number) => string, most: number): void => {
    const peer = simulation.connect();
    const replies = (): number => peer.text.match(/OK \d+ size=/g)?.length ?? 0;
    peer.send(Array.from({ length: 200 }, (_, nth) => `${line(nth)}\n`).join(""));
    for (let before = 0; before < 200; simulation.loop.turn()) {
      const now = replies() - before;
      expect([line(0), now > 0 && now <= most]).toEqual([line(0), true]);
      before += now;
    }
  };
  inTurns((nth) => `READ /f${nth}`, pipeline / 4);
  inTurns(() => "HASH algo=sha256 /middle", Math.ceil(pipeline / 9));
  inTurns(() => "READ /held", pipeline);
});

test("while a round is overdue a short request is answered at once, a long one in its turn", () => {
  using simulation = new Simulation({ large });
  const blocked = simulation.connect({ room: 500_000 });
  blocked.send("READ /large\n");
  simulation.loop.settle();
  expect(blocked.connection.state.awaits).toBe("room");
  const [short, long] = [simulation.connect(), simulation.connect()];
  for (const peer of [short, long]) peer.send("PING\n");
  const greedy = simulation.connect();
  greedy.send("PING\n".repeat(REQUESTS));
  simulation.loop.now += ROUND_MS + 1;
  short.send("PING\n");
  long.send("PING\n".repeat(100));
  expect([pongs(short), pongs(long)]).toEqual([2, 1 + COST_LATE_MAX]);
  const before = blocked.socket.taken;
  blocked.take();
  blocked.drain();
  expect(blocked.socket.taken).toBe(before);
  simulation.loop.turn();
  expect(blocked.socket.taken).toBeGreaterThan(before);
  simulation.flow(greedy, blocked, long);
  expect([pongs(greedy), pongs(long)]).toEqual([REQUESTS, 101]);
  expect(verify(blocked.bytes.subarray(blocked.text.indexOf("\n") + 1), 1, 0)).toBeNull();
});

test("of many who ask for a large file at once, those behind 2 ms of others wait for their turn", () => {
  // It goes in one step: nobody waits for a next turn, which would be due.
  const once = content(1, 0, 1_000_000);
  for (const zeroCopy of [true, false]) {
    using simulation = new Simulation({ once, f: "x" }, { zeroCopy });
    // In the page cache, as the disk is not what is tested.
    const first = simulation.connect();
    first.send("READ /once\n");
    simulation.flow(first);
    const peers = Array.from({ length: 8 }, () => simulation.connect());
    const honest = simulation.connect();
    for (const peer of [...peers, honest]) peer.send("PING\n");
    simulation.loop.settle();
    const got = (): number => peers.filter(({ bytes }) => bytes.length > 1000).length;
    for (const peer of peers) {
      simulation.loop.now += ROUND_MS / 3;
      peer.send("READ /once\n");
    }
    // The watch began with the first: steps are made until more than a round has passed.
    // Without sendfile(2) nobody has anything yet: the disk is read first, which is simulated too.
    expect(got()).toBe(zeroCopy ? 4 : 0);
    honest.send("PING\n");
    expect(pongs(honest)).toBe(2);
    simulation.flow(...peers);
    const body = ({ bytes }: SimulatedPeer): Buffer => bytes.subarray(bytes.length - once.length);
    expect(peers.map((peer) => verify(body(peer), 1, 0))).toEqual(peers.map(() => null));
  }
});

test("of many who come at once, those behind 2 ms of others wait for their turn with what they ask", () => {
  using simulation = new Simulation({ f: "x" });
  const known = simulation.connect();
  known.send("PING\n");
  simulation.loop.settle();
  const peers = Array.from({ length: 9 }, () => simulation.connect());
  for (const peer of peers) {
    peer.send("PING\n");
    simulation.loop.now += ROUND_MS / 3;
  }
  known.send("PING\n");
  expect([peers.map(pongs).filter((count) => count > 0).length, pongs(known)]).toEqual([4, 2]);
  simulation.loop.turn();
  expect(peers.map(pongs)).toEqual(peers.map(() => 1));
});

test("70: stop() answers what has come, tells FIN, and resets only who is late", async () => {
  using simulation = new Simulation({ large, f: "x" });
  const { server } = simulation.running;
  const idle = simulation.connect();
  idle.send("PING\n");
  const half = simulation.connect();
  half.send("PING\nREAD /");
  const reading = simulation.connect({ room: 500_000 });
  const late = simulation.connect({ room: 500_000 });
  for (const peer of [reading, late]) peer.send("READ /large\nPING\n");
  simulation.loop.settle();
  const asking = simulation.connect();
  asking.send("PING\n".repeat(1000));
  let stopped = false;
  void server.stop(20_000).then(() => (stopped = true));
  expect([idle.socket.ending, pongs(asking)]).toEqual(["fin", pipeline]);
  simulation.flow(asking, reading);
  expect(pongs(asking)).toBe(1000);
  expect([asking.socket.ending, reading.socket.ending]).toEqual(["fin", "fin"]);
  expect(verify(reading.bytes.subarray(reading.text.indexOf("\n") + 1, LARGE), 1, 0)).toBeNull();
  expect(pongs(reading)).toBe(1);
  simulation.pass(19_000);
  expect([late.socket.ending, server.counters.connections > 0]).toEqual([null, true]);
  simulation.pass(2000);
  expect([late.socket.ending, server.counters.connections]).toEqual(["reset", 0]);
  expect(half.socket.closed).toBe(true);
  await Promise.resolve();
  await Promise.resolve();
  expect(stopped).toBe(true);
});
