/**
 * Two ends of a connection on loopback: a paused socket of ours, and a peer of literal bytes. And a
 * file for what comes.
 */
import fs from "node:fs";
import { Staged } from "../../src/destination/staged.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { PollTable } from "../../src/sys/types.ts";
import { TemporaryDestination } from "../rig/destination.ts";
import { connected, type Connected, type Events } from "../rig/connected.ts";

/** Connects both; the receiving socket is paused, so that bytes wait in the kernel. */
export function pair(events: Pick<Events, "data" | "end" | "close"> = {}): Promise<Connected> {
  return connected({ ...events, open: (socket) => socket.pause() });
}

/** True when there is something to read in `fd`: bytes, an end, an error. */
export function readable(fd: number): boolean {
  const table = new PollTable(1);
  table.set(0, fd);
  return kernel.pollIn(table, 1, 0) > 0;
}

/** A staged file that is open, in a destination of its own (`using` removes it). */
export function landing() {
  const there = new TemporaryDestination();
  const file = Staged.open(there.staging, "x");
  return {
    file,
    content: (): Buffer => fs.readFileSync(there.tree.path(`${there.stagingName}/x`)),
    [Symbol.dispose]() {
      file.close();
      there[Symbol.dispose]();
    },
  };
}
