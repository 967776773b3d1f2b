/** Clients that ask and never read: fault 36. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import { BACKLOG_BYTES_MAX } from "../../src/guard/limits.ts";
import type { StreamSocket } from "../../src/sys/socket.ts";
import { Apart } from "../rig/apart.ts";
import { eventually } from "../rig/faults.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";

const PING = "PING\n";
const MILLION = 1_000_000;

/** One chunk of what Bun hands to a connection may have so many bytes. */
const CHUNK_BYTES = 65_536;

/** A socket that takes `room` bytes and then nothing: no network between it and the connection. */
class Stuck implements StreamSocket {
  fd = -1;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  room: number;
  taken = 0;
  paused = false;
  ended = false;

  constructor(room: number) {
    this.room = room;
  }

  write(_bytes: Uint8Array, _offset: number, length: number): number {
    const taken = Math.min(length, this.room - this.taken);
    this.taken += taken;
    return taken;
  }

  shutdown(): void {
    this.ended = true;
  }

  end(): void {
    this.ended = true;
  }

  terminate(): void {
    this.ended = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

test("36: a connection whose replies are not taken stops reading, and goes on where it stopped", async () => {
  using tree = new Tree({ f: content(1, 0, 8000) });
  await using running = new Running(tree.root);
  const pong = (await running.ask(PING)).bytes.length;
  for (const request of [PING, "READ /f\n", "STAT /no\n", "PING /\n"]) {
    const socket = new Stuck(100_000);
    const connection = running.server.accept(socket)!;
    const chunk = Buffer.from(request.repeat(Math.ceil(CHUNK_BYTES / request.length)));
    let given = 0;
    while (!(socket.paused && connection.state.awaits === "room") && given < 10_000) {
      if (!socket.paused) {
        connection.data(Buffer.from(chunk));
        given += 1;
      }
      await new Promise(setImmediate);
    }
    expect([request, socket.paused, socket.taken]).toEqual([request, true, 100_000]);
    // What came with the chunk that went over the limit, and not one more.
    expect(connection.receiver.backlog).toBeLessThanOrEqual(BACKLOG_BYTES_MAX + chunk.length);
    if (request === PING) {
      socket.room = Infinity;
      connection.drain();
      await eventually("the replies", () => socket.taken === (pong * given * chunk.length) / 5);
      expect([socket.paused, connection.receiver.backlog]).toEqual([false, 0]);
    }
    connection.terminate();
  }
});

/** Bytes of memory that a process has to itself. */
function privateBytesOf(pid: number): number {
  const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const kib = [...text.matchAll(/^Private_\w+: +([0-9]+) kB$/gm)].map((match) => Number(match[1]));
  return kib.reduce((sum, it) => sum + it, 0) * 1024;
}

test("36: a million pings of a client that never reads cost no memory and no other client", async () => {
  using tree = new Tree({ f: "content" });
  await using apart = await Apart.start(tree.root);
  using other = await apart.dial();
  const ping = async (): Promise<void> => {
    other.send(PING);
    expect(await other.line()).toStartWith("OK 0 server=");
  };
  // Warm: what the engine takes for itself is no cost of the client.
  using warm = await apart.dial();
  warm.send(PING.repeat(50_000));
  for (let i = 0; i < 50_000; i++) await warm.line();
  const before = privateBytesOf(apart.process.pid);
  using peer = await apart.dial();
  peer.socket.pause();
  const chunk = Buffer.from(PING.repeat(10_000));
  let sent = 0;
  const stuck = (): boolean => peer.socket.writableLength > 0;
  while (!stuck() && sent < MILLION) {
    peer.send(chunk);
    sent += 10_000;
    await ping();
  }
  // The rest is asked for as well: it waits in the client, which is not read from either.
  for (; sent < MILLION; sent += 10_000) peer.send(chunk);
  for (let i = 0; i < 200; i++) await ping();
  expect(peer.ending).toBeNull();
  expect(privateBytesOf(apart.process.pid) - before).toBeLessThan(4 * 1024 * 1024);
  // Nothing was lost: a client that reads after all gets every reply.
  const pong = 1 + (await (other.send(PING), other.line())).length;
  peer.socket.resume();
  await peer.until(() => peer.length === MILLION * pong);
  expect([peer.length, peer.ending]).toEqual([MILLION * pong, null]);
});
