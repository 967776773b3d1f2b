/** Who may come in: counts connections, all and by peer. It decides; the listener acts on it. */
import { peerOf } from "./address.ts";
import type { Limits } from "./limits.ts";
import { SHED_MAX } from "./limits.ts";
import type { PeerCounts } from "./peercounts.ts";

/** What to do with a new connection: serve it, tell it to try later, or cut it. */
export type Admission = "serve" | "shed" | "cut";

/** The counts. Each enter() that did not answer "cut" is paid back by one leave(). */
export class Gate {
  served = 0;
  shed = 0;
  readonly #limits: Limits;
  readonly #byPeer = new Map<string, number>();
  readonly #all: PeerCounts | null;
  readonly #most: number;

  /**
   * `limits` are those of one process; with others that serve the same, `all` counts in all of
   * them, and `most` connections are what they may have together.
   */
  constructor(limits: Limits, all: PeerCounts | null = null, most = Number.POSITIVE_INFINITY) {
    this.#limits = limits;
    this.#all = all;
    this.#most = most;
  }

  /** Connections that `peer` holds, in all processes. */
  of(peer: string): number {
    return this.#all?.of(peer) ?? this.#byPeer.get(peer) ?? 0;
  }

  /** Of all connections of `peer` the part that this process has; 1 where there are none. */
  part(peer: string): number {
    const all = this.of(peer);
    return all === 0 ? 1 : (this.#byPeer.get(peer) ?? 0) / all;
  }

  /** Peers that are remembered: those with a connection, so that who has gone costs no memory. */
  get peers(): number {
    return this.#byPeer.size;
  }

  /** True when another connection of `peer` is kept out by other peers' alone. */
  crowdedFor(peer: string): boolean {
    const { connections, connectionsPerPeer } = this.#limits;
    const full = this.served >= connections || (this.#all?.sum ?? 0) >= this.#most;
    return full && this.of(peer) < connectionsPerPeer;
  }

  /** Counts a connection from `address` in. */
  enter(address: string): Admission {
    const peer = peerOf(address);
    const count = this.#byPeer.get(peer) ?? 0;
    const { connections, connectionsPerPeer } = this.#limits;
    const fits = this.served < connections && count < connectionsPerPeer;
    if (fits && (this.#all?.take(peer, connectionsPerPeer, this.#most) ?? true)) {
      this.#byPeer.set(peer, count + 1);
      this.served += 1;
      return "serve";
    }
    if (this.shed >= SHED_MAX) return "cut";
    this.shed += 1;
    return "shed";
  }

  /** Counts out what enter() counted in as `admission`. */
  leave(address: string, admission: "serve" | "shed"): void {
    if (admission === "shed") {
      this.shed -= 1;
      return;
    }
    this.served -= 1;
    const peer = peerOf(address);
    const count = this.#byPeer.get(peer) ?? 0;
    this.#all?.give(peer);
    if (count <= 1) this.#byPeer.delete(peer);
    else this.#byPeer.set(peer, count - 1);
  }
}
