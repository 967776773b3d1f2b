/**
 * The pump reads sockets without Bun's data events, for bodies that go from socket to file by
 * splice(2) or recv(2). Each round polls all its sockets by one poll(2) and lets each readable one
 * move a bounded number of bytes. The poll is short, so that timers and other sockets are served
 * between two rounds; a socket that stays idle goes back to Bun's events.
 *
 * It owns no socket and knows no protocol. Invariant: it runs only while it has a socket.
 */
import { kernel } from "../sys/kernel.ts";
import { PollTable } from "../sys/types.ts";

/** Longest wait of a round, in milliseconds: so late a timer may be. */
const WAIT_MS = 4;

/** Rounds in which only other sockets were readable, before a socket goes back to events. */
const IDLE_ROUNDS_MAX = 64;

/** Most bytes of one socket in a round: with more the other sockets would wait too long. */
export const PUMP_BYTES = 2_097_152;

/** Most sockets; more stay with Bun's events. */
const PUMPED_MAX = 1024;

/** One socket of the pump, seen by the pump. */
export interface PumpedSocket {
  /** The socket's descriptor, read anew in each round; below 0 when it is closed. */
  readonly fd: number;
  /** The socket has bytes or an end: move at most PUMP_BYTES. */
  readable(): void;
  /** It was idle for too long and has been removed from the pump. */
  idle(): void;
}

/** The loop over the sockets. */
export class Pump {
  /** Each socket with its idle rounds in a row. */
  readonly #all = new Map<PumpedSocket, number>();
  readonly #table = new PollTable(PUMPED_MAX);
  readonly #order: PumpedSocket[] = [];
  #armed = false;
  readonly #run = (): void => this.#round();

  /** Adds `pumped`; false when PUMPED_MAX are in it. */
  add(pumped: PumpedSocket): boolean {
    if (this.#all.size >= PUMPED_MAX) return false;
    this.#all.set(pumped, 0);
    this.#arm();
    return true;
  }

  /** Removes `pumped`; does nothing when it is not in the pump. */
  remove(pumped: PumpedSocket): void {
    this.#all.delete(pumped);
  }

  // --- internal ---

  #arm(): void {
    if (this.#armed || this.#all.size === 0) return;
    this.#armed = true;
    setImmediate(this.#run);
  }

  #round(): void {
    this.#armed = false;
    this.#order.length = 0;
    for (const pumped of this.#all.keys()) {
      if (!(pumped.fd >= 0)) {
        this.#all.delete(pumped);
        continue;
      }
      this.#table.set(this.#order.length, pumped.fd);
      this.#order.push(pumped);
    }
    const ready = kernel.pollIn(this.#table, this.#order.length, WAIT_MS);
    for (const [nth, pumped] of this.#order.entries()) {
      const rounds = this.#all.get(pumped);
      if (rounds === undefined) continue;
      if (ready > 0 && this.#table.ready(nth)) {
        this.#all.set(pumped, 0);
        pumped.readable();
      } else if (ready <= 0 || rounds >= IDLE_ROUNDS_MAX) {
        this.#all.delete(pumped);
        pumped.idle();
      } else {
        this.#all.set(pumped, rounds + 1);
      }
    }
    this.#arm();
  }
}

/** The one pump of the process: with several, one's poll would delay another's sockets. */
export const pump = new Pump();
