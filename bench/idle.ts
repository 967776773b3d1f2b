/**
 * `bun bench/idle.ts`: what a connection costs that does nothing. 10,000 connections each make one
 * ping and stay; memory of the server and of the kernel is read before and after, per connection.
 *
 * Two numbers, because they answer two questions. "first" is the growth of a server that never had
 * so many: what has to be there. "again" is the growth after they all closed and came back: what is
 * given back and reused. "kept" stays after the close. Before anything is read, one connection has
 * pinged a few hundred times, so that the server's code is loaded and compiled.
 * The kernel's column is memory of queues; socket structures, some KiB each, are not in it.
 *
 * Owns the order of things. Never measures speed.
 */
import { growthLine, hold, main, type Memory, release, settledMemory } from "./held.ts";
import { DOORS } from "./load/door.ts";
import { ping } from "./load/fetch.ts";
import type { Rival } from "./rivals/rival.ts";
import type { RunningServer } from "./spawn.ts";

const CONNECTIONS = 10_000;
const WARMUP_PINGS = 500;
const MIB = 1024 * 1024;

async function measure(rival: Rival, server: RunningServer, connections: number): Promise<void> {
  const door = DOORS[rival.door];
  const once = (fd: number): void => ping(door, fd);
  release(
    hold(server.port, 1, (fd) => {
      for (let i = 0; i < WARMUP_PINGS; i++) ping(door, fd);
    }),
  );
  const before = await settledMemory(server);
  const cycle = async (): Promise<{ open: Memory; closed: Memory }> => {
    const fds = hold(server.port, connections, once);
    const open = await settledMemory(server);
    for (const fd of fds) ping(door, fd);
    release(fds);
    return { open, closed: await settledMemory(server) };
  };
  const first = await cycle();
  const again = await cycle();
  console.log(
    [
      `  ${connections} idle connections, server before: ${(before.rssBytes / MIB).toFixed(1)} MiB`,
      growthLine("first: never had so many", before, first.open, connections),
      growthLine("kept: all closed again", before, first.closed, connections),
      growthLine("again: after all had closed", first.closed, again.open, connections),
      growthLine("kept after the second time", before, again.closed, connections),
    ].join("\n"),
  );
}

await main("bench/idle.ts", CONNECTIONS, ["empty"], measure);
