/**
 * `bun bench/stall.ts`: what a download costs whose client stopped reading, and what it costs the
 * others. 1,000 connections ask for 100 MiB and never read; SO_RCVBUF is left alone. Memory is
 * reported per connection ("first" and "again" as in idle.ts), the kernel's for both ends together.
 * Meanwhile one more connection pings every few ms; pings that a slow one held up count from when
 * they were due.
 *
 * Owns the order of things. Invariant: the downloads are real: at the end one reply's head is read.
 */
import { FILES } from "./files.ts";
import { growthLine, hold, main, release, settledMemory } from "./held.ts";
import { type Door, DOORS } from "./load/door.ts";
import { ping } from "./load/fetch.ts";
import { Histogram } from "./load/histogram.ts";
import { Expected, ReplyReader } from "./load/reply.ts";
import * as sys from "./load/sys.ts";
import type { Rival } from "./rivals/rival.ts";
import type { RunningServer } from "./spawn.ts";

const CONNECTIONS = 1_000;
const PING_MS = 4;
const PINGS = 1_250;
const WARMUP_PINGS = 250;

async function measure(rival: Rival, server: RunningServer, connections: number): Promise<void> {
  const door = DOORS[rival.door];
  // The C loop knows no ping; there is nothing to hold up in it either.
  const pinger = rival.family === "c" ? [] : hold(server.port, 1, (fd) => ping(door, fd));
  for (const fd of pinger) pings(door, fd, WARMUP_PINGS);
  const before = await settledMemory(server);
  const alone = pinger.map((fd) => pings(door, fd, PINGS));
  const stalled = stall(door, server, connections);
  const during = await settledMemory(server);
  const held = pinger.map((fd) => pings(door, fd, PINGS));
  assertDownloading(door, stalled);
  release(stalled);
  const after = await settledMemory(server);
  const once = stall(door, server, connections);
  const again = await settledMemory(server);
  release([...once, ...pinger]);
  console.log(
    [
      `  ${connections} stalled downloads of 100 MiB`,
      growthLine("first: never had so many", before, during, connections),
      growthLine("kept: all closed again", before, after, connections),
      growthLine("again: after all had closed", after, again, connections),
      ...alone.map((histogram) => pingLine("ping before them", histogram)),
      ...held.map((histogram) => pingLine("ping beside them", histogram)),
    ].join("\n"),
  );
}

/** Connections that have asked for the largest file and will not read it. */
function stall(door: Door, server: RunningServer, connections: number): number[] {
  const request = door.request("/100m");
  return hold(server.port, connections, (fd) => {
    if (sys.transmit(fd, request, request.length) < request.length) throw new Error("send: short");
  });
}

/** Pings one after another, each when it is due; returns nanoseconds until the answer. */
function pings(door: Door, fd: number, count: number): Histogram {
  const histogram = new Histogram();
  let due = Bun.nanoseconds();
  for (let i = 0; i < count; i++) {
    const waitNs = due - Bun.nanoseconds();
    if (waitNs > 0) Bun.sleepSync(waitNs / 1e6);
    const from = waitNs > 0 ? Bun.nanoseconds() : due;
    ping(door, fd);
    histogram.record(Bun.nanoseconds() - from);
    due += PING_MS * 1e6;
  }
  return histogram;
}

function assertDownloading(door: Door, fds: readonly number[]): void {
  const reader = new ReplyReader(new Expected(door, FILES["100m"]));
  const bytes = new Uint8Array(4096);
  reader.feed(bytes, sys.receiveWaiting(fds[0]!, bytes));
  if (reader.bodyTaken === 0) throw new Error("no body came on a stalled download");
}

function pingLine(what: string, histogram: Histogram): string {
  const us = (fraction: number): string =>
    Math.round(histogram.quantile(fraction) / 1000).toLocaleString("en-US");
  const line = `p50 ${us(0.5)}  p99 ${us(0.99)}  p99.9 ${us(0.999)}  max ${us(1)} us`;
  return `  ${what.padEnd(34)} ${line}`;
}

await main("bench/stall.ts", CONNECTIONS, ["empty", "100m"], measure);
