/** How a connection's bytes are let in: by events, by the pump, or not for a while. */
import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { SocketReader, PUMP_BYTES_MIN } from "../../src/client/reader.ts";
import { connect } from "../../src/client/connect.ts";
import { ClientError } from "../../src/client/error.ts";
import { Throttle } from "../../src/client/throttle.ts";
import { pump } from "../../src/receive/pump.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { SOCKET } from "../../src/sys/types.ts";
import { pair } from "../receive/pair.ts";
import { eventually, replaceCall } from "../rig/faults.ts";
import { StillSocket } from "./fake.ts";

/** A socket that notes when it is paused. */
class Paused extends StillSocket {
  readonly log: string[] = [];
  override pause(): void {
    this.log.push("pause");
  }
  override resume(): void {
    this.log.push("resume");
  }
}

const NOBODY = { pumped() {} };

function lowWater(socket: { readonly fd: number }): number {
  return kernel.getsockopt(socket.fd, SOCKET.level, SOCKET.receiveLowWater);
}

test("the low-water mark is set for the pump, follows what is left, and is put back", async () => {
  using both = await pair();
  const { socket } = both;
  const reader = new SocketReader(socket, NOBODY, null);
  expect(lowWater(socket)).toBe(1);
  reader.usePump(10_000_000);
  const marks = [lowWater(socket)];
  for (const left of [5_000_000, 256 * 1024, 1000, 900, 2000, 0]) {
    reader.expect(left);
    marks.push(lowWater(socket));
  }
  // It only falls: a byte less than the mark would wait for ever.
  expect(marks).toEqual([262_144, 262_144, 262_144, 1000, 900, 900, 1]);
  reader.useEvents();
  reader.expect(1_000_000);
  expect(lowWater(socket)).toBe(1);
  reader.usePump(10_000_000);
  expect(lowWater(socket)).toBe(262_144);
  reader.useEvents();
  expect(lowWater(socket)).toBe(1);
});

test("the pump brings what events do not, and a quiet socket's rest comes by events", async () => {
  let events = "";
  let pulled = "";
  using both = await pair({ data: (_socket, chunk) => (events += chunk.toString("latin1")) });
  const buffer = new Uint8Array(1 << 20);
  const owner = {
    pumped() {
      const count = kernel.recv(both.socket.fd, buffer, buffer.length);
      if (count > 0) pulled += Buffer.from(buffer.subarray(0, count)).toString("latin1");
    },
  };
  const reader = new SocketReader(both.socket, owner, null);
  const sent = "p".repeat(600_000);
  both.peer.send(sent);
  await eventually("the bytes are acknowledged", () => both.peer.socket.writableLength === 0);
  reader.usePump(sent.length + 1);
  await eventually("bytes by the pump", () => pulled.length >= 262_144);
  // Below the mark nothing wakes the pump: it goes quiet, and the events bring the rest.
  await eventually("the rest", () => pulled.length + events.length === sent.length);
  await eventually("quiet", () => lowWater(both.socket) === 1);
  both.peer.send("e");
  await eventually("the event", () => events.endsWith("e"));
  expect(pulled).not.toContain("e");
});

test("the pump is for much, at full rate, and while it has room", () => {
  const socket = new Paused();
  const reader = new SocketReader(socket, NOBODY, null);
  reader.usePump(PUMP_BYTES_MIN - 1);
  new SocketReader(socket, NOBODY, new Throttle(1e9)).usePump(1e9);
  {
    const add = pump.add;
    pump.add = () => false;
    try {
      reader.usePump(1e9);
    } finally {
      pump.add = add;
    }
  }
  expect(socket.log).toEqual([]);
  using _ = replaceCall("setsockopt", () => () => 0);
  reader.usePump(PUMP_BYTES_MIN);
  reader.usePump(PUMP_BYTES_MIN);
  expect(socket.log).toEqual(["pause"]);
  reader.close();
  reader.useEvents();
  expect(socket.log).toEqual(["pause"]);
});

beforeEach(() => {
  nowMs = 0;
});
afterEach(() => void jest.useRealTimers());
let nowMs = 0;

