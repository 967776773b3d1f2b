/**
 * The listening sockets of all workers. They are made here and handed on, so that they outlive any
 * worker: who waits in the queue of one whose worker has died, or is replaced, is accepted by the
 * next one that has it. Each worker has one of its own at each place, which spreads newcomers
 * evenly (SO_REUSEPORT, socket(7)); what a service manager has made is shared (decision 0043).
 */
import { BACKLOG, type ListenAddress, type ListenPlace, listenError } from "../../server/listen.ts";
import { errnoName } from "../../sys/errno.ts";
import { kernel } from "../../sys/kernel.ts";
import { listeningAt, listenShared, steer } from "../../sys/processes.ts";
import { MEMORY_FD } from "./worker.ts";

/** Where a server is to listen. */
export interface Wanted {
  readonly places: readonly ListenAddress[];
  readonly admin: ListenAddress | null;
}

/** One place, with the port that was picked and a socket for each worker. */
interface Place extends ListenAddress {
  /** As it was asked for: the port may be 0. */
  readonly name: string;
  readonly sockets: number[];
}

/** The places of one configuration. */
export class Sockets {
  readonly #places: readonly Place[];
  readonly #admin: Place | null;
  /** Each worker has all of them. */
  readonly #shared: boolean;

  private constructor(places: readonly Place[], admin: Place | null, shared: boolean) {
    this.#places = places;
    this.#admin = admin;
    this.#shared = shared;
  }

  /** Those that a service manager has made, and one for who runs the server. */
  static of(made: readonly ListenPlace[], admin: ListenAddress | null, workers: number): Sockets {
    const places = made.map(({ host, port, sockets = [] }) => ({
      ...{ name: "", host, port, sockets: [...sockets] },
    }));
    return new Sockets(places, admin && opened(placeOf("admin", admin), workers, true), true);
  }

  /**
   * Those of `wanted` for so many workers. Places of `before` stay, with the connections that wait
   * there. Throws ListenError; then nothing is left of what was new.
   */
  static open(wanted: Wanted, workers: number, before: Sockets | null): Sockets {
    const made: Place[] = [];
    const find = (name: string, address: ListenAddress): Place => {
      const there = before?.all.find((place) => place.name === name);
      const place = there ?? placeOf(name, address);
      if (there === undefined) made.push(place);
      return opened(place, workers, there === undefined);
    };
    try {
      let port = wanted.places[0]?.port ?? 0;
      const places = wanted.places.map(({ host, port: asked }) => {
        const place = find(`${host} ${asked}`, { host, port });
        port = place.port;
        return place;
      });
      const { admin } = wanted;
      const own = admin && find(`admin ${admin.host} ${admin.port}`, admin);
      return new Sockets(places, own, false);
    } catch (error) {
      for (const { sockets } of made) sockets.forEach((fd) => kernel.close(fd));
      throw error;
    }
  }

  /** Of all places. */
  get all(): readonly Place[] {
    return this.#admin === null ? this.#places : [...this.#places, this.#admin];
  }

  /** Closes those that are not in `after`. */
  closeBut(after: Sockets): void {
    for (const place of this.all) {
      if (!after.all.some(({ sockets }) => sockets === place.sockets)) {
        place.sockets.forEach((fd) => kernel.close(fd));
      }
    }
  }

  /** Newcomers go to those of so many workers that are in `serving`; to all, if that is nobody. */
  steer(serving: readonly number[], workers: number): void {
    const all = serving.length === 0 || serving.length === workers;
    if (this.#shared) return;
    for (const { sockets } of this.all) {
      const some = [...sockets.keys()].filter((socket) => serving.includes(socket % workers));
      steer(sockets[0] ?? -1, all ? null : some);
    }
  }

  /**
   * What worker `nth` of `workers` gets: the places, with the numbers that its sockets have there,
   * and `handed`, the sockets here, in that order behind the memory.
   */
  for(nth: number, workers: number): Wanted & { readonly handed: readonly number[] } {
    const handed: number[] = [];
    const hand = ({ host, port, sockets }: Place, shared: boolean): ListenPlace => {
      const own = shared ? sockets : sockets.filter((_, socket) => socket % workers === nth);
      const numbers = own.map((fd) => MEMORY_FD + handed.push(fd));
      return { host, port, sockets: numbers };
    };
    const places = this.#places.map((place) => hand(place, this.#shared));
    return { places, admin: this.#admin && hand(this.#admin, false), handed };
  }
}

// --- internal ---

function placeOf(name: string, { host, port }: ListenAddress): Place {
  return { name, host, port, sockets: [] };
}

/** `place` with a socket for each worker; of one that is `fresh` nobody may have the port. */
function opened(place: Place, workers: number, fresh: boolean): Place {
  let { port } = place;
  while (place.sockets.length < workers) {
    const first = fresh && place.sockets.length === 0;
    const fd = listenShared({ host: place.host, port }, first, BACKLOG);
    if (fd < 0) {
      const error = Object.assign(new Error(), { code: errnoName(-fd) });
      const flag = place.name.startsWith("admin") ? "--admin-bind" : "";
      throw listenError(error, place.host, port, flag);
    }
    place.sockets.push(fd);
    port = listeningAt(fd)?.port ?? port;
  }
  return { ...place, port };
}
