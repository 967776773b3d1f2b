/**
 * What a connection sends before the kernel begins to pace it: ten segments (tcp(7) keeps silent
 * about it; net/ipv4/tcp_output.c does not), which who connects again and again would have each
 * time. So they are charged to the address in advance, at its rate, and who owes too much is not
 * read until that is paid (decision 0047). What a connection did not use is given back at its end.
 *
 * Of several processes each has of the rate what it has of an address's connections, so that who
 * is spread over all of them gains nothing.
 *
 * Invariant: an address is sent what its rate makes in that time and WINDOWS_FREE head starts (or a
 * second of its rate, if that is more) of each process at most, however often it connects.
 */
import { Debts } from "../guard/debts.ts";
import type { Rates } from "../guard/rates.ts";
import { clock } from "../sys/clock.ts";
import { kernel } from "../sys/kernel.ts";
import { SOCKET } from "../sys/types.ts";
import type { Connection } from "./connection.ts";

/** Segments that the kernel does not pace. */
const SEGMENTS = 10;

/** Where the kernel does not tell how long a segment is: that of Ethernet. */
const SEGMENT_BYTES = 1460;

/** Connections that an address may begin at once without waiting: browsers open six. */
const WINDOWS_FREE = 8;

/** While newcomers of an address wait, its other connections keep so much of their rate. */
const YIELDING = 0.5;

/**
 * What the kernel paces is over its rate by a part in a thousand: that must not add up to a debt.
 */
const PACED_COUNTS = 0.98;

/** Seconds of its rate that an address may owe beyond that, where the kernel does not pace. */
const LATE_S_MAX = 10;

/** The head starts of one server, which has a rate in all or for each address. */
export class HeadStart {
  readonly #rates: Rates;
  readonly #part: (peer: string) => number;
  readonly #debts = new Debts();
  /** Bytes that a connection was charged for and has not sent. */
  readonly #ahead = new Map<Connection, number>();
  /** Who is not read yet, the first one first. */
  readonly #held = new Set<Connection>();
  #waiting = new Set<string>();
  /** Addresses that share what there is in all. */
  #active = 1;

  /** `part`: how much of an address's connections this process has. */
  constructor(rates: Rates, part: (peer: string) => number) {
    this.#rates = rates;
    this.#part = part;
  }

  /** Connections that are not read yet. */
  get held(): number {
    return this.#held.size;
  }

  /** `connection` is new, and nothing of it has been read. */
  begin(connection: Connection): void {
    if (this.#waiting.has(connection.peer) || !this.#admit(connection)) {
      connection.socket.pause();
      // It waits for us: its deadline begins when it is read.
      connection.since = Number.POSITIVE_INFINITY;
      this.#held.add(connection);
      this.#waiting.add(connection.peer);
    }
  }

  /** `connection` was sent `bytes` since the last call. */
  sent(connection: Connection, bytes: number): void {
    const ahead = this.#ahead.get(connection) ?? 0;
    if (bytes < ahead) this.#ahead.set(connection, ahead - bytes);
    else {
      this.#ahead.delete(connection);
      const most = this.#most(windowOf(connection)) + LATE_S_MAX * this.#rate;
      this.#debts.charge(connection.peer, PACED_COUNTS * (bytes - ahead), most);
    }
  }

  /** `connection` is closed, and was sent `bytes` since sent() was called. */
  end(connection: Connection, bytes: number): void {
    this.sent(connection, bytes);
    this.#debts.charge(connection.peer, -(this.#ahead.get(connection) ?? 0));
    this.#ahead.delete(connection);
    this.#held.delete(connection);
  }

  /**
   * `seconds` after the last call, while `sending` are sending, and so many addresses `elsewhere`,
   * in other processes alone: debts are paid.
   */
  settle(seconds: number, sending: readonly Connection[], elsewhere: number): void {
    const peers = new Set([...sending.map(({ peer }) => peer), ...this.#debts.peers]);
    this.#active = Math.max(1, peers.size + elsewhere);
    this.#debts.pay(seconds, (peer) => this.#rate * this.#part(peer));
    this.#waiting = new Set();
    for (const connection of this.#held) {
      if (this.#waiting.has(connection.peer) || !this.#admit(connection)) {
        this.#waiting.add(connection.peer);
        continue;
      }
      this.#held.delete(connection);
      connection.since = clock.now;
      connection.socket.resume();
    }
  }

  /** The part of its share that a connection of `peer` has, so that newcomers get theirs. */
  part(peer: string): number {
    return this.#waiting.has(peer) ? YIELDING : 1;
  }

  // --- internal ---

  /** Charges for what the kernel will not pace; false when its address owes too much for that. */
  #admit(connection: Connection): boolean {
    const { peer } = connection;
    const window = windowOf(connection);
    if (this.#debts.of(peer) + window > this.#most(window)) return false;
    this.#debts.charge(peer, window);
    this.#ahead.set(connection, window);
    return true;
  }

  /** Bytes that an address may owe, where a head start has `window`. */
  #most(window: number): number {
    return Math.max(WINDOWS_FREE * window, this.#rate);
  }

  /** What an address may be sent: bytes a second. */
  get #rate(): number {
    const { address, total } = this.#rates;
    const bounds = [address || Infinity, (total || Infinity) / this.#active];
    return Math.min(...bounds);
  }
}

// --- internal ---

function windowOf({ socket }: Connection): number {
  const segment = kernel.getsockopt(socket.fd, SOCKET.tcpLevel, SOCKET.tcpMaxSegment);
  return SEGMENTS * (segment > 0 ? segment : SEGMENT_BYTES);
}
