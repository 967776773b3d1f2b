/**
 * Who gives way when every connection is taken: a connection that waits for its peer, of a peer
 * that holds more than the newcomer's. So two addresses that open all they get and say nothing keep
 * nobody else out. It finds and ends connections; counts are the gate's.
 *
 * Invariant: a peer never loses a connection to one that would then hold as many.
 */
import type { Gate } from "../guard/admission.ts";
import { clock } from "../sys/clock.ts";
import { Refusal } from "../wire/errors.ts";
import type { Connection } from "./connection.ts";

/**
 * Milliseconds between two searches of all connections, for each of them: one costs 30 ns a
 * connection, so that they take 4 % of the time, however many there are. Of 65,536: 50 ms.
 */
const SEARCH_MS_EACH = 50 / 65_536;

/** Candidates looked at for one newcomer; of them the one goes whose peer holds most. */
const LOOKS_MAX = 64;

/** A peer that has taken nothing for so long may lose its transfer to others. Milliseconds. */
const STALLED_MS = 10_000;

/** Ends connections for the sake of others. */
export class Displacement {
  readonly #gate: Gate;
  readonly #connections: ReadonlyMap<Connection, unknown>;
  /** Connections that waited for their peer at the last search, the newest first. */
  #candidates: Connection[] = [];
  #searchedAt = Number.NEGATIVE_INFINITY;

  constructor(gate: Gate, connections: ReadonlyMap<Connection, unknown>) {
    this.#gate = gate;
    this.#connections = connections;
  }

  /** Makes room for a newcomer of `peer`; false when nobody has to give way to it. */
  makeRoom(peer: string): boolean {
    const held = this.#gate.of(peer);
    for (let searched = false; ; searched = true) {
      const found = this.#take(held);
      if (found !== null) {
        giveWay(found);
        return true;
      }
      const pause = SEARCH_MS_EACH * this.#connections.size;
      if (searched || clock.now - this.#searchedAt < pause) return false;
      this.#search();
    }
  }

  // --- internal ---

  /** The best of the next candidates, which leaves the list. */
  #take(held: number): Connection | null {
    const looked = this.#candidates.splice(-LOOKS_MAX).filter(waits);
    let best: Connection | null = null;
    for (const one of looked) if (best === null || this.#before(one, best)) best = one;
    const may = best !== null && this.#gate.of(best.peer) > held + 1;
    this.#candidates.push(...looked.filter((one) => !may || one !== best));
    return may ? best : null;
  }

  /** True when `one` gives way before `other`, which is newer. */
  #before(one: Connection, other: Connection): boolean {
    const more = this.#gate.of(one.peer) - this.#gate.of(other.peer);
    if (more !== 0) return more > 0;
    return one.asked === 0 || other.asked > 0;
  }

  #search(): void {
    this.#searchedAt = clock.now;
    this.#candidates = [...this.#connections.keys()].filter(waits).toReversed();
  }
}

// --- internal ---

/**
 * True when nothing is done for the connection until its peer does something, or when the peer has
 * said FIN and may be gone: who has gone by the hundred fills the table before it is noticed.
 */
function waits(connection: Connection): boolean {
  switch (connection.state.awaits) {
    case "request":
    case "silence":
    case "linger":
      return true;
    case "store":
      return connection.receiver.fin;
    case "turn":
      // Its first request has come and is not begun: nothing of it is lost by asking again.
      return connection.asked === 0;
    case "room":
      return connection.progressAt > 0 && clock.now - connection.progressAt > STALLED_MS;
    default:
      return false;
  }
}

/** FIN between two requests, a word before the first one, and RST behind one without its reply. */
function giveWay(connection: Connection): void {
  connection.service.counters.displaced += 1;
  if (connection.state.awaits === "room" || connection.state.awaits === "store") {
    connection.terminate();
    return;
  }
  if (connection.asked === 0) {
    connection.refuseAndClose(
      new Refusal("EBUSY", "others wait, and this address has more connections than they"),
    );
  }
  // Not the lingering of other ends: the slot is needed now. What the peer still sends meets RST.
  connection.socket.end();
  connection.closed();
}
