/** The loop that empties sockets: real ones, beside timers and each other. */
import { expect, test } from "bun:test";
import { type PumpedSocket, Pump } from "../../src/receive/pump.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { pair, readable } from "./pair.ts";

const buffer = new Uint8Array(65_536);

/** Takes what is in `socket` and notes it. */
class Taker implements PumpedSocket {
  readonly socket: { readonly fd: number };
  readonly pump: Pump;
  got = "";
  steps = 0;
  idles = 0;

  constructor(pump: Pump, socket: { readonly fd: number }) {
    this.pump = pump;
    this.socket = socket;
  }

  get fd(): number {
    return this.socket.fd;
  }

  readable(): void {
    this.steps += 1;
    const count = kernel.recv(this.fd, buffer, buffer.length);
    if (count > 0) this.got += Buffer.from(buffer.subarray(0, count)).toString("latin1");
    else this.pump.remove(this);
  }

  idle(): void {
    this.idles += 1;
  }
}

/** Lets the loop turn so often: a pump that runs has a round in each. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Counts the rounds of pumps. */
function rounds(): Disposable & { count: number } {
  const replaced = replaceCall("pollIn", (real) => (table, count, timeoutMs) => {
    counted.count += 1;
    expect(timeoutMs).toBeLessThanOrEqual(4);
    return real(table, count, timeoutMs);
  });
  const counted = { count: 0, [Symbol.dispose]: () => replaced[Symbol.dispose]() };
  return counted;
}

test("a socket in the pump gets its bytes; when nothing comes it returns to events", async () => {
  using both = await pair();
  const pump = new Pump();
  const taker = new Taker(pump, both.socket);
  both.peer.send("first");
  expect(pump.add(taker)).toBe(true);
  await eventually("the bytes", () => taker.got === "first");
  await eventually("idle", () => taker.idles > 0);
  both.peer.send("second");
  using counted = rounds();
  await new Promise((resolve) => setImmediate(resolve));
  expect([taker.got, taker.idles, counted.count]).toEqual(["first", 1, 0]);
  pump.add(taker);
  await eventually("the rest", () => taker.got === "firstsecond");
  pump.remove(taker);
});

test("an empty pump does not run, and a round leaves timers their turn", async () => {
  using both = await pair();
  using counted = rounds();
  const pump = new Pump();
  const taker = new Taker(pump, both.socket);
  pump.add(taker);
  pump.remove(taker);
  pump.remove(taker);
  await turns(10);
  // The round that was on its way finds nobody, and none follows.
  expect([counted.count <= 1, taker.steps, taker.idles]).toEqual([true, 0, 0]);
  // Always something to read: nobody takes it.
  let timers = 0;
  const full: PumpedSocket = { fd: both.socket.fd, readable() {}, idle() {} };
  both.peer.send("x");
  pump.add(full);
  const timer = setInterval(() => timers++, 1);
  await eventually("timers beside the pump", () => timers >= 5);
  clearInterval(timer);
  expect(counted.count).toBeGreaterThan(1);
  pump.remove(full);
});

test("a quiet socket beside a busy one returns to events alone", async () => {
  using busy = await pair();
  using still = await pair();
  using counted = rounds();
  const pump = new Pump();
  const quiet = new Taker(pump, still.socket);
  const full: PumpedSocket = {
    fd: busy.socket.fd,
    readable() {},
    idle: () => expect.unreachable(),
  };
  busy.peer.send("x");
  await eventually("the byte", () => readable(busy.socket.fd));
  pump.add(full);
  pump.add(quiet);
  await eventually("idle", () => quiet.idles > 0);
  expect(counted.count).toBeGreaterThanOrEqual(64);
  expect(quiet.steps).toBe(0);
  pump.remove(full);
});

test("FIN and RST are something: whoever is in the pump hears of them", async () => {
  for (const ending of ["finish", "reset"] as const) {
    using both = await pair();
    const pump = new Pump();
    const taker = new Taker(pump, both.socket);
    both.peer[ending]();
    await eventually("the end", () => {
      pump.add(taker);
      return taker.steps > 0;
    });
    pump.remove(taker);
    expect(taker.got).toBe("");
  }
});

test("a socket that is closed in the pump is forgotten; the others go on", async () => {
  using one = await pair();
  using two = await pair();
  const pump = new Pump();
  const gone = new Taker(pump, one.socket);
  const stays = new Taker(pump, two.socket);
  const unknown = { fd: undefined as unknown as number, readable: expect.unreachable, idle() {} };
  for (const each of [gone, stays, unknown]) pump.add(each);
  one.socket.terminate();
  expect(gone.fd).toBe(-1);
  two.peer.send("x");
  await eventually("the byte", () => {
    pump.add(stays);
    return stays.got === "x";
  });
  expect([gone.steps, gone.idles]).toEqual([0, 0]);
  pump.remove(stays);
});

test("one that removes another in a round keeps it from its turn, and may come in anew", async () => {
  using one = await pair();
  using two = await pair();
  const pump = new Pump();
  const second = new Taker(pump, two.socket);
  let turns = 0;
  const first: PumpedSocket = {
    fd: one.socket.fd,
    readable() {
      turns += 1;
      pump.remove(second);
      pump.remove(first);
    },
    idle() {},
  };
  one.peer.send("x");
  two.peer.send("y");
  await eventually("both", () => [one, two].every(({ socket }) => readable(socket.fd)));
  pump.add(first);
  pump.add(second);
  await eventually("the first's turn", () => turns > 0);
  expect([turns, second.steps]).toEqual([1, 0]);
  pump.add(second);
  await eventually("the second's", () => second.got === "y");
  pump.remove(second);
});

test("when waiting fails all return to events, and nothing spins", async () => {
  using both = await pair();
  const pump = new Pump();
  const taker = new Taker(pump, both.socket);
  let polls = 0;
  using _ = replaceCall("pollIn", () => () => {
    polls += 1;
    return -ERRNO.ENOMEM;
  });
  pump.add(taker);
  await eventually("idle", () => taker.idles > 0);
  await turns(10);
  expect([polls, taker.steps, taker.idles]).toEqual([1, 0, 1]);
});

test("there is room for 1024, and again when one has left", () => {
  const pump = new Pump();
  const all = Array.from({ length: 1025 }, () => new Taker(pump, { fd: -1 }));
  const taken = all.filter((taker) => pump.add(taker));
  expect(taken.length).toBe(1024);
  pump.remove(all[7]!);
  expect([pump.add(all[1024]!), pump.add(all[7]!)]).toEqual([true, false]);
});
