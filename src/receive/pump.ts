/**
 * Sockets that are emptied past Bun's events: while bytes come fast, a round polls them all and
 * lets each that has something move a step. The wait is short, so that timers and other sockets
 * have their turn between two rounds; a socket that has gone quiet returns to Bun's events.
 *
 * It owns no socket. Invariant: it runs only while somebody is in it.
 */
import { kernel } from "../sys/kernel.ts";
import { PollTable } from "../sys/types.ts";

/** Longest wait of a round, in milliseconds: so late a timer may be. */
const WAIT_MS = 4;

/** Rounds without a byte, while others have some, before a socket returns to events. */
const QUIET_ROUNDS = 64;

/** Bytes that one socket may move in a round: far above, the others wait too long. */
export const PUMP_BYTES = 2_097_152;

/** Sockets at once; more stay with Bun's events. */
const PUMPED_MAX = 1024;

/** Whoever is emptied by the pump. */
export interface PumpedSocket {
  /** The socket's descriptor just now; below 0 when it is closed. */
  readonly fd: number;
  /** There is something: take one step's worth of it. */
  readable(): void;
  /** There has been nothing for a while; it is out of the pump by now. */
  idle(): void;
}

/** The loop that empties sockets. */
export class Pump {
  /** Each with its rounds without a byte. */
  readonly #all = new Map<PumpedSocket, number>();
  readonly #table = new PollTable(PUMPED_MAX);
  readonly #order: PumpedSocket[] = [];
  #armed = false;
  readonly #run = (): void => this.#round();

  /** Takes `pumped` in; false when there is no room. */
  add(pumped: PumpedSocket): boolean {
    if (this.#all.size >= PUMPED_MAX) return false;
    this.#all.set(pumped, 0);
    this.#arm();
    return true;
  }

  /** Lets go of it. Harmless when it is not there. */
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
      } else if (ready <= 0 || rounds >= QUIET_ROUNDS) {
        this.#all.delete(pumped);
        pumped.idle();
      } else {
        this.#all.set(pumped, rounds + 1);
      }
    }
    this.#arm();
  }
}

/** The program's one pump: a round waits for all sockets at once. */
export const pump = new Pump();
