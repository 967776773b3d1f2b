/**
 * Keeps rates: tells the kernel how fast each connection may send (SO_MAX_PACING_RATE, socket(7)),
 * which then spreads the segments itself. So a bound costs sendfile(2) nothing, wakes no timer of
 * ours for a connection, and holds for TLS as well. What each may send is shared out anew four
 * times a second among those that are sending.
 */
import type { Gate } from "../guard/admission.ts";
import { type Rates, type Sending, sharesOf } from "../guard/rates.ts";
import type { SharedSending } from "../guard/sharedsending.ts";
import { clock, tick } from "../sys/clock.ts";
import { kernel } from "../sys/kernel.ts";
import { SOCKET } from "../sys/types.ts";
import type { Connection } from "./connection.ts";
import { HeadStart } from "./headstart.ts";

/** Milliseconds between two shares. */
const SHARE_MS = 250;

/** A share that differs by less is left as it is: a system call for each would change nothing. */
const CHANGE_MIN = 0.02;

/** The kernel takes 32 bits, all of them set for none (socket(7)). */
const UNBOUNDED = 0xffff_ffff;

/** Slower than this nothing would ever arrive: a segment a second. */
const RATE_MIN = 1500;

interface Paced {
  /** What the kernel was told. */
  rate: number;
  /** Bytes that it had written at the last share. */
  written: number;
}

/** The rates of one server. */
export class Pacing {
  readonly #rates: Rates;
  readonly #connections: ReadonlyMap<Connection, unknown>;
  readonly #shared: SharedSending | null;
  readonly #paced = new WeakMap<Connection, Paced>();
  readonly #timer: NodeJS.Timeout;
  /** Null: an address has no bound, and may open as many connections as it likes. */
  readonly #headStart: HeadStart | null;
  #sharedAt = clock.now;

  /**
   * `connections` are this process's, now and later, which `gate` counts in all processes; `shared`
   * knows who sends in others.
   */
  constructor(
    rates: Rates,
    connections: ReadonlyMap<Connection, unknown>,
    gate: Gate,
    shared: SharedSending | null = null,
  ) {
    this.#rates = rates;
    this.#shared = shared;
    this.#connections = connections;
    const part = (peer: string): number => gate.part(peer);
    this.#headStart = rates.address > 0 || rates.total > 0 ? new HeadStart(rates, part) : null;
    this.#timer = setInterval(() => this.#share(), SHARE_MS);
  }

  /** `connection` is new: until the next share it has what one alone of its address would have. */
  begin(connection: Connection): void {
    const [share = Infinity] = sharesOf([sendingOf(connection)], this.#rates);
    this.#tell(connection, share);
    this.#headStart?.begin(connection);
  }

  /** `connection` is closed. */
  end(connection: Connection): void {
    const paced = this.#paced.get(connection);
    if (paced !== undefined) this.#headStart?.end(connection, connection.written - paced.written);
    this.#paced.delete(connection);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  // --- internal ---

  #share(): void {
    const sending: Connection[] = [];
    for (const connection of this.#connections.keys()) {
      const paced = this.#paced.get(connection);
      if (paced === undefined) continue;
      const sent = connection.written - paced.written;
      paced.written = connection.written;
      if (sent > 0) this.#headStart?.sent(connection, sent);
      if (sent > 0 || connection.progressAt > 0) sending.push(connection);
    }
    const own = sending.map(sendingOf);
    const all = this.#shared === null ? own : this.#shared.publish(own);
    const others = this.#shared?.others() ?? [];
    const here = new Set(all.map(({ peer }) => peer));
    const elsewhere = new Set(others.map(({ peer }) => peer).filter((peer) => !here.has(peer)));
    const now = tick();
    this.#headStart?.settle((now - this.#sharedAt) / 1000, sending, elsewhere.size);
    this.#sharedAt = now;
    const shares = sharesOf([...all, ...others], this.#rates);
    for (const [nth, connection] of sending.entries()) {
      const part = this.#headStart?.part(connection.peer) ?? 1;
      this.#tell(connection, part * (shares[nth] ?? 0));
    }
  }

  #tell(connection: Connection, share: number): void {
    const rate = Math.min(UNBOUNDED, Math.max(RATE_MIN, Math.round(share)));
    const paced = this.#paced.get(connection);
    if (paced !== undefined && Math.abs(rate - paced.rate) <= paced.rate * CHANGE_MIN) return;
    if (paced === undefined) this.#paced.set(connection, { rate, written: connection.written });
    else paced.rate = rate;
    kernel.setsockopt(connection.socket.fd, SOCKET.level, SOCKET.maxPacingRate, rate);
  }
}

// --- internal ---

function sendingOf({ peer, access }: Connection): Sending {
  const { name, rate } = access.rated ?? { name: null, rate: 0 };
  return { peer, token: rate > 0 ? name : null, tokenRate: rate };
}
