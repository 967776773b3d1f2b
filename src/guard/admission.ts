/** Who may come in: counts connections, all and by peer. It decides; the listener acts on it. */
import { peerOf } from "./address.ts";
import type { Limits } from "./limits.ts";
import { SHED_MAX } from "./limits.ts";

/** What to do with a new connection: serve it, tell it to try later, or cut it. */
export type Admission = "serve" | "shed" | "cut";

/** The counts. Each enter() that did not answer "cut" is paid back by one leave(). */
export class Gate {
  served = 0;
  shed = 0;
  readonly #limits: Limits;
  readonly #byPeer = new Map<string, number>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Connections that `peer` holds. */
  of(peer: string): number {
    return this.#byPeer.get(peer) ?? 0;
  }

  /** Peers that are remembered: those with a connection, so that who has gone costs no memory. */
  get peers(): number {
    return this.#byPeer.size;
  }

  /** True when another connection of `peer` is kept out by other peers' alone. */
  crowdedFor(peer: string): boolean {
    const { connections, connectionsPerPeer } = this.#limits;
    return this.served >= connections && this.of(peer) < connectionsPerPeer;
  }

  /** Counts a connection from `address` in. */
  enter(address: string): Admission {
    const peer = peerOf(address);
    const count = this.of(peer);
    if (this.served < this.#limits.connections && count < this.#limits.connectionsPerPeer) {
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
    const count = this.of(peer);
    if (count <= 1) this.#byPeer.delete(peer);
    else this.#byPeer.set(peer, count - 1);
  }
}
