/**
 * Two ends of a connection on loopback: a paused socket of ours, and a peer of literal bytes. And a
 * file for what comes.
 */
import fs from "node:fs";
import { Staged } from "../../src/destination/staged.ts";
import { kernel } from "../../src/sys/kernel.ts";
import { PollTable } from "../../src/sys/types.ts";
import { Stage } from "../destination/stage.ts";
import { Peer } from "../rig/peer.ts";

/** What the receiving end's events tell. */
export interface Events {
  data?(socket: Bun.Socket, chunk: Buffer): void;
  end?(socket: Bun.Socket): void;
  close?(socket: Bun.Socket): void;
}

/** A connection: `socket` receives, `peer` sends (`using` ends both). */
export interface Pair extends Disposable {
  readonly socket: Bun.Socket;
  readonly peer: Peer;
}

/** Connects both; the receiving socket is paused, so that bytes wait in the kernel. */
export async function pair(events: Events = {}): Promise<Pair> {
  const accepted = Promise.withResolvers<Bun.Socket>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      open(socket) {
        socket.pause();
        accepted.resolve(socket);
      },
      data: (socket, chunk) => events.data?.(socket, chunk),
      end: (socket) => events.end?.(socket),
      close: (socket) => events.close?.(socket),
    },
  });
  const peer = await Peer.dial(listener.port);
  return {
    peer,
    socket: await accepted.promise,
    [Symbol.dispose]() {
      peer[Symbol.dispose]();
      listener.stop(true);
    },
  };
}

/** True when there is something to read in `fd`: bytes, an end, an error. */
export function readable(fd: number): boolean {
  const table = new PollTable(1);
  table.set(0, fd);
  return kernel.pollIn(table, 1, 0) > 0;
}

/** A staged file that is open, in a destination of its own (`using` removes it). */
export function landing() {
  const there = new Stage();
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