/** A reader that keeps to 1000 bytes a second, 100 at once, by the test's clock. */
function throttled(): { socket: Paused; reader: SocketReader; pass: (ms: number) => void } {
  jest.useFakeTimers();
  const socket = new Paused();
  const throttle = new Throttle(1000, () => nowMs);
  return {
    socket,
    reader: new SocketReader(socket, NOBODY, throttle),
    pass(ms) {
      nowMs += ms;
      jest.advanceTimersByTime(ms);
    },
  };
}

test("over the rate it rests, for as long as that takes, and goes on by itself", () => {
  const { socket, reader, pass } = throttled();
  reader.spent(100);
  expect([socket.log, reader.paused]).toEqual([[], false]);
  reader.spent(50);
  expect([socket.log, reader.paused]).toEqual([["pause"], true]);
  // What was under way already counts and starts no second rest.
  reader.spent(10);
  expect(socket.log).toEqual(["pause"]);
  pass(49);
  expect(reader.paused).toBe(true);
  pass(1);
  expect([socket.log, reader.paused]).toEqual([["pause", "resume"], false]);
  // What came during the rest is owed still: one byte more, and it rests 11 ms.
  reader.spent(1);
  expect(reader.paused).toBe(true);
  pass(10);
  expect(reader.paused).toBe(true);
  pass(1);
  expect(socket.log).toEqual(["pause", "resume", "pause", "resume"]);
});

test("a connection that ends while it rests is not resumed", () => {
  const { socket, reader, pass } = throttled();
  reader.spent(1000);
  expect(reader.paused).toBe(true);
  reader.close();
  expect(jest.getTimerCount()).toBe(0);
  pass(5000);
  expect([socket.log, reader.paused]).toEqual([["pause"], false]);
});

test("a low rate is kept on a fast network, from the first bytes on", async () => {
  const body = Buffer.alloc(4_000_000);
  using server = Bun.listen({
    ...{ hostname: "127.0.0.1", port: 0 },
    socket: {
      data(socket) {
        socket.write(`OK ${body.length} size=${body.length} offset=0 etag=a mtime=1\n`);
        socket.write(body);
      },
      drain(socket) {
        socket.write(body);
      },
    },
  });
  const rate = 100_000;
  using client = await connect({ port: server.port, throttle: new Throttle(rate) });
  const began = performance.now();
  const lumps: number[] = [];
  const early: number[] = [];
  const sink = {
    written: 0,
    begin() {},
    end() {},
    write(chunk: Uint8Array) {
      // What came before was waited for, less the tenth of a second's that comes at once.
      const paid = ((performance.now() - began) * rate) / 1000 + rate / 10;
      if (this.written > paid + 2000) early.push(this.written);
      this.written += chunk.length;
      lumps.push(chunk.length);
    },
  };
  const ended = client.read("/f", { sink }).catch((error: unknown) => error);
  await eventually("some lumps", () => lumps.length >= 5);
  client.close();
  expect(await ended).toBeInstanceOf(ClientError);
  expect(early).toEqual([]);
  // The first one had left before the socket was made small.
  expect(Math.max(...lumps.slice(1))).toBeLessThan(rate);
});

test("a rest is no silence of the server's", async () => {
  const body = Buffer.alloc(20_000);
  using server = Bun.listen({
    ...{ hostname: "127.0.0.1", port: 0 },
    socket: {
      data(socket) {
        socket.write(`OK ${body.length} size=${body.length} offset=0 etag=a mtime=1\n`);
        socket.write(body, 0, 10_000);
        // Too late if silence began with the first bytes, in time if it begins after the rest.
        setTimeout(() => socket.write(body, 0, 10_000), 1100);
      },
    },
  });
  // 10,000 bytes, of which 1,400 may come at once: it rests for 600 ms.
  const throttle = new Throttle(14_000);
  using client = await connect({ port: server.port, throttle, stallTimeoutMs: 800 });
  expect((await client.bytes("/f")).bytes.length).toBe(body.length);
});

test("without a rate nothing ever rests", () => {
  const socket = new Paused();
  new SocketReader(socket, NOBODY, null).spent(1e12);
  expect(socket.log).toEqual([]);
});
