/**
 * What a server's connections have received and hold: seen from inside, so that a test can wait for
 * it.
 */
import type { Connection } from "../../src/server/connection.ts";
import type { Peer } from "../rig/peer.ts";
import { eventually } from "../rig/faults.ts";
import type { Running } from "../rig/running.ts";

/** One connection, from accept on. */
export class Watched {
  readonly connection: Connection;
  /** Bytes that it was given, and in how many events. */
  received = 0;
  events = 0;
  /** Most bytes of unanswered requests that it held after an event. */
  backlogMax = 0;

  constructor(connection: Connection) {
    this.connection = connection;
    const data = connection.data.bind(connection);
    connection.data = (chunk) => {
      this.received += chunk.length;
      this.events += 1;
      data(chunk);
      this.backlogMax = Math.max(this.backlogMax, connection.receiver.backlog);
    };
  }
}

/** The connections that `running` accepts from now on, as they come. */
export function watch(running: Running): Watched[] {
  const { server } = running;
  const accept = server.accept.bind(server);
  const seen: Watched[] = [];
  server.accept = (socket) => {
    const connection = accept(socket);
    if (connection !== null) seen.push(new Watched(connection));
    return connection;
  };
  return seen;
}

/** Sends `pieces` so that the server gets each in an event of its own. */
export async function sendApart(
  peer: Peer,
  seen: readonly Watched[],
  pieces: readonly (string | Uint8Array)[],
): Promise<void> {
  await eventually("the connection", () => seen.length > 0);
  const watched = seen[seen.length - 1]!;
  let sent = watched.received;
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    peer.send(piece);
    sent += piece.length;
    await eventually("the bytes", () => watched.received === sent || peer.ending !== null);
  }
}
