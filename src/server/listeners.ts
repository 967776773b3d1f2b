/** All listening sockets of one server: each place has one, or those that it was given. */
import {
  type Arrivals,
  type ListenAddress,
  type Listener,
  type ListenPlace,
  listen,
  ListenError,
} from "./listen.ts";

/** They are opened together and stopped together. */
export class Listeners {
  readonly #all: Listener[] = [];
  readonly #flag: string;

  /** `flag` has their places, where that is not -b and -p: an error names it. */
  constructor(flag = "") {
    this.#flag = flag;
  }

  /**
   * Listens at all `places`, or at none: throws ListenError for the first that can't be had. Where
   * the first one picks a port, those that follow have the same.
   */
  open(places: readonly ListenPlace[], arrivals: Arrivals): void {
    if (places.length === 0) throw new ListenError("no address to listen on", "EINVAL");
    let picked = places[0]?.port ?? 0;
    for (const { host, sockets, port } of places) {
      if (sockets !== undefined) picked = port;
      for (const socket of sockets ?? [null]) {
        const listener = listen({ host, port: picked }, arrivals, {
          ...{ socket, flag: this.#flag },
        });
        this.#all.push(listener);
        picked = listener.address.port;
      }
    }
  }

  /** Where they listen; several sockets may stand at one address, which is told once. */
  get addresses(): ListenAddress[] {
    const all = this.#all.map((listener) => listener.address);
    const same = (one: ListenAddress, other: ListenAddress): boolean =>
      one.host === other.host && one.port === other.port;
    return all.filter((one, nth) => all.findIndex((other) => same(one, other)) === nth);
  }

  stop(): void {
    for (const listener of this.#all) listener.stop();
  }
}
