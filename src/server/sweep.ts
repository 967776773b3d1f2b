/**
 * Deadlines. One pass a second over all connections instead of a timer each: 0.2-0.6 ms for
 * 10,000. A deadline is met at most a second late.
 */
import type { Limits } from "../guard/limits.ts";
import { kernel } from "../sys/kernel.ts";
import { Refusal } from "../wire/errors.ts";
import type { Connection } from "./connection.ts";

/** Milliseconds between two passes. */
export const SWEEP_MS = 1000;

/** What the peer has of what was written, in bytes; all of it where the kernel does not tell. */
function acknowledgedBy(connection: Connection): number {
  const unacked = kernel.unacked(connection.socket.fd);
  return unacked < 0 ? connection.written : connection.written - unacked;
}

/**
 * Ends `connection` if it has waited too long at `now`; true when it was cut. `lingerMs`: how long
 * a peer that has everything may take to close.
 */
export function sweep(
  connection: Connection,
  now: number,
  limits: Limits,
  lingerMs: number,
): boolean {
  const { state } = connection;
  switch (state.awaits) {
    case "request":
    case "silence":
      return sweepRequest(connection, now, limits);
    case "room":
      return sweepProgress(connection, now, limits);
    case "linger":
      return sweepLinger(connection, now, limits, lingerMs);
    case "store":
      return sweepStore(connection, state.since, now, limits);
    case "window":
      return sweepWindow(connection, now, limits);
    default:
      // Its turn: ours to do, and it comes.
      return false;
  }
}

// --- internal ---

function sweepRequest(connection: Connection, now: number, limits: Limits): boolean {
  const waited = now - connection.since;
  const between = connection.asked > 0 && connection.receiver.backlog === 0;
  if (waited <= (between ? limits.idleMs : limits.requestMs)) return false;
  if (between) connection.stop();
  else {
    const seconds = limits.requestMs / 1000;
    connection.refuseAndClose(new Refusal("ETIMEDOUT", `no complete request within ${seconds} s`));
  }
  return true;
}

/**
 * A request may keep the store busy for storeMs. Meanwhile the peer must take what was sent before.
 */
function sweepStore(connection: Connection, since: number, now: number, limits: Limits): boolean {
  connection.probe();
  if (connection.progressAt > 0 && sweepProgress(connection, now, limits)) return true;
  if (now - since <= limits.storeMs) return false;
  const minutes = Math.round(limits.storeMs / 60_000);
  connection.refuseAndClose(new Refusal("ETIMEDOUT", `not done within ${minutes} min`));
  return true;
}

/**
 * The next bytes of a file may keep the store busy for storeMs: a disk that hangs must not keep
 * connections for ever. The peer has nothing to take meanwhile, and all of its time once they come:
 * what it has acknowledged is not known then, and a number below 0 tells what was written before.
 */
function sweepWindow(connection: Connection, now: number, limits: Limits): boolean {
  const unknown = -1 - connection.written;
  if (connection.progress !== unknown) {
    connection.progress = unknown;
    connection.progressAt = now;
    return false;
  }
  if (now - connection.progressAt <= limits.storeMs) return false;
  connection.terminate();
  return true;
}

/**
 * A peer must take stallBytes within stallMs, however slowly: what it acknowledged counts, not what
 * we wrote.
 */
function sweepProgress(connection: Connection, now: number, limits: Limits): boolean {
  const acknowledged = acknowledgedBy(connection);
  if (connection.progress < 0 || acknowledged - connection.progress >= limits.stallBytes) {
    connection.progress = acknowledged;
    connection.progressAt = now;
    return false;
  }
  if (now - connection.progressAt <= limits.stallMs) return false;
  connection.terminate();
  return true;
}

/**
 * After our FIN: while the peer still takes bytes it has all the time that progress gives; once it
 * has everything, it has lingerMs to close. Then close(2), not RST: the last bytes may be unread
 * in its receive queue.
 */
function sweepLinger(
  connection: Connection,
  now: number,
  limits: Limits,
  lingerMs: number,
): boolean {
  if (kernel.unacked(connection.socket.fd) > 0) {
    connection.since = now;
    if (connection.progressAt === 0) {
      connection.progressAt = now;
      connection.progress = -1;
    }
    return sweepProgress(connection, now, limits);
  }
  if (now - connection.since <= lingerMs) return false;
  connection.socket.end();
  connection.closed();
  return true;
}
